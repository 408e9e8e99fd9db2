/* SPDX-License-Identifier: MIT */
#include "data/aggregate.c"

#include "tap.h"

static struct hist_tally tally;

/* PROTOCOL 4: sequences of one timing, with minimum, maximum and average; our
 * minimum is the true one. */
static void
sequences(void)
{
	static const struct {
		int64_t ns[4];
		int n;
		int64_t min, max;
		double avg_ns;
	} rows[] = {
		{ { 0, 5, 3 }, 3, 0, 5, 8 / 3.0 },
		{ { 5, 0, 3 }, 3, 0, 5, 8 / 3.0 },
		{ { 0, 0, 0, 7 }, 4, 0, 7, 1.75 },
		{ { 4, 0, 0 }, 3, 0, 4, 4 / 3.0 },
		{ { -5, -3 }, 2, -5, 0, -4 },	/* maxima start at 0 */
	};
	struct aggregate a;
	const struct fold *f = &a.timing[TIMING_WAITING];
	struct trail trails[4], *t[4];
	size_t i;
	int k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = (struct aggregate){ 0 };
		for (k = 0; k < rows[i].n; k++) {
			trails[k] = (struct trail){ .failed = -1,
			    .ns[TIMING_WAITING] = rows[i].ns[k] };
			t[k] = &trails[k];
		}
		/* in two steps: the second goes on with the first */
		aggregate_add_all(&a, (const struct trail *const *)t, i % 2,
		    &tally);
		aggregate_add_all(&a, (const struct trail *const *)t + i % 2,
		    (size_t)rows[i].n - i % 2, &tally);
		CHECK(a.count == (uint64_t)rows[i].n && a.failed_count == 0);
		CHECK(f->min_ns == rows[i].min && f->max_ns == rows[i].max);
		CHECK(fold_avg_ms(f, a.count) * 1e6 - rows[i].avg_ns < 1e-9 &&
		    fold_avg_ms(f, a.count) * 1e6 - rows[i].avg_ns > -1e-9);
		CHECK(hist_count(&f->hist) == a.count);
		aggregate_release(&a);
	}
}

static void
failures(void)
{
	struct aggregate a = { 0 };
	int failed;

	for (failed = -1; failed <= 1; failed++)
		aggregate_add_all(&a, (const struct trail *const[]){
		    &(struct trail){ .failed = failed } }, 1, &tally);
	CHECK(a.count == 3 && a.failed_count == 2 && a.failed_nonzero == 1);
	aggregate_release(&a);
	CHECK(a.count == 0);
}

int
main(void)
{
	test("minimum, maximum and average are the sequence's", sequences);
	test("requests without a verdict do not count as failed or not",
	    failures);
	return tap_end();
}
