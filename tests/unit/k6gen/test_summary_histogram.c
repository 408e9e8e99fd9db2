/* SPDX-License-Identifier: MIT */
#include "k6gen/report/summary_histogram.h"

#include <stdlib.h>

#include "tap.h"

/* The counts of the rows, "<= 200us" first: "2 0 1 ". */
static void
check_rows(const double *ms, size_t n, const char *first, const char *counts)
{
	struct sink s = { .type = METRIC_TREND };
	struct buf out = { 0 }, got = { 0 };
	const char *row;
	size_t i;

	for (i = 0; i < n; i++)
		sink_add(&s, ms[i], 0);
	summary_print_histogram(&s, &out);
	row = n > 0 ? strstr(out.p, "<= ") : NULL;
	CHECK((row != NULL) == (n > 0));
	CHECK(row == NULL || strncmp(row + 3, first, strlen(first)) == 0);
	for (; row != NULL; row = strstr(row + 1, "<= "))
		buf_printf(&got, "%ld ", strtol(row + 3 +
		    strcspn(row + 3, " "), NULL, 10));
	CHECK_SPAN(buf_whole(&got), counts);
	buf_release(&got);
	buf_release(&out);
	sink_release(&s);
}

static void
test_bounds(void)
{
	check_rows((double[]){ 0.2, 0.2 }, 2, "200µs ", "2 ");
	check_rows((double[]){ 0.2, 0.201 }, 2, "200µs ", "1 1 ");
	check_rows((double[]){ 0.0995, 0.1, 0.1005, 0.9 }, 4, "100µs ",
	    "2 1 0 1 ");
	check_rows((double[]){ 1.9, 4.9, 5.1, 60 }, 4, "2ms ", "1 1 1 0 0 1 ");
	check_rows((double[]){ 0.0001 }, 1, "1µs ", "1 ");
	check_rows((double[]){ 1e30 }, 1, "", "1 ");
	check_rows(NULL, 0, "", "");
}

int
main(void)
{
	test("each duration is counted at the first bound that it does not "
	    "pass", test_bounds);
	return tap_end();
}
