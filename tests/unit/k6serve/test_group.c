/* SPDX-License-Identifier: MIT */
/* Series are grouped by tags. */
#include "k6serve/view/group.c"

#include <string.h>

#include "tap.h"

static void
count(struct groups *g, const char *metric, const char *tags, double value)
{
	struct sink sink = { .type = strcmp(metric, "http_req_failed") == 0 ?
	    METRIC_RATE : METRIC_TREND };
	struct store_row row = { .metric = span_of(metric),
	    .tags = span_of(tags), .sink = &sink };

	sink_add(&sink, value, 1);
	CHECK(add_row(g, &row) == 0);
	sink_release(&sink);
}

static void
groups_by_tags(void)
{
	struct groups g = { .by = { "name", "method" } };
	struct group **sorted;

	count(&g, "http_reqs", "{\"method\":\"GET\",\"name\":\"/a\"}", 2);
	count(&g, "http_reqs", "{\"name\":\"/a\",\"method\":\"GET\","
	    "\"status\":\"200\"}", 3);
	count(&g, "http_req_duration", "{\"name\":\"/a\",\"method\":\"GET\"}",
	    7);
	count(&g, "http_req_failed", "{\"name\":\"/a\",\"method\":\"GET\"}",
	    1);
	/* without a name the URL counts */
	count(&g, "http_reqs", "{\"url\":\"/b\",\"method\":\"GET\"}", 9);
	count(&g, "http_reqs", "{}", 5);
	CHECK(g.by_key.n == 3);
	sorted = groups_sorted(&g, group_by_reqs);
	CHECK_SPAN(sorted[0]->tag[0], "/b");
	/* as many requests: by tags */
	CHECK_SPAN(sorted[1]->tag[0], "");
	CHECK_SPAN(sorted[2]->tag[0], "/a");
	CHECK_SPAN(sorted[2]->tag[1], "GET");
	CHECK(sorted[2]->reqs == 5 && sorted[2]->failed.nonzero == 1);
	CHECK(sorted[2]->sink.count == 1 && sorted[2]->sink.max == 7);
	free(sorted);
	groups_release(&g);
}

static void
filters(void)
{
	struct tags all = { 0 };
	struct jsn j = jsn_of(SPAN("{\"name\":\"/a\",\"x\":\"1:2\"}"));
	const struct tagset *set = tags_read(&all, &j);
	static const char *const taken[][2] = { { "name:/a", "x:1:2" },
		{ "x:1:2", "x:1:2" }, { "none:", "name:/a" } };
	static const char *const refused[][2] = { { "name:/a", "x:1" },
		{ "x:12", "x:1:2" }, { "none:1", "name:/a" },
		{ "nam:/a", "name:/a" }, { "name:", "name:/a" } };
	struct tag_filter f = { .n = 2 };
	size_t i;

	CHECK(tag_filter_takes(NULL, set));
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		memcpy(f.texts, taken[i], sizeof(taken[i]));
		CHECK(tag_filter_takes(&f, set));
	}
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		memcpy(f.texts, refused[i], sizeof(refused[i]));
		CHECK(!tag_filter_takes(&f, set));
	}
	tags_release(&all);
}

static void
refuses(void)
{
	struct groups g = { .by = { "name" } };

	CHECK(groups_of(&g, SPAN("{\"name\":")) == NULL);
	CHECK(groups_of(&g, SPAN("{\"name\":\"x\\u0000y\"}")) ==
	    groups_of(&g, SPAN("{\"name\":\"x\"}")));
	groups_release(&g);
}

int
main(void)
{
	test("series are put together by their tags, and sorted",
	    groups_by_tags);
	test("a filter takes what has all of its tags", filters);
	test("tags that are no JSON have no group, a NUL ends a value",
	    refuses);
	return tap_end();
}
