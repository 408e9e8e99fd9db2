/* SPDX-License-Identifier: MIT */
/* sample_fixture: samples that are read from JSON, and printed again. */
#ifndef K6PIPE_TESTS_SAMPLE_FIXTURE_H
#define K6PIPE_TESTS_SAMPLE_FIXTURE_H

#include "data/sample.h"

#include "tap.h"

#define NS_T INT64_C(1700000002500000000)
#define T "1700000002500000"

static struct tags tags;
static struct why why;

/* Each sample that is read is printed again. */
static struct buf again;
static struct sample got;
static struct trail got_trail;
static struct net_trail got_net;

static inline int
note(void *ctx, const struct sample *s)
{
	CHECK(ctx == &got);
	if (again.n > 0)
		buf_char(&again, ',');
	sample_print(s, true, &again);
	got = *s;
	got_trail = *s->trail;
	got_net = *s->net;
	return 0;
}

static inline int
read_body(const char *body)
{
	buf_reset(&again);
	why.text[0] = '\0';
	return sample_parse_all(span_of(body), &tags, note, &got, &why);
}

/* Reading the one sample and printing it gives the same text. */
static inline void
same(const char *json)
{
	struct buf body = { 0 };

	buf_printf(&body, "[%s]", json);
	CHECK(read_body(body.p) == 0);
	CHECK_TEXT(why.text, "");
	CHECK_BUF(again, json);
	buf_release(&body);
}

static inline const struct tagset *
tagged(const char *json)
{
	struct jsn j = jsn_of(span_of(json));

	return tags_read(&tags, &j);
}

static inline void
fold(struct aggregate *a, const struct trail *t)
{
	static struct hist_tally tally;

	aggregate_add_all(a, &t, 1, &tally);
}

static const char vus_line[] = "{\"type\":\"Point\",\"metric\":\"vus\","
    "\"data\":{\"time\":\"" T "\",\"type\":\"gauge\",\"tags\":{\"aaa\":"
    "\"bbb\",\"ccc\":\"123\"},\"value\":999}}";

/* [T] with its durations in microseconds, no tags, not failed. */
static const struct trail request = { NS_T, NULL, { 123000, 1000, 2000,
    3000, 4000, 5000, 6000 }, 0 };

static inline int
sample_tests_end(void)
{
	buf_release(&again);
	tags_release(&tags);
	return tap_end();
}

#endif
