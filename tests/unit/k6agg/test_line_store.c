/* SPDX-License-Identifier: MIT */
#include "k6agg/fold/line_store.c"

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
check(struct line_store *k, int first, int step)
{
	struct buf back = { 0 }, want = { 0 };
	struct point points[LINES];
	struct line_store_set set = { 0 };
	size_t place, again;
	int i, n = 0;

	for (i = first; i >= 0 && i < LINES; i += step) {
		points[n++] = point_of(i);
		buf_text(&want, lines[i]);
		buf_char(&want, '\n');
	}
	place = line_store_add(k, &set, points, n);
	again = line_store_add(k, &set, points, n);
	stream_trim(&s, 0);	/* tails live on while they are kept */
	/* A form is made when it is told again. */
	for (i = 0; i < 4; i++) {
		buf_reset(&back);
		line_store_expect(k, place);
		line_store_get(k, i % 2 == 0 ? place : again, &back);
		CHECK(span_equal(buf_whole(&back), buf_whole(&want)));
	}
	buf_release(&back);
	buf_release(&want);
}

static void
unknown(void)
{
	struct line_store k = { 0 };

	check(&k, 0, 1);
	CHECK(k.n == 1);	/* one shape, used twice */
	line_store_release(&k);
}

static void
known(void)
{
	struct line_store k = { 0 };
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
	line_store_release(&k);
}

/* Requests as k6 writes them: one time, one tail, values of any length. */
static void
even(void)
{
	static const char *const values[] = { "1", "0.123456", "12345.678901",
		"0.1234567890123456789012345", "-1e-300" };
	enum { VALUES = sizeof(values) / sizeof(values[0]) };
	struct line_store k = { 0 };
	struct line_store_set set = { 0 }, other = { 0 };
	struct buf text[VALUES] = { 0 }, want = { 0 }, back = { 0 };
	struct point points[VALUES];
	struct line line;
	struct why why;
	size_t places[3];
	int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < VALUES; i++) {
			buf_reset(&text[i]);
			buf_printf(&text[i], "{\"metric\":\"m%d\",\"type\":"
			    "\"Point\",\"data\":{\"time\":"
			    "\"2020-01-01T00:00:0%d.%sZ\",\"value\":%s,"
			    "\"tags\":{\"a\":\"b\"}}}", i, round,
			    round == 1 ? "123456789" : "5",
			    values[(i + round) % VALUES]);
			if (round == 0)	/* its frame is learned */
				(void)stream_read(&s, buf_whole(&text[i]),
				    &line, &why);
			CHECK(stream_read(&s, buf_whole(&text[i]), &line,
			    &why) == LINE_POINT && line.point.head != NULL);
			points[i] = line.point;
			buf_span(&want, buf_whole(&text[i]));
			buf_char(&want, '\n');
		}
		places[round] = line_store_add(&k, round == 2 ? &other : &set,
		    points, VALUES);
	}
	CHECK(k.n == 2);	/* two sets, one shape in each */
	for (i = 0; i < 3; i++)
		line_store_get(&k, places[i], &back);
	CHECK(span_equal(buf_whole(&back), buf_whole(&want)));
	line_store_reset(&k);
	CHECK(k.n == 0 && k.packed.n == 0);
	for (i = 0; i < VALUES; i++)
		buf_release(&text[i]);
	buf_release(&want);
	buf_release(&back);
	line_store_release(&k);
}

/* Whoever copies in whole steps writes past the end: into room that is there,
 * wherever a copy ends. */
static void
copied(void)
{
	struct line_store from = { 0 }, k = { 0 };
	struct line_store_set set = { 0 }, other = { 0 };
	struct buf back = { 0 }, want = { 0 };
	struct point points[LINES];
	size_t places[LINES], place;
	int i, n;

	for (i = 0; i < LINES; i++)
		points[i] = point_of(i);
	for (n = 0; n < LINES; n++)
		places[n] = line_store_add(&from, &set, points, n + 1);
	for (i = 0; i < 3000; i++) {
		n = i % 7 % LINES;
		place = line_store_copy(&k, &other, &from, places[n]);
		CHECK(k.packed.cap - k.packed.n >= LINE_STEP);
		buf_reset(&back);
		buf_reset(&want);
		line_store_get(&k, place, &back);
		line_store_get(&from, places[n], &want);
		CHECK(back.n > 0 && span_equal(buf_whole(&back),
		    buf_whole(&want)));
	}
	buf_release(&back);
	buf_release(&want);
	line_store_release(&from);
	line_store_release(&k);
}

int
main(void)
{
	test("lines of unknown frames come back byte for byte", unknown);
	test("known and unknown frames mixed do too", known);
	test("requests of one time are told as they were", even);
	test("what is copied to another store comes back, and has room",
	    copied);
	stream_release(&s);
	return tap_end();
}
