/* SPDX-License-Identifier: MIT */
/* k6's config file: settings read from it, a login written to it. */
#include "io/config.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { FILE_MAX_BYTES = 1 << 20 };

/* $XDG_CONFIG_HOME, which must be absolute, or $HOME/.config. */
static char *
config_folder(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (xdg != NULL && xdg[0] == '/')
		return xstrdup(xdg);
	if (home != NULL && home[0] != '\0')
		return xasprintf("%s/.config", home);
	return NULL;
}

static char *
below_folder(const char *rest)
{
	char *folder = config_folder(), *path;

	if (folder == NULL)
		return NULL;
	path = xasprintf("%s/%s", folder, rest);
	free(folder);
	return path;
}

char *
config_path(const char *given, bool *is_default, struct why *why)
{
	char *path;

	if (given == NULL)
		given = getenv("K6_CONFIG");
	*is_default = given == NULL || given[0] == '\0';
	if (!*is_default)
		return xstrdup(given);
	path = below_folder("k6/config.json");
	if (path == NULL)
		(void)why_set(why, "no place for the config file: set HOME, "
		    "XDG_CONFIG_HOME or K6_CONFIG");
	return path;
}

char *
config_old_path(void)
{
	return below_folder("loadimpact/k6/config.json");
}

/* The file as JSON, owned by the caller. An empty file counts as {}. 0; 1:
 * there is no such file; -1. */
static int
load_file(const char *path, json_t **root, struct why *why)
{
	struct buf text = { 0 };
	json_error_t error;
	int status = file_read(path, FILE_MAX_BYTES, &text, why);

	*root = NULL;
	if (status == 0 && text.n == 0)
		*root = json_object();
	else if (status == 0)
		*root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES,
		    &error);
	if (text.p != NULL)
		explicit_bzero(text.p, text.cap);
	buf_release(&text);
	if (status != 0)
		return status;
	if (*root == NULL)
		return why_set(why, "%s:%d:%d: %s", path, error.line,
		    error.column, error.text);
	if (!json_is_object(*root)) {
		json_decref(*root);
		*root = NULL;
		return why_set(why, "%s: not a JSON object", path);
	}
	return 0;
}

/* Take the settings of one file. 0; 1: there is no such file; -1. */
static int
load_settings(const char *path, struct settings *s, struct why *why)
{
	json_t *root, *cloud;
	int status = load_file(path, &root, why);
	struct why cause;
	char *text;

	if (status != 0)
		return status;
	cloud = json_object_get(json_object_get(root, "collectors"), "cloud");
	text = json_is_object(cloud) ? json_dumps(cloud, JSON_COMPACT) : NULL;
	json_decref(root);
	if (text == NULL)
		return 0;
	if (settings_from_json(s, span_of(text), FROM_FILE, &cause) < 0)
		status = why_set(why, "%s: %s", path, cause.text);
	explicit_bzero(text, strlen(text));
	free(text);
	return status;
}

int
config_load(const char *given, struct settings *s, struct why *why)
{
	bool is_default;
	char *path = config_path(given, &is_default, why), *old;
	int status;

	if (path == NULL)	/* no home: no file, which is not an error */
		return 0;
	status = load_settings(path, s, why);
	if (status == 1 && !is_default)
		status = why_set(why, "%s: no such file", path);
	free(path);
	if (status != 1)
		return status;
	old = config_old_path();
	status = old != NULL ? load_settings(old, s, why) : 1;
	free(old);
	return status < 0 ? -1 : 0;
}

/* The object at key, made if it is missing or null. NULL: something else
 * stands there. Borrowed from parent. */
static json_t *
object_at(json_t *parent, const char *key)
{
	json_t *child = json_object_get(parent, key);

	if (child == NULL || json_is_null(child)) {
		child = json_object();
		(void)json_object_set_new(parent, key, child);
	}
	return json_is_object(child) ? child : NULL;
}

/* Set a member, if it is new only to a value. */
static void
set_member(json_t *cloud, const char *key, json_t *value)
{
	if (value == NULL && json_object_get(cloud, key) != NULL)
		value = json_null();
	if (value != NULL)
		(void)json_object_set_new(cloud, key, value);
}

static void
set_login(json_t *cloud, const struct config_login *l)
{
	(void)json_object_set_new(cloud, "token", l->token != NULL
	    ? json_string(l->token) : json_null());
	if (l->token != NULL && l->stack_url == NULL)
		return;
	set_member(cloud, "stackID", l->stack_id != 0
	    ? json_integer(l->stack_id) : NULL);
	set_member(cloud, "stackURL", l->stack_url != NULL
	    ? json_string(l->stack_url) : NULL);
	set_member(cloud, "defaultProjectID", l->project_id != 0
	    ? json_integer(l->project_id) : NULL);
}

/* The file itself: a link of ours to a file of ours is followed, as dotfile
 * managers make them. Owned by the caller; NULL: why. */
static char *
real_file(const char *path, struct why *why)
{
	struct stat st, target;
	char *real;

	if (lstat(path, &st) != 0 || S_ISREG(st.st_mode))
		return xstrdup(path);
	if (S_ISLNK(st.st_mode) && st.st_uid == geteuid() &&
	    stat(path, &target) == 0 && S_ISREG(target.st_mode) &&
	    target.st_uid == geteuid() && (real = realpath(path, NULL)) !=
	    NULL)
		return real;
	why_set(why, "%s: not a regular file, nor a link of yours to one: it "
	    "stays as it is", path);
	return NULL;
}

static int
write_login(const char *path, const struct config_login *login,
    struct why *why)
{
	json_t *root, *collectors, *cloud = NULL;
	char *text, *whole;
	int status;

	if (file_make_folder(path, why) < 0 ||
	    (status = load_file(path, &root, why)) < 0)
		return -1;
	if (status == 1)
		root = json_object();
	collectors = object_at(root, "collectors");
	if (collectors != NULL)
		cloud = object_at(collectors, "cloud");
	if (cloud != NULL)
		set_login(cloud, login);
	text = cloud != NULL ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	if (text == NULL)
		return why_set(why, "%s: collectors.cloud is not an object",
		    path);
	whole = xasprintf("%s\n", text);
	status = file_replace(path, span_of(whole), 0600, why);
	explicit_bzero(whole, strlen(whole));
	explicit_bzero(text, strlen(text));
	free(whole);
	free(text);
	return status;
}

int
config_write_login(const char *path, const struct config_login *login,
    struct why *why)
{
	char *real = real_file(path, why);
	int status = real != NULL ? write_login(real, login, why) : -1;

	free(real);
	return status;
}
