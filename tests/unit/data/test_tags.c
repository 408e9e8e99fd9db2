/* SPDX-License-Identifier: MIT */
#include "data/tags.c"

#include "random.h"
#include "tap.h"

static struct tags tags;

static const struct tagset *
of(const char *json)
{
	struct jsn j = jsn_of(span_of(json));

	return tags_read(&tags, &j);
}

static void
canonical(void)
{
	const struct tagset *set = of("{ \"b\": \"2\", \"a\":\"1\"}");

	CHECK_SPAN(set->json, "{\"a\":\"1\",\"b\":\"2\"}");
	CHECK(set == of("{\"a\":\"1\",\"b\":\"2\"}"));
	CHECK(set == of("{\"\\u0062\":\"\\u0032\",\"\\u0061\":\"1\"}"));
	CHECK(set != of("{\"a\":\"1\",\"b\":\"3\"}"));
	CHECK(set != of("{\"a\":\"1\"}"));
	CHECK(set->n == 2 && span_is(set->tags[0].key, "a"));
	CHECK_SPAN(of("{\"ab\":\"\",\"a\":\"\",\"B\":\"\",\"\":\"\","
	    "\"\xc3\xa9\":\"\",\"_\":\"\"}")->json,
	    "{\"\":\"\",\"B\":\"\",\"_\":\"\",\"a\":\"\",\"ab\":\"\","
	    "\"\xc3\xa9\":\"\"}");
}

static void
repeated(void)
{
	CHECK(of("{\"a\":\"1\",\"b\":\"x\",\"a\":\"2\"}") ==
	    of("{\"a\":\"2\",\"b\":\"x\"}"));
	CHECK(of("{\"a\":\"1\",\"\\u0061\":\"3\",\"a\":\"1\"}") ==
	    of("{\"a\":\"1\"}"));
}

static void
empty(void)
{
	const struct tagset *none = of("{}");

	CHECK_SPAN(none->json, "{}");
	CHECK(none->n == 0 && none == of("null") && none == of(" { } "));
	CHECK(none == tags_intern(&tags, NULL, 0));
	CHECK(none != of("{\"\":\"\"}"));
}

static void
escapes(void)
{
	const struct tagset *set = of("{\"k\":\"\\u003ca\\u003e\\n\\/\\b"
	    "\\u2028\\ud83d\\ude00\\ud800\"}");

	CHECK_SPAN(set->json, "{\"k\":\"<a>\\n/\\u0008\\u2028"
	    "\xf0\x9f\x98\x80\xef\xbf\xbd\"}");
	CHECK(set == of(set->json.p == NULL ? "" : "{\"k\":\"<a>\\u000a/"
	    "\\u0008\\u2028\xf0\x9f\x98\x80\xef\xbf\xbd\"}"));
	set = of("{\"k\":\"a\\u0000b\"}");
	CHECK(set->tags[0].value.n == 3);
	CHECK_SPAN(set->json, "{\"k\":\"a\\u0000b\"}");
}

static void
refused(void)
{
	static const char *const rows[] = { "[]", "1", "\"a\"", "true", "",
		"{\"a\":1}", "{\"a\":null}", "{\"a\":{}}", "{\"a\":true}",
		"{\"a\":\"1\"", "{\"a\":\"1\",}", "nul", "{\"a\":\"\xff\"}" };
	struct jsn j;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		j = jsn_of(span_of(rows[i]));
		if (tags_read(&tags, &j) != NULL || j.error == NULL)
			CHECK_TEXT(rows[i], "refused");
	}
	CHECK(true);
}

static void
many(void)
{
	struct buf b = { 0 };
	struct jsn j;
	const struct tagset *set;
	int n, i;

	for (n = TAGS_MAX; n <= TAGS_MAX + 1; n++) {
		buf_reset(&b);
		buf_char(&b, '{');
		for (i = n; i > 0; i--)
			buf_printf(&b, "\"k%03d\":\"v\"%s", i, i > 1 ? ","
			    : "}");
		j = jsn_of((struct span){ b.p, b.n });
		set = tags_read(&tags, &j);
		CHECK((set != NULL) == (n == TAGS_MAX));
		CHECK(set == NULL || set->n == TAGS_MAX);
		CHECK(set == NULL || span_is(set->tags[0].key, "k001"));
	}
	CHECK(strcmp(j.error, "too many tags") == 0);
	buf_release(&b);
}

static void
ids(void)
{
	struct tags mine = { 0 };
	struct tag pairs[] = { { SPAN("b"), SPAN("2") },
		{ SPAN("a"), SPAN("1") }, { SPAN("b"), SPAN("3") } };
	const struct tagset *one, *two;

	one = tags_intern(&mine, pairs, 2);
	two = tags_intern(&mine, pairs, 3);
	CHECK(one->id == 0 && two->id == 1 && mine.n == 2);
	CHECK(tags_intern(&mine, pairs, 2) == one && mine.n == 2);
	CHECK_SPAN(two->json, "{\"a\":\"1\",\"b\":\"3\"}");
	CHECK(span_is(pairs[0].key, "b"));	/* left as it was */
	tags_release(&mine);
	CHECK(tags_intern(&mine, pairs, 1)->id == 0);
	tags_release(&mine);
}

static void
finds(void)
{
	const struct tagset *set = of("{\"name\":\"x\",\"status\":\"200\"}");

	CHECK_SPAN(tagset_find(set, "status")->value, "200");
	CHECK_SPAN(tagset_find(set, "name")->value, "x");
	CHECK(tagset_find(set, "stat") == NULL);
	CHECK(tagset_find(of("{}"), "name") == NULL);
}

/* The same pairs, shuffled, are the same set. */
static void
shuffles(void)
{
	char text[12][4];
	struct tag pairs[12], swap;
	const struct tagset *first;
	size_t i, k, n, n_bad = 0;
	int round;

	for (i = 0; i < 12; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%c%c",
		    (char)('a' + (int)(i % 5)), (char)('a' + (int)(i / 5)));
		pairs[i] = (struct tag){ span_of(text[i]),
		    span_of(text[i]) };
	}
	for (round = 0; round < 2000; round++) {
		n = random_below(12);
		first = tags_intern(&tags, pairs, n);
		for (i = n; i > 1; i--) {
			k = random_below(i);
			swap = pairs[i - 1];
			pairs[i - 1] = pairs[k];
			pairs[k] = swap;
		}
		n_bad += tags_intern(&tags, pairs, n) != first;
		n_bad += first->n != n;
	}
	CHECK(n_bad == 0);
}

int
main(void)
{
	test("sets are equal whatever the order and the escapes", canonical);
	test("the last of equal keys counts", repeated);
	test("null is the empty set", empty);
	test("tags are written with k6's escapes", escapes);
	test("what is no object of strings is refused", refused);
	test("256 tags are taken, 257 are not", many);
	test("sets are numbered in order of first sight", ids);
	test("a tag is found by its key", finds);
	test("shuffled pairs are the same set", shuffles);
	tags_release(&tags);
	tags_release(&tags);
	return tap_end();
}
