/* SPDX-License-Identifier: MIT */
/* v2 FILE: points per CPU second of protocol 2's stages, on one core: collect
 * alone, collect with encoding and snappy of points that are in memory, and
 * all from the text of the file. Medians of five rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/units.h"
#include "k6push/read/timeseries.h"
#include "io/snap.h"

enum { ROUNDS = 5 };

static struct stream stream;
static struct point *points;
static size_t n_points, cap_points;

static double
cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
collect(struct timeseries *t, const struct point *p)
{
	sink_add(timeseries_sink(t, p->metric, p->tags, p->time_ns), p->value,
	    p->time_ns);
}

/* Encode and compress all; returns the bytes on the wire. */
static size_t
finish(struct timeseries *t, bool is_wire)
{
	struct timeseries_taken taken;
	struct pb_out message = { 0 };
	struct buf body = { 0 };
	size_t bytes;

	timeseries_take(t, INT64_MAX, 0, SIZE_MAX, &taken);
	if (is_wire) {
		metricset_encode(&(struct metricset){ SPAN("1"), 3,
		    taken.series, taken.n }, &message);
		snap_pack(pb_whole(&message), &body);
	}
	bytes = body.n;
	timeseries_taken_release(&taken);
	pb_release(&message);
	buf_release(&body);
	timeseries_release(t);
	return bytes;
}

static double
round_of_memory(bool is_wire)
{
	struct timeseries t = { .period_ns = 3 * NS_PER_S };
	double start = cpu_s();
	size_t i;

	for (i = 0; i < n_points; i++)
		collect(&t, &points[i]);
	(void)finish(&t, is_wire);
	return cpu_s() - start;
}

/* Read all lines; keep the points, or collect them. */
static void
read_lines(struct span text, struct timeseries *t)
{
	const char *p = text.p, *end = p + text.n, *newline;
	struct line line;
	struct why why;

	for (; p < end && (newline = memchr(p, '\n', (size_t)(end - p))) !=
	    NULL; p = newline + 1) {
		if (stream_read(&stream, (struct span){ p,
		    (size_t)(newline - p) }, &line, &why) != LINE_POINT)
			continue;
		if (t != NULL) {
			collect(t, &line.point);
			continue;
		}
		points = xgrow(points, n_points, &cap_points,
		    sizeof(*points));
		points[n_points++] = line.point;
	}
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
tell(const char *name, double seconds[ROUNDS])
{
	qsort(seconds, ROUNDS, sizeof(seconds[0]), by_value);
	printf("%-34s %12.0f points/s\n", name,
	    (double)n_points / seconds[ROUNDS / 2]);
}

int
main(int argc, char **argv)
{
	struct timeseries t = { .period_ns = 3 * NS_PER_S };
	double seconds[ROUNDS], start;
	struct buf text = { 0 };
	struct why why;
	int i;

	if (argc != 2 || file_read(argv[1], SIZE_MAX / 2, &text, &why) != 0)
		return 1;
	read_lines(buf_whole(&text), NULL);
	for (i = 0; i < ROUNDS; i++)
		seconds[i] = round_of_memory(false);
	tell("collect", seconds);
	for (i = 0; i < ROUNDS; i++)
		seconds[i] = round_of_memory(true);
	tell("collect, encode, snappy", seconds);
	for (i = 0; i < ROUNDS; i++) {
		start = cpu_s();
		read_lines(buf_whole(&text), &t);
		(void)finish(&t, true);
		seconds[i] = cpu_s() - start;
		t = (struct timeseries){ .period_ns = 3 * NS_PER_S };
	}
	tell("NDJSON to the wire", seconds);
	return 0;
}
