/* SPDX-License-Identifier: MIT */
#include "io/config.c"

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "tap.h"

static char folder[] = "/tmp/test_config.XXXXXX";
static char path[128];
static struct why why;
static struct settings got;

/* Put text at folder/name, which `path` becomes; NULL: only the name. */
static void
put(const char *name, const char *text, mode_t mode)
{
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (text == NULL)
		return;
	f = fopen(path, "w");
	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0 ||
	    chmod(path, mode) != 0)
		abort();
}

static const char *
content(void)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f != NULL)
		(void)fclose(f);
	return text;
}

static int
read_it(void)
{
	settings_release(&got);
	return load_settings(path, &got, &why);
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0 ? st.st_mode & 07777 : 0;
}

static bool
has_token(const char *token)
{
	const char *t = settings_text(&got, SET_TOKEN);

	return token == NULL ? t == NULL : t != NULL && strcmp(t, token) == 0;
}

static int
write_token(const char *token)
{
	return config_write_login(path, &(struct config_login){
	    .token = token }, &why);
}

static void
paths(void)
{
	bool is_default;
	char *p;

	unsetenv("K6_CONFIG");
	setenv("XDG_CONFIG_HOME", "/xdg", 1);
	setenv("HOME", "/home/me", 1);
	p = config_path(NULL, &is_default, &why);
	CHECK_TEXT(p, "/xdg/k6/config.json");
	CHECK(is_default);
	free(p);
	p = config_old_path();
	CHECK_TEXT(p, "/xdg/loadimpact/k6/config.json");
	free(p);
	setenv("XDG_CONFIG_HOME", "relative", 1);
	p = config_path(NULL, &is_default, &why);
	CHECK_TEXT(p, "/home/me/.config/k6/config.json");
	free(p);
	setenv("K6_CONFIG", "/env.json", 1);
	p = config_path(NULL, &is_default, &why);
	CHECK_TEXT(p, "/env.json");
	CHECK(!is_default);
	free(p);
	p = config_path("/given.json", &is_default, &why);
	CHECK_TEXT(p, "/given.json");
	free(p);
	unsetenv("K6_CONFIG");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("HOME");
	CHECK(config_path(NULL, &is_default, &why) == NULL && is_default);
	CHECK(config_old_path() == NULL);
}

static void
reads(void)
{
	put("a.json", "{\"vus\":10,\"collectors\":{\"cloud\":{\"token\":"
	    "\"abc\",\"projectID\":7},\"x\":{}}}", 0600);
	CHECK(read_it() == 0 && has_token("abc"));
	CHECK(settings_int(&got, SET_PROJECT_ID) == 7);
	put("b.json", "{\"vus\":10}", 0600);
	CHECK(read_it() == 0 && has_token(NULL));
	put("b.json", "", 0600);
	CHECK(read_it() == 0 && has_token(NULL));
	put("b.json", "{\"collectors\":{\"cloud\":null}}", 0600);
	CHECK(read_it() == 0 && has_token(NULL));
	put("none.json", NULL, 0);
	CHECK(read_it() == 1);
	put("b.json/below", NULL, 0);
	CHECK(read_it() == 1);
}

static void
refuses(void)
{
	static const char *const rows[] = { "{", "[]", "17", "{\"a\":1}}",
		"{\"a\":1,\"a\":2}", "{\"a\":\"\\ud800\"}", "\xff", "{a:1}" };
	char big[200];
	size_t i;
	FILE *f;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put("bad.json", rows[i], 0600);
		why.text[0] = '\0';
		CHECK(read_it() == -1);
		CHECK(strstr(why.text, "/bad.json") != NULL);
		CHECK(write_token("t") == -1);
		CHECK_TEXT(content(), rows[i]);		/* untouched */
	}
	put("fifo", NULL, 0);
	CHECK(mkfifo(path, 0600) == 0);
	CHECK(read_it() == -1);
	CHECK(strstr(why.text, "not a regular file") != NULL);
	CHECK(write_token("t") == -1);
	memset(big, ' ', sizeof(big));
	put("big.json", "{}", 0600);
	f = fopen(path, "a");
	for (i = 0; i < FILE_MAX_BYTES / sizeof(big) + 1; i++)
		(void)fwrite(big, 1, sizeof(big), f);
	(void)fclose(f);
	CHECK(read_it() == -1);
	CHECK(strstr(why.text, "larger than") != NULL);
	(void)snprintf(path, sizeof(path), "%s", folder);
	CHECK(read_it() == -1 && write_token("t") == -1);
}

static void
writes(void)
{
	char below[128];
	mode_t old = umask(0);

	put("new/k6/config.json", NULL, 0);
	CHECK(write_token("abc") == 0);
	CHECK(read_it() == 0 && has_token("abc"));
	CHECK(mode_of(path) == 0600);
	(void)snprintf(below, sizeof(below), "%s/new", folder);
	CHECK(mode_of(below) == 0700);
	(void)snprintf(below, sizeof(below), "%s/new/k6", folder);
	CHECK(mode_of(below) == 0700);
	CHECK(chmod(path, 0644) == 0);		/* as an old k6 left it */
	CHECK(write_token(NULL) == 0 && mode_of(path) == 0600);
	CHECK(read_it() == 0 && has_token(NULL));
	(void)umask(old);
}

static void
keeps(void)
{
	json_t *is, *want;
	json_error_t error;

	put("keep.json", "{\"vus\":10,\"x\":{\"y\":[1,2.5,\"\xc3\xa9\",null]}"
	    ",\"collectors\":{\"kafka\":{\"a\":true},\"cloud\":{\"name\":"
	    "\"n\",\"token\":\"old\",\"later\":{}}}}", 0600);
	CHECK(write_token("new \"one\"") == 0);
	is = json_loads(content(), 0, &error);
	want = json_loads("{\"vus\":10,\"x\":{\"y\":[1,2.5,\"\xc3\xa9\",null]"
	    "},\"collectors\":{\"kafka\":{\"a\":true},\"cloud\":{\"name\":"
	    "\"n\",\"token\":\"new \\\"one\\\"\",\"later\":{}}}}", 0,
	    &error);
	CHECK(is != NULL && json_equal(is, want));
	CHECK(strstr(content(), "\n  \"vus\": 10") != NULL);
	CHECK(content()[strlen(content()) - 1] == '\n');
	json_decref(is);
	json_decref(want);
	put("null.json", "{\"collectors\":null}", 0600);
	CHECK(write_token("t") == 0);
	put("odd.json", "{\"collectors\":{\"cloud\":7}}", 0600);
	CHECK(write_token("t") == -1);
	CHECK_TEXT(content(), "{\"collectors\":{\"cloud\":7}}");
}

static void
symlinks(void)
{
	char victim[128];
	struct stat st;

	put("victim", "{\"a\":1}", 0600);
	(void)snprintf(victim, sizeof(victim), "%s", path);
	put("link.json", NULL, 0);
	CHECK(symlink(victim, path) == 0);
	/* A link of ours to a file of ours stays, and the file is written. */
	CHECK(write_token("t") == 0);
	CHECK(strstr(content(), "\"token\": \"t\"") != NULL);
	CHECK(lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(stat(victim, &st) == 0 && S_ISREG(st.st_mode));
	/* One to nothing, or to a folder, is refused. */
	CHECK(unlink(victim) == 0);
	CHECK(write_token("t") == -1);
	CHECK(strstr(why.text, "not a regular file") != NULL);
	CHECK(unlink(path) == 0 && symlink(folder, path) == 0);
	CHECK(write_token("t") == -1);
	CHECK(lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
}

/* The file is a new one each time: who has the old one open keeps it, and
 * nothing is left beside it. */
static void
atomic(void)
{
	struct stat before, after;
	char text[64] = "", *temporary;
	int fd;

	put("atomic.json", "{\"a\":1}", 0600);
	fd = open(path, O_RDONLY);
	CHECK(fstat(fd, &before) == 0 && write_token("t") == 0);
	CHECK(stat(path, &after) == 0 && before.st_ino != after.st_ino);
	CHECK(read(fd, text, sizeof(text) - 1) == 7);
	CHECK_TEXT(text, "{\"a\":1}");
	(void)close(fd);
	temporary = xasprintf("%s.%ld.new", path, (long)getpid());
	CHECK(access(temporary, F_OK) != 0);
	free(temporary);
}

static int
find(const char *given)
{
	settings_release(&got);
	return config_load(given, &got, &why);
}

static void
finds(void)
{
	setenv("XDG_CONFIG_HOME", folder, 1);
	CHECK(find(NULL) == 0 && has_token(NULL));
	put("loadimpact/k6/config.json", NULL, 0);
	CHECK(write_token("old") == 0);
	CHECK(find(NULL) == 0 && has_token("old"));
	put("loadimpact/k6/config.json", "{", 0600);
	CHECK(find(NULL) == -1 && strstr(why.text, "loadimpact") != NULL);
	put("k6/config.json", NULL, 0);
	CHECK(write_token("new") == 0);
	CHECK(find(NULL) == 0 && has_token("new"));
	CHECK(find("/none.json") == -1);
	CHECK_TEXT(why.text, "/none.json: no such file");
	put("k6/config.json", "{", 0600);
	CHECK(find(NULL) == -1);
	put("k6/config.json",
	    "{\"collectors\":{\"cloud\":{\"timeout\":\"x\"}}}", 0600);
	CHECK(find(NULL) == -1 && strstr(why.text, "timeout: ") != NULL);
	unsetenv("XDG_CONFIG_HOME");
	CHECK(find(NULL) == 0 && has_token(NULL));
}

static int
remove_one(const char *name, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(name);
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	test("the file is where k6 has it", paths);
	test("collectors.cloud is read", reads);
	test("what is no config is refused and stays as it is", refuses);
	test("a new file is 0600, its folders 0700, whatever the umask",
	    writes);
	test("members that are not set stay", keeps);
	test("a symlink is followed when writing if it and its file are ours",
	    symlinks);
	test("the file is replaced, not written over", atomic);
	test("the old place is looked at when there is no file", finds);
	settings_release(&got);
	(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return tap_end();
}
