/* SPDX-License-Identifier: MIT */
/* Samples are printed as k6 writes them, and read back the same. */
#include "data/sample.c"

#include <math.h>
#include <stdlib.h>

#include "data/sample_fixture.h"
#include "random.h"

/* The lines of PROTOCOL 3.3. */
static void
point(void)
{
	struct sample s = { .kind = SAMPLE_POINT, .metric = SPAN("vus"),
	    .type = METRIC_GAUGE, .time_ns = NS_T + 999, .value = 999,
	    .tags = tagged("{\"aaa\":\"bbb\",\"ccc\":\"123\"}") };
	struct buf b = { 0 };

	sample_print(&s, false, &b);
	CHECK_BUF(b, vus_line);
	CHECK(sample_points(&s) == 1 && sample_requests(&s) == 0);
	same(vus_line);
	CHECK(got.time_ns == NS_T && got.value == 999);
	CHECK(got.tags == s.tags && got.type == METRIC_GAUGE);
	s.metric = SPAN("http_reqs");
	s.value = 3;
	CHECK(sample_requests(&s) == 3);
	s.value = 1e300;
	CHECK(sample_requests(&s) == 0);
	buf_release(&b);
}

static void
net(void)
{
	struct net_trail t = { NS_T, tagged("{\"test\":\"mest\"}"),
	    { 1234.5, 6789.1, 10000, 1 }, 3 };
	struct sample s = { .kind = SAMPLE_NET, .net = &t };
	struct buf b = { 0 };

	sample_print(&s, false, &b);
	CHECK_BUF(b, "{\"type\":\"Points\",\"metric\":\"iter_li_all\","
	    "\"data\":{\"time\":\"" T "\",\"type\":\"counter\",\"tags\":{"
	    "\"test\":\"mest\"},\"values\":{\"data_sent\":1234.5,"
	    "\"data_received\":6789.1,\"iteration_duration\":10000}}}");
	CHECK(sample_points(&s) == 3);
	same(b.p);
	CHECK(got.kind == SAMPLE_NET && got_net.n == 3);
	/* in k6's example the values stand in another order */
	CHECK(read_body("[{\"type\":\"Points\",\"metric\":\"iter_li_all\","
	    "\"data\":{\"time\":\"" T "\",\"type\":\"counter\",\"tags\":{"
	    "\"test\":\"mest\"},\"values\":{\"data_received\":6789.1,"
	    "\"data_sent\":1234.5,\"iteration_duration\":10000}}}]") == 0);
	CHECK(span_equal((struct span){ again.p, again.n },
	    (struct span){ b.p, b.n }));
	buf_release(&b);
}

static void
trail(void)
{
	struct trail t = request;
	struct sample s = { .kind = SAMPLE_TRAIL, .trail = &t };
	struct buf b = { 0 };
	int i;

	t.tags = tagged("{}");
	sample_print(&s, false, &b);
	CHECK_BUF(b, "{\"type\":\"Points\",\"metric\":\"http_req_li_all\","
	    "\"data\":{\"time\":\"" T "\",\"type\":\"counter\",\"values\":{"
	    "\"http_reqs\":1,\"http_req_duration\":0.123,"
	    "\"http_req_blocked\":0.001,\"http_req_connecting\":0.002,"
	    "\"http_req_tls_handshaking\":0.003,\"http_req_sending\":0.004,"
	    "\"http_req_waiting\":0.005,\"http_req_receiving\":0.006,"
	    "\"http_req_failed\":0}}}");
	CHECK(sample_points(&s) == 9 && sample_requests(&s) == 1);
	same(b.p);
	for (i = 0; i < TIMINGS; i++)
		CHECK(got_trail.ns[i] == request.ns[i]);
	CHECK(got_trail.failed == 0 && got_trail.tags == t.tags);
	CHECK(read_body("[{\"type\":\"Points\",\"metric\":"
	    "\"http_req_li_all\",\"data\":{\"time\":\"" T "\",\"type\":"
	    "\"counter\",\"values\":{\"http_req_blocked\":0.001,"
	    "\"http_req_connecting\":0.002,\"http_req_duration\":0.123,"
	    "\"http_req_failed\":0,\"http_req_receiving\":0.006,"
	    "\"http_req_sending\":0.004,\"http_req_tls_handshaking\":0.003,"
	    "\"http_req_waiting\":0.005,\"http_reqs\":1}}}]") == 0);
	CHECK(span_equal((struct span){ again.p, again.n },
	    (struct span){ b.p, b.n }));
	t.tags = tagged("{\"a\":\"<\\u2028\"}");
	t.failed = -1;
	buf_reset(&b);
	sample_print(&s, false, &b);
	CHECK(strstr(b.p, "failed") == NULL && sample_points(&s) == 8);
	same(b.p);
	CHECK(got_trail.failed == -1);
	buf_release(&b);
}

static void
aggregated(void)
{
	struct trail a = request, b = { NS_T, NULL, { 13000, 3000, 1000,
	    4000, 5000, 8000, 8000 }, -1 };
	struct aggregate sum = { .time_ns = NS_T, .tags =
	    tagged("{\"test\":\"mest\"}") };
	struct sample s = { .kind = SAMPLE_AGGREGATE, .aggregate = &sum };
	struct buf out = { 0 };

	fold(&sum, &a);
	fold(&sum, &b);
	sample_print(&s, false, &out);
	CHECK_BUF(out, "{\"type\":\"AggregatedPoints\",\"metric\":"
	    "\"http_req_li_all\",\"data\":{\"time\":\"" T "\",\"type\":"
	    "\"aggregated_trend\",\"count\":2,\"tags\":{\"test\":\"mest\"},"
	    "\"values\":{\"http_req_duration\":{\"min\":0.013,\"max\":0.123,"
	    "\"avg\":0.068},\"http_req_blocked\":{\"min\":0.001,\"max\":"
	    "0.003,\"avg\":0.002},\"http_req_connecting\":{\"min\":0.001,"
	    "\"max\":0.002,\"avg\":0.0015},\"http_req_tls_handshaking\":{"
	    "\"min\":0.003,\"max\":0.004,\"avg\":0.0035},"
	    "\"http_req_sending\":{\"min\":0.004,\"max\":0.005,\"avg\":"
	    "0.0045},\"http_req_waiting\":{\"min\":0.005,\"max\":0.008,"
	    "\"avg\":0.0065},\"http_req_receiving\":{\"min\":0.006,\"max\":"
	    "0.008,\"avg\":0.007},\"http_req_failed\":{\"count\":1,"
	    "\"nz_count\":0}}}}");
	CHECK(sample_points(&s) == 17 && sample_requests(&s) == 2);
	same(out.p);
	sum.period_ns = 3 * NS_PER_S;
	buf_reset(&out);
	sample_print(&s, true, &out);
	CHECK(strstr(out.p, "\"period\":\"3s\"") != NULL);
	CHECK(strstr(out.p, "\"hist\":{\"sum\":0.136,") != NULL);
	same(out.p);
	buf_release(&out);
	aggregate_release(&sum);
}

/* True minima, where k6 forgets leading zeros (PROTOCOL 4, a table). */
static void
minima(void)
{
	static const int64_t rows[][6] = { { 0, 5, 3, -1, 0, 5 },
		{ 5, 0, 3, -1, 0, 5 }, { 0, 0, 0, 7, 0, 7 },
		{ 4, 0, 0, -1, 0, 4 } };
	static const double avg[] = { 8.0 / 3, 8.0 / 3, 1.75, 4.0 / 3 };
	struct aggregate a = { 0 };
	struct trail t = { .failed = 1 };
	size_t i, k;

	for (i = 0; i < 4; i++) {
		for (k = 0; k < 4 && rows[i][k] >= 0; k++) {
			t.ns[TIMING_WAITING] = rows[i][k];
			fold(&a, &t);
		}
		CHECK(a.timing[TIMING_WAITING].min_ns == rows[i][4]);
		CHECK(a.timing[TIMING_WAITING].max_ns == rows[i][5]);
		CHECK(fabs(fold_avg_ms(&a.timing[TIMING_WAITING], a.count) *
		    1e6 - avg[i]) < 1e-9);
		CHECK(a.failed_count == k && a.failed_nonzero == k);
		aggregate_release(&a);
	}
}

static void
random_trips(void)
{
	struct aggregate sum = { 0 };
	struct sample s = { .kind = SAMPLE_AGGREGATE, .aggregate = &sum };
	struct buf out = { 0 };
	struct trail t;
	int i, k, round;

	for (round = 0; round < 100; round++) {
		sum = (struct aggregate){ .tags = tagged("{}"), .time_ns =
		    (int64_t)random_below(1U << 30) * NS_PER_US,
		    .period_ns = (int64_t)random_below(100) * NS_PER_MS };
		for (k = 1 + (int)random_below(200); k > 0; k--) {
			for (i = 0; i < TIMINGS; i++)
				t.ns[i] = random_below(3) ? 0 : (int64_t)
				    random_below(UINT64_C(1) <<
				    (1 + random_below(50)));
			t.failed = (int)random_below(3) - 1;
			fold(&sum, &t);
		}
		buf_reset(&out);
		sample_print(&s, true, &out);
		same(out.p);
		aggregate_release(&sum);
	}
	buf_release(&out);
}

static int
merge_into(void *ctx, const struct sample *s)
{
	aggregate_merge(ctx, s->aggregate);
	return 0;
}

/* Fold shuffled requests in parts, write and read each part, and merge them:
 * as text. */
static struct buf
folded_in_parts(const double *ms, size_t n)
{
	enum { PARTS = 4 };
	struct aggregate parts[PARTS] = { 0 }, all = { 0 };
	struct sample s = { .kind = SAMPLE_AGGREGATE };
	struct buf text = { 0 };
	struct trail t = { .failed = 0 };
	struct span tags_json = SPAN("{}");
	struct jsn j = jsn_of(tags_json);
	const struct tagset *set = tags_read(&tags, &j);
	size_t i;
	int k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < TIMINGS; k++)
			(void)num_ms_to_ns(ms[i] * (k + 1), &t.ns[k]);
		fold(&parts[i < PARTS ? i : random_below(PARTS)], &t);
	}
	for (i = 0; i < PARTS; i++) {
		parts[i].time_ns = NS_T;
		parts[i].tags = set;
		s.aggregate = &parts[i];
		buf_reset(&text);
		buf_char(&text, '[');
		sample_print(&s, true, &text);
		buf_char(&text, ']');
		if (i == 0)
			all = parts[0];
		else
			CHECK(sample_parse_all(buf_whole(&text), &tags,
			    merge_into, &all, &why) == 0);
		if (i > 0)
			aggregate_release(&parts[i]);
	}
	buf_reset(&text);
	s.aggregate = &all;
	sample_print(&s, true, &text);
	aggregate_release(&all);
	return text;
}

static void
exact_sums(void)
{
	enum { N = 300, SHUFFLES = 100 };
	struct buf want, text;
	double ms[N];
	int i, round;

	for (i = 0; i < N; i++)
		ms[i] = (double)(random_bits() >> (20 + i % 30)) / 1e6;
	want = folded_in_parts(ms, N);
	for (round = 0; round < SHUFFLES; round++) {
		random_shuffle(ms, N);
		text = folded_in_parts(ms, N);
		CHECK(span_equal(buf_whole(&text), buf_whole(&want)));
		buf_release(&text);
	}
	buf_release(&want);
}

/* Past the whole numbers that a double holds, too. */
static void
large_sum(void)
{
	same("{\"type\":\"AggregatedPoints\",\"metric\":\"http_req_li_all\","
	    "\"data\":{\"time\":\"" T "\",\"type\":\"aggregated_trend\","
	    "\"count\":1,\"tags\":{},\"values\":{"
#define TIMING(name) "\"http_req_" name "\":{\"min\":0,\"max\":0,\"avg\":" \
	"9223372036854.775,\"hist\":{\"sum\":9223372036854.775807," \
	"\"counters\":[1],\"spans\":[0,1]}}"
	    TIMING("duration") "," TIMING("blocked") "," TIMING("connecting")
	    "," TIMING("tls_handshaking") "," TIMING("sending") ","
	    TIMING("waiting") "," TIMING("receiving") "}}}");
}

int
main(void)
{
	test("a point goes out and comes in as k6 writes it", point);
	test("so does an iteration", net);
	test("so does a request", trail);
	test("so do folded requests, with and without histograms",
	    aggregated);
	test("minima are true, also of leading zeros", minima);
	test("random aggregates with histograms read back exactly",
	    random_trips);
	test("the sum of folded requests is the same in any order and parts",
	    exact_sums);
	test("a sum is read exactly, of whatever size", large_sum);
	return sample_tests_end();
}
