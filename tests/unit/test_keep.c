/* SPDX-License-Identifier: MIT */
/* links: data/stream data/trail data/tags data/metric data/json base/map */
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
	/* no series: another member order, and metadata */
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

/* Pack the lines first, first + step ... and compare what comes back. */
static void
check(int first, int step)
{
	struct buf packed = { 0 }, back = { 0 }, want = { 0 };
	struct point points[LINES];
	int i, n = 0;

	for (i = first; i >= 0 && i < LINES; i += step) {
		points[n++] = point_of(i);
		buf_text(&want, lines[i]);
		buf_char(&want, '\n');
	}
	keep_pack(&packed, points, n);
	keep_unpack(&back, (struct span){ packed.p, packed.n });
	CHECK(back.n == want.n && memcmp(back.p, want.p, want.n) == 0);
	buf_release(&packed);
	buf_release(&back);
	buf_release(&want);
}

static void
unknown(void)
{
	check(0, 1);
}

static void
known(void)
{
	CHECK(point_of(0).series != NULL && point_of(1).series != NULL);
	CHECK(point_of(3).series == NULL && point_of(4).series == NULL);
	check(0, 1);
	check(LINES - 1, -1);
	check(0, 2);
}

int
main(void)
{
	test("lines of unknown series come back byte for byte", unknown);
	test("known and unknown series mixed do too", known);
	stream_release(&s);
	return tap_end();
}
