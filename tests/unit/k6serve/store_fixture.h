/* SPDX-License-Identifier: MIT */
/* store_fixture: a database of a test. */
#ifndef K6PIPE_TESTS_STORE_FIXTURE_H
#define K6PIPE_TESTS_STORE_FIXTURE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

#endif
