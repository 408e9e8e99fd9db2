/* SPDX-License-Identifier: MIT */
/* store_fixture: a database of a test. */
#ifndef K6PIPE_TESTS_STORE_FIXTURE_H
#define K6PIPE_TESTS_STORE_FIXTURE_H

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "k6serve/store/store.h"
#include "k6serve/view/assets.h"
#include "tap.h"

static char path[] = "/tmp/test_store.XXXXXX";

/* A new one, at path. */
static inline struct store *
open_new(void)
{
	struct store *s;
	struct why why;
	int fd;

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	CHECK(fd >= 0);
	(void)close(fd);
	s = store_open(path, asset(ASSET_SCHEMA), &why);
	CHECK(s != NULL);
	return s;
}

static inline void
close_and_remove(struct store *s)
{
	store_close(s);
	(void)unlink(path);
}

/* Run SQL on the file, beside the store. */
static inline int
run_script(const char *text)
{
	sqlite3 *db = NULL;
	int status = sqlite3_open(path, &db);

	if (status == SQLITE_OK)
		status = sqlite3_exec(db, text, NULL, NULL, NULL);
	(void)sqlite3_close(db);
	return status == SQLITE_OK ? 0 : -1;
}

/* The tables as an earlier version made them, before the mark of the next, and
 * what it wrote. */
static inline void
make_version(const char *next, const char *rows)
{
	const char *end = strstr(asset(ASSET_SCHEMA).p, next);
	char *first = xstrndup(asset(ASSET_SCHEMA).p,
	    (size_t)(end - asset(ASSET_SCHEMA).p));

	CHECK(run_script(first) == 0);
	CHECK(run_script(rows) == 0);
	CHECK(run_script("PRAGMA application_id = 1798730610") == 0);
	free(first);
}

#endif
