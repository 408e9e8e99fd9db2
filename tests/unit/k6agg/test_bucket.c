/* SPDX-License-Identifier: MIT */
#include "k6agg/fold/bucket.c"

#include "base/units.h"
#include "random.h"
#include "tap.h"

static struct tagset sets[3] = {
	{ .json = SPAN("{}"), .id = 0, .refs = 1 },
	{ .json = SPAN("{\"a\":\"\"}"), .id = 1, .refs = 1 },
	{ .json = SPAN("{\"b\":\"\"}"), .id = 2, .refs = 1 } };

static const struct fence_rule fences = { 75, 0.25, 1.5, 1.3 };

/* What came out, as text: lines as they are, aggregates as
 * <tags count min max>. */
static struct buf out;
static struct aggregate last;

static void
note_outlier(void *ctx, struct line_store *kept, size_t place)
{
	CHECK(ctx == &out);
	line_store_get(kept, place, &out);
}

static void
note_aggregate(void *ctx, const struct aggregate *a)
{
	CHECK(ctx == &out);
	buf_printf(&out, "<%u %d %lld %lld>", a->tags->id, (int)a->count,
	    (long long)a->timing[TIMING_DURATION].min_ns,
	    (long long)a->timing[TIMING_DURATION].max_ns);
	last = *a;	/* its histograms die now */
}

static const struct bucket_out to = { note_outlier, note_aggregate,
    NULL, &out };

static void
add(struct buckets *b, int64_t time_ns, int set, int64_t duration_ns,
    int64_t connecting_ns, const char *line)
{
	struct trail t = { .time_ns = time_ns, .tags = &sets[set],
	    .ns = { [TIMING_DURATION] = duration_ns,
	    [TIMING_CONNECTING] = connecting_ns }, .failed = 0 };
	struct point p = { .line = span_of(line) };

	buckets_add(b, &t, 0, &p, 1);
}

/* PROTOCOL 4's bucket example. */
static void
borders(void)
{
	const int64_t time = 1700000001234567890;
	struct buckets b = { .rule = { 3 * NS_PER_S, 1, true, fences } };

	buf_reset(&out);
	add(&b, time, 0, 5, 0, "x");
	CHECK(b.open[0]->id == 566666667);
	buckets_close(&b, 1700000006 * NS_PER_S - 1, 5 * NS_PER_S, &to);
	CHECK(out.n == 0 && b.n == 1);
	buckets_close(&b, 1700000006 * NS_PER_S, 5 * NS_PER_S, &to);
	CHECK_BUF(out, "<0 1 5 5>");
	CHECK(last.time_ns == INT64_C(1700000002500000000));
	CHECK(last.period_ns == 3 * NS_PER_S);
	CHECK(b.requests == 1 && b.folded == 1 && b.aggregates == 1);
	buckets_release(&b);
	b.rule.period_ns = 5 * NS_PER_S;
	add(&b, time, 0, 5, 0, "x");
	CHECK(b.open[0]->id == 340000000);
	buckets_close_all(&b, &to);
	CHECK(last.time_ns == INT64_C(1700000002500000000));
	buckets_release(&b);
}

/* PROTOCOL 4, row 1 of the fences: 95 ms is an outlier. */
static void
outlier(void)
{
	struct buckets b = { .rule = { NS_PER_S, 26, false, fences } };
	int i;

	buf_reset(&out);
	add(&b, 1, 0, 95 * NS_PER_MS, 0, "slow");
	for (i = 34; i >= 10; i--)
		add(&b, i, 0, i * NS_PER_MS, 0, "fast");
	buckets_close_all(&b, &to);
	CHECK_BUF(out, "slow\n<0 25 10000000 34000000>");
	CHECK(fold_avg_ms(&last.timing[TIMING_DURATION], last.count) == 22);
	CHECK(b.folded == 25 && b.passed == 1 && b.requests == 26);
	/* skip_outliers folds it too */
	buf_reset(&out);
	b.rule.skip_outliers = true;
	add(&b, NS_PER_S, 0, 95 * NS_PER_MS, 0, "slow");
	for (i = 34; i >= 10; i--)
		add(&b, NS_PER_S, 0, i * NS_PER_MS, 0, "fast");
	buckets_close_all(&b, &to);
	CHECK_BUF(out, "<0 26 10000000 95000000>");
	buckets_release(&b);
}

static void
connections(void)
{
	struct buckets b = { .rule = { NS_PER_S, 2, false, fences } };
	int i;

	buf_reset(&out);
	for (i = 0; i < 9; i++)
		add(&b, i, 0, 100, i == 4 ? 5 : 0, i == 4 ? "new" : "");
	buckets_close_all(&b, &to);
	CHECK_BUF(out, "new\n<0 8 100 100>");
	buckets_release(&b);
}

static void
few(void)
{
	struct buckets b = { .rule = { NS_PER_S, 3, false, fences } };

	buf_reset(&out);
	add(&b, 0, 1, 1, 0, "a1");
	add(&b, 0, 0, 1, 0, "b1");
	add(&b, 0, 1, 1, 0, "a2");
	add(&b, 0, 0, 1, 0, "b2");
	add(&b, 0, 0, 1, 0, "b3");
	buckets_close_all(&b, &to);
	CHECK_BUF(out, "a1\na2\n<0 3 1 1>");
	CHECK(b.passed == 2 && b.folded == 3);
	buckets_release(&b);
}

static void
order_and_lateness(void)
{
	struct buckets b = { .rule = { 10, 1, true, fences } };

	buf_reset(&out);
	add(&b, 35, 0, 3, 0, "");
	add(&b, 5, 0, 1, 0, "");
	add(&b, 25, 0, 2, 0, "");
	add(&b, 9, 0, 1, 0, "");
	buckets_close(&b, 29, 0, &to);		/* those of 0 and 20 */
	CHECK_BUF(out, "<0 2 1 1><0 1 2 2>");
	CHECK(b.n == 1 && b.late == 0);
	add(&b, 19, 0, 7, 0, "");		/* behind 20: late */
	add(&b, 29, 0, 8, 0, "");
	add(&b, 30, 0, 3, 0, "");
	CHECK(b.late == 2);
	buf_reset(&out);
	buckets_close_all(&b, &to);
	CHECK_BUF(out, "<0 1 7 7><0 1 8 8><0 2 3 3>");
	CHECK(b.requests == 7 && b.folded == 7 && b.aggregates == 5);
	buckets_close_all(&b, &to);
	buckets_close(&b, INT64_MAX, 0, &to);
	buckets_release(&b);
	buckets_release(&b);
	CHECK(b.rule.period_ns == 10);
}

static void
extremes(void)
{
	struct buckets b = { .rule = { 3600 * NS_PER_S, 1, true, fences } };

	buf_reset(&out);
	add(&b, INT64_MAX, 0, 1, 0, "");
	add(&b, INT64_MIN, 0, 2, 0, "");
	buckets_close(&b, INT64_MIN, 5 * NS_PER_S, &to);
	CHECK(out.n == 0);
	buckets_close_all(&b, &to);
	CHECK_BUF(out, "<0 1 2 2><0 1 1 1>");
	CHECK(last.time_ns > INT64_MAX - 3600 * NS_PER_S);
	buckets_release(&b);
}

static bool
is_of_stream_2(void *ctx, int64_t middle_ns, const struct tagset *tags,
    uint32_t source)
{
	CHECK(ctx == &out && middle_ns == NS_PER_S / 2 && tags == &sets[1]);
	return source == 2;
}

/* What was an outlier passes, and is no part of the fences and counts. */
static void
known_outliers(void)
{
	const struct bucket_out out_2 = { note_outlier, note_aggregate,
	    is_of_stream_2, &out };
	struct buckets b = { .rule = { NS_PER_S, 3, false, fences } };
	struct trail t = { .tags = &sets[1], .failed = 0 };
	struct point o = { .line = SPAN("o") }, r = { .line = SPAN("r") };
	int i;

	buf_reset(&out);
	for (i = 0; i < 6; i++) {
		t.ns[TIMING_DURATION] = i % 2 == 0 ? 10 : 10000;
		buckets_add(&b, &t, i % 2 == 0 ? 1 : 2, &o, 1);
	}
	buckets_close_all(&b, &out_2);
	CHECK_BUF(out, "o\no\no\n<1 3 10 10>");
	CHECK(b.folded == 3 && b.passed == 3);
	buf_reset(&out);
	buckets_add(&b, &t, 1, &r, 1);
	buckets_add(&b, &t, 2, &o, 1);
	buckets_add(&b, &t, 1, &r, 1);
	buckets_close_all(&b, &out_2);
	CHECK_BUF(out, "o\nr\nr\n");	/* two are too few to fold */
	buckets_release(&b);
}

/* Past so many tag sets in open buckets the rest is one aggregate. */
static void
overflow(void)
{
	struct buckets b = { .rule = { NS_PER_S, 3, false, fences },
	    .max_groups = 1 };

	buf_reset(&out);
	add(&b, 0, 0, 10, 0, "a");
	add(&b, 0, 1, 20, 0, "b");
	add(&b, 0, 0, 10, 0, "c");
	add(&b, 0, 2, 90, 0, "d");
	add(&b, NS_PER_S, 1, 30, 0, "e");
	buckets_close_all(&b, &to);
	/* Folded though they are few; all open buckets share the places. */
	CHECK_BUF(out, "a\nc\n<0 2 20 90><0 1 30 30>");
	CHECK_SPAN(last.tags->json, "{\"name\":\"__other__\"}");
	CHECK(last.time_ns == NS_PER_S * 3 / 2 && last.period_ns == NS_PER_S);
	CHECK(b.overflowed == 3 && b.folded == 3 && b.passed == 2 &&
	    b.requests == 5);
	/* Closed, they are free again. */
	buf_reset(&out);
	add(&b, 3 * NS_PER_S, 2, 40, 0, "f");
	buckets_close_all(&b, &to);
	CHECK_BUF(out, "f\n");
	buckets_release(&b);
}

/* Every request is folded or passed, once, by the rules and nothing else. */
static void
books(void)
{
	struct buckets b = { 0 };
	struct point x = { .line = SPAN("x") };
	struct trail trails[300];
	int64_t sums[3] = { 0 }, values[300], connections_ns[300];
	struct fence f, c;
	size_t i, k, n, want_passed;
	int round;

	for (round = 0; round < 500; round++) {
		b.rule = (struct bucket_rule){ 100, (int64_t)
		    random_below(120), random_below(5) == 0, { (int64_t)
		    random_below(120), random_real() * 0.6, random_real() *
		    3, random_real() * 3 } };
		n = 1 + random_below(300);
		for (i = 0; i < n; i++) {
			trails[i] = (struct trail){ .time_ns = 50,
			    .tags = &sets[random_below(3)], .failed = -1 };
			trails[i].ns[TIMING_DURATION] = (int64_t)
			    random_below(random_below(9) ? 50 : 5000);
			trails[i].ns[TIMING_TLS_HANDSHAKING] =
			    random_below(9) ? 0 : (int64_t)random_below(9);
			buckets_add(&b, &trails[i], 0, &x, 1);
		}
		want_passed = 0;
		for (k = 0; k < 3; k++) {
			size_t m = 0;

			for (i = 0; i < n; i++)
				if (trails[i].tags == &sets[k]) {
					values[m] = trails[i].ns[0];
					connections_ns[m++] =
					    trail_connection_ns(&trails[i]);
				}
			sums[k] = (int64_t)m;
			if (m == 0)
				continue;
			f = fence_of(&b.rule.fence, values, m);
			c = fence_of(&b.rule.fence, connections_ns, m);
			for (i = 0; i < n; i++)
				if (trails[i].tags == &sets[k] && (sums[k] <
				    b.rule.min_samples ||
				    (!b.rule.skip_outliers &&
				    (!fence_holds(&f, trails[i].ns[0]) ||
				    !fence_holds(&c,
				    trail_connection_ns(&trails[i]))))))
					want_passed++;
		}
		buf_reset(&out);
		buckets_close_all(&b, &to);
		if (b.passed != want_passed || b.folded + b.passed != n)
			CHECK(false);
		for (i = k = 0; i < out.n; i++)
			k += out.p[i] == 'x';
		if (k != b.passed)
			CHECK(false);
		buckets_release(&b);
	}
	CHECK(true);
}

/* A reader that forgot its tag sets meets one again at another address. */
static void
forgotten(void)
{
	struct buckets b = { .rule = { NS_PER_S, 1, true, fences } };
	struct tagset again = sets[1];

	buf_reset(&out);
	add(&b, 0, 1, 1, 0, "x");
	again.refs = 1;
	buckets_add(&b, &(struct trail){ .tags = &again, .failed = -1 },
	    0, &(struct point){ .line = SPAN("y") }, 1);
	add(&b, 0, 1, 3, 0, "z");
	CHECK(sets[1].refs == 2);	/* held while the bucket is open */
	buckets_close_all(&b, &to);
	CHECK_BUF(out, "<1 3 0 3>");
	CHECK(sets[1].refs == 1 && again.refs == 1);
	buckets_release(&b);
}

int
main(void)
{
	test("equal tag sets at two addresses are one group", forgotten);
	test("a bucket is due so long after it began", borders);
	test("an outlier passes, the others fold", outlier);
	test("a new connection among reused ones is an outlier",
	    connections);
	test("fewer than min_samples pass as they are, by tag set", few);
	test("buckets close oldest first, and count who comes late",
	    order_and_lateness);
	test("times at the ends of the range have a bucket", extremes);
	test("each request is folded or passed, never both", books);
	test("past the most open tag sets the rest is one", overflow);
	test("what an earlier folding let pass stays outside", known_outliers);
	buf_release(&out);
	return tap_end();
}
