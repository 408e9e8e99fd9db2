/* SPDX-License-Identifier: MIT */
#include "base/file.c"

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

int
main(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_file.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	test("a file is read whole, folders are made 0700", reads);
	test("a file past the limit is refused", too_large);
	test("a file where a folder should be is named", in_the_way);
	return tap_end();
}
