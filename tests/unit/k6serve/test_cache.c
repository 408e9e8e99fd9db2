/* SPDX-License-Identifier: MIT */
#include "k6serve/view/cache.c"

#include "tap.h"

static struct cache cache;

static bool
has(const char *key, int64_t version, int status, const char *body)
{
	struct buf found = { 0 };
	bool is_there = cache_get(&cache, span_of(key), version, status,
	    &found) && span_is(buf_whole(&found), body);

	buf_release(&found);
	return is_there;
}

static void
keeps_one_version(void)
{
	cache_init(&cache);
	cache_put(&cache, SPAN("a"), 1, 2, SPAN("x"));
	CHECK(has("a", 1, 2, "x"));
	CHECK(!has("a", 2, 2, "x"));
	CHECK(!has("a", 1, 3, "x"));
	cache_put(&cache, SPAN("a"), 2, 2, SPAN("y"));
	CHECK(has("a", 2, 2, "y"));
	CHECK(!has("b", 2, 2, "y"));
	cache_release(&cache);
}

static void
drops_what_was_not_used(void)
{
	char key[16];
	int i;

	cache_init(&cache);
	for (i = 0; i < 2 * CACHE_ENTRIES; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		cache_put(&cache, span_of(key), 1, 2, span_of(key));
		CHECK(has(key, 1, 2, key));
		CHECK(has("0", 1, 2, "0"));
	}
	CHECK(!has("1", 1, 2, "1"));
	cache_release(&cache);
}

int
main(void)
{
	test("an answer is one version's and state's", keeps_one_version);
	test("what was not used for longest goes", drops_what_was_not_used);
	return tap_end();
}
