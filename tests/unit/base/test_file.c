/* SPDX-License-Identifier: MIT */
#include "base/file.c"

#include <dirent.h>
#include <stdio.h>

#include "tap.h"

static char folder[64];

static void
reads(void)
{
	char *path = xasprintf("%s/a/b/file", folder);
	struct buf out = { 0 };
	struct why why;
	struct stat st;
	FILE *f;

	CHECK(file_read(path, 10, &out, &why) == 1);
	CHECK(file_make_folder(path, &why) == 0);
	CHECK(file_make_folder(path, &why) == 0);
	f = fopen(path, "w");
	CHECK(f != NULL && fputs("hello", f) >= 0 && fclose(f) == 0);
	CHECK(file_read(path, READ_BYTES + 5, &out, &why) == 0);
	CHECK_BUF(out, "hello");
	*strrchr(path, '/') = '\0';
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0700);
	CHECK(file_read(path, 10, &out, &why) == -1);
	CHECK(strstr(why.text, "not a regular file") != NULL);
	buf_release(&out);
	free(path);
}

static void
too_large(void)
{
	char *path = xasprintf("%s/a/b/file", folder);
	struct buf out = { 0 };
	struct why why;

	CHECK(file_read(path, 3, &out, &why) == -1);
	CHECK(strstr(why.text, "larger than 3 bytes") != NULL);
	buf_release(&out);
	free(path);
}

static void
in_the_way(void)
{
	char *path = xasprintf("%s/a/b/file/c", folder);
	struct why why;

	CHECK(file_make_folder(path, &why) == -1);
	CHECK(strstr(why.text, "file: not a folder") != NULL);
	free(path);
}

static void
has(const char *path, const char *text, mode_t mode)
{
	struct buf out = { 0 };
	struct stat st;
	struct why why;

	CHECK(file_read(path, 1 << 20, &out, &why) == 0);
	CHECK_BUF(out, text);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == mode);
	buf_release(&out);
}

static size_t
files_in(const char *path)
{
	struct dirent **names;
	int i, n = scandir(path, &names, NULL, NULL);

	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return (size_t)n - 2;	/* . and .. */
}

static void
replaces(void)
{
	char *place = xasprintf("%s/r", folder), *path = xasprintf("%s/r/f",
	    folder), *other = xasprintf("%s/other", folder);
	char *next = xasprintf("%s.%ld.new", path, (long)getpid());
	struct stat st;
	struct why why;
	FILE *f;

	(void)umask(0);
	f = fopen(other, "w");
	CHECK(f != NULL && fputs("other", f) >= 0 && fclose(f) == 0);
	CHECK(file_make_folder(path, &why) == 0);
	CHECK(file_replace(path, SPAN("one"), 0600, &why) == 0);
	has(path, "one", 0600);
	/* What a process of the same number left is no obstacle, and a link
	 * in its place is not followed. */
	CHECK(symlink(other, next) == 0);
	CHECK(file_replace(path, SPAN("two"), 0644, &why) == 0);
	has(path, "two", 0644);
	has(other, "other", 0666);
	CHECK(file_replace("/dev/null", SPAN("two"), 0600, &why) == 0);
	CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(file_replace("/dev/full", SPAN("two"), 0600, &why) < 0);
	CHECK(strcmp(why.text, "/dev/full: No space left on device") == 0);
	CHECK(file_replace(path, SPAN(""), 0600, &why) == 0);
	has(path, "", 0600);
	CHECK(files_in(place) == 1);
	free(next);
	free(other);
	free(path);
	free(place);
}

static void
stays(void)
{
	char *place = xasprintf("%s/s", folder), *path = xasprintf("%s/s/d/f",
	    folder), *missing = xasprintf("%s/s/none/f", folder);
	char *in_the_way;
	struct why why;

	CHECK(file_make_folder(path, &why) == 0);
	CHECK(file_replace(path, SPAN("one"), 0600, &why) == 0);
	CHECK(file_replace(missing, SPAN("two"), 0600, &why) == -1);
	CHECK(strstr(why.text, "none/f: No such file") != NULL);
	/* A folder cannot be replaced, and nothing is left beside it. */
	in_the_way = xasprintf("%s/d", place);
	CHECK(file_replace(in_the_way, SPAN("two"), 0600, &why) == -1);
	CHECK(strstr(why.text, "s/d: ") != NULL);
	CHECK(files_in(place) == 1);
	has(path, "one", 0600);
	free(in_the_way);
	free(missing);
	free(path);
	free(place);
}

static void
state_is(const char *state, const char *home, const char *want)
{
	char *got;

	(void)(state != NULL ? setenv("XDG_STATE_HOME", state, 1)
	    : unsetenv("XDG_STATE_HOME"));
	(void)(home != NULL ? setenv("HOME", home, 1) : unsetenv("HOME"));
	got = file_state_dir("tool");
	CHECK((got == NULL) == (want == NULL));
	if (got != NULL && want != NULL)
		CHECK_TEXT(got, want);
	free(got);
}

static void
state_dir(void)
{
	state_is("/x/state", "/home/me", "/x/state/tool");
	state_is(NULL, "/home/me", "/home/me/.local/state/tool");
	state_is("", "/home/me", "/home/me/.local/state/tool");
	state_is("relative", "/home/me", "/home/me/.local/state/tool");
	state_is("/x", NULL, "/x/tool");
	state_is(NULL, "relative", NULL);
	state_is(NULL, NULL, NULL);
}

int
main(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_file.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	test("a file is read whole, folders are made 0700", reads);
	test("a file past the limit is refused", too_large);
	test("a file where a folder should be is named", in_the_way);
	test("a file is replaced whole, with its mode from the first moment",
	    replaces);
	test("what cannot be replaced stays as it was", stays);
	test("the state folder is XDG's, or below the home", state_dir);
	return tap_end();
}
