/* SPDX-License-Identifier: MIT */
#include "k6agg/fold/aggregates.c"

#include "tap.h"

static struct tags tags;
static struct hist_tally tally;

static const struct tagset *
set_of(const char *name)
{
	struct tag tag = { SPAN("name"), span_of(name) };

	return tags_intern(&tags, &tag, 1);
}

/* n requests of so many ms each, in the bucket around time_ns. */
static struct aggregate
made_of(int64_t time_ns, const char *name, int n, int ms)
{
	struct aggregate a = { .time_ns = time_ns, .period_ns = 2,
	    .tags = set_of(name) };
	struct trail t = { .failed = ms > 50 };
	int i;

	for (i = 0; i < TIMINGS; i++)
		t.ns[i] = ms * INT64_C(1000000);
	for (i = 0; i < n; i++)
		aggregate_add_all(&a, (const struct trail *const[]){ &t }, 1,
		    &tally);
	return a;
}

static void
add(struct aggregates *as, struct aggregate a, uint32_t source)
{
	aggregates_add(as, &a, source);
	aggregate_release(&a);
}

static struct buf told;

static void
tell(void *ctx, const struct aggregate *a)
{
	const struct fold *f = &a->timing[TIMING_WAITING];

	(void)ctx;
	buf_printf(&told, "%lld %.*s %llu/%llu %lld-%lld sum %lld hist %llu\n",
	    (long long)a->time_ns, (int)a->tags->tags[0].value.n,
	    a->tags->tags[0].value.p, (unsigned long long)a->failed_nonzero,
	    (unsigned long long)a->count, (long long)(f->min_ns / 1000000),
	    (long long)(f->max_ns / 1000000),
	    (long long)(f->sum_ns / 1000000),
	    (unsigned long long)hist_count(&f->hist));
}

static void
merges(void)
{
	struct aggregates as = { 0 };

	add(&as, made_of(7, "b", 2, 100), 1);
	add(&as, made_of(5, "b", 3, 10), 0);
	add(&as, made_of(5, "a", 1, 20), 0);
	add(&as, made_of(5, "b", 1, 70), 1);
	add(&as, made_of(5, "b", 1, 5), 1);
	buf_reset(&told);
	aggregates_each(&as, tell, NULL);
	CHECK_BUF(told, "5 a 0/1 20-20 sum 20 hist 1\n"
	    "5 b 1/5 5-70 sum 105 hist 5\n7 b 2/2 100-100 sum 200 hist 2\n");
	CHECK(aggregates_has(&as, 5, 2, set_of("a"), 0));
	CHECK(!aggregates_has(&as, 5, 2, set_of("a"), 1));
	CHECK(aggregates_has(&as, 5, 2, set_of("b"), 1));
	CHECK(!aggregates_has(&as, 5, 3, set_of("b"), 1));
	CHECK(!aggregates_has(&as, 6, 2, set_of("b"), 1));
	aggregates_release(&as);
	CHECK(as.n == 0);
}

static void
without_histogram(void)
{
	struct aggregates as = { 0 };
	struct aggregate bare = made_of(5, "a", 4, 3);
	int i;

	for (i = 0; i < TIMINGS; i++)
		hist_release(&bare.timing[i].hist);
	add(&as, made_of(5, "a", 2, 1), 0);
	add(&as, bare, 1);
	add(&as, made_of(5, "a", 1, 1), 2);
	buf_reset(&told);
	aggregates_each(&as, tell, NULL);
	CHECK_BUF(told, "5 a 0/7 1-3 sum 15 hist 0\n");
	aggregates_release(&as);
}

static void
nothing(void)
{
	struct aggregates as = { 0 };

	buf_reset(&told);
	aggregates_each(&as, tell, NULL);
	CHECK(told.n == 0);
	aggregates_release(&as);
}

int
main(void)
{
	test("same time, period and tags merge, in order of time", merges);
	test("no histogram is better than half of one", without_histogram);
	test("none gives none", nothing);
	tags_release(&tags);
	buf_release(&told);
	return tap_end();
}
