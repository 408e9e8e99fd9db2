/* SPDX-License-Identifier: MIT */
/* links: data/stream data/frame data/trail data/tags data/metric data/json base/map */
/* links: base/random */
/* links: base/buf base/mem base/die base/num base/units base/why */
#include "data/keep.c"

#include "data/stream.h"
#include "tap.h"

static const char *const lines[] = {
	"{\"metric\":\"m\",\"type\":\"Point\",\"data\":{\"time\":"
	"\"2020-01-01T00:00:01Z\",\"value\":1.50,\"tags\":{\"a\":\"b\"}}}",
	"{\"metric\":\"n\",\"type\":\"Point\",\"data\":{\"time\":"
	"\"2020-01-01T00:00:01Z\",\"value\":1e-07,\"tags\":{\"a\":\"b\"}}}\r",
	"{\"metric\":\"m\",\"type\":\"Point\",\"data\":{\"time\":"
	"\"2020-01-01T01:00:02.5+01:00\",\"value\":-0,"
	"\"tags\":{\"a\":\"b\"}}}",
	/* no frame: another member order, and metadata */
	"{\"type\":\"Point\",\"data\":{\"value\":7,\"time\":"
	"\"2020-01-01T00:00:01Z\",\"tags\":{}},\"metric\":\"m\"}",
	"{\"metric\":\"n\",\"type\":\"Point\",\"data\":{\"time\":"
	"\"2020-01-01T00:00:01Z\",\"value\":1,\"tags\":{},"
	"\"metadata\":{\"vu\":\"1\"}}}",
};

enum { LINES = sizeof(lines) / sizeof(lines[0]) };

static struct stream s;

static struct point
point_of(int i)
{
	struct line line;
	struct why why;

	CHECK(stream_read(&s, span_of(lines[i]), &line, &why) == LINE_POINT);
	return line.point;
}

/* Keep the lines first, first + step ... and compare what comes back. */
static void
check(struct keep *k, int first, int step)
{
	struct buf back = { 0 }, want = { 0 };
	struct point points[LINES];
	size_t place;
	int i, n = 0;

	for (i = first; i >= 0 && i < LINES; i += step) {
		points[n++] = point_of(i);
		buf_text(&want, lines[i]);
		buf_char(&want, '\n');
	}
	place = keep_add(k, points, n);
	(void)keep_add(k, points, n);
	stream_trim(&s, 0);	/* tails live on while they are kept */
	keep_get(k, place, &back);
	CHECK(span_equal(buf_whole(&back), buf_whole(&want)));
	buf_release(&back);
	buf_release(&want);
}

static void
unknown(void)
{
	struct keep k = { 0 };

	check(&k, 0, 1);
	CHECK(k.n == 1);	/* one shape, used twice */
	keep_release(&k);
}

static void
known(void)
{
	struct keep k = { 0 };
	int i;

	for (i = 0; i < LINES; i++)
		(void)point_of(i);
	CHECK(point_of(0).head != NULL && point_of(1).head != NULL);
	CHECK(point_of(3).head == NULL && point_of(4).head == NULL);
	check(&k, 0, 1);
	for (i = 0; i < LINES; i++)
		(void)point_of(i);
	check(&k, LINES - 1, -1);
	for (i = 0; i < LINES; i++)
		(void)point_of(i);
	check(&k, 0, 2);
	keep_release(&k);
}

int
main(void)
{
	test("lines of unknown frames come back byte for byte", unknown);
	test("known and unknown frames mixed do too", known);
	stream_release(&s);
	return tap_end();
}
