/* SPDX-License-Identifier: MIT */
#include "data/metricset.c"

#include <math.h>
#include <stdlib.h>

#include "hists.h"
#include "random.h"
#include "tap.h"

#define START INT64_C(1700000001)
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* PROTOCOL 5.5, encoded by k6's own code. */
static const char counter_hex[] =
    "0a0331323310031a420a09687474705f7265717310011a330a0d0a066d6574686f641203"
    "4745540a0d0a06737461747573120332303012130a110a060881e2cfaa06110000000000"
    "804640";
static const char trend_hex[] =
    "0a0331323310031a6d0a11687474705f7265715f6475726174696f6e10041a560a110a04"
    "6e616d651209687474703a2f2f782f2a410a3f0a060881e2cfaa06120201021a0508c30a"
    "10011a04087f1001299a99999999417f4030033900000000000059404133333333330369"
    "4059fca9f1d24d62503f";

static struct tags tags;
static struct why why;

static const struct tagset *
tagset(const char *json)
{
	struct jsn j = jsn_of(span_of(json));

	return tags_read(&tags, &j);
}

static struct buf
bytes_of(const char *hex)
{
	struct buf b = { 0 };
	unsigned byte;

	for (; *hex != '\0'; hex += 2) {
		(void)sscanf(hex, "%2x", &byte);
		buf_char(&b, (char)byte);
	}
	return b;
}

/* The message of one series with one value. */
static struct pb_out
encode(const char *metric, const char *tags_json, const struct sink *sink)
{
	struct metricset_value value = { START, sink };
	struct metricset_series series = { span_of(metric), sink->type,
	    tagset(tags_json), &value, 1 };
	struct metricset m = { SPAN("123"), 3, &series, 1 };
	struct pb_out out = { 0 };

	metricset_encode(&m, &out);
	return out;
}

static void
fill_sink(struct sink *s, enum metric_type type, const double *values,
    size_t n)
{
	size_t i;

	*s = (struct sink){ .type = type };
	for (i = 0; i < n; i++)
		sink_add(s, values[i], START * NS_PER_S);
}

/* Encode, and expect the bytes of hex. */
static void
check_bytes(const char *metric, const char *tags_json, struct sink *s,
    const char *hex)
{
	struct pb_out out = encode(metric, tags_json, s);
	struct buf want = bytes_of(hex);

	CHECK(span_equal(pb_whole(&out), buf_whole(&want)));
	pb_release(&out);
	buf_release(&want);
	sink_release(s);
}

static void
test_known_bytes(void)
{
	static const double counts[] = { 40, 5 }, times[] = { 200, 100,
	    200.1 };
	struct sink s;

	fill_sink(&s, METRIC_COUNTER, counts, 2);
	check_bytes("http_reqs", "{\"status\":\"200\",\"method\":\"GET\"}",
	    &s, counter_hex);
	fill_sink(&s, METRIC_TREND, times, 3);
	check_bytes("http_req_duration", "{\"name\":\"http://x/\"}", &s,
	    trend_hex);
}

/* What came out of a message. */
struct got {
	struct sample_series at;
	struct sink sink;
	int n, stop_at;
	struct buf text;
};

static int
note(void *ctx, const struct sample_series *at, const struct sink *sink)
{
	struct got *g = ctx;

	g->at = *at;
	sink_release(&g->sink);
	g->sink = (struct sink){ .type = sink->type };
	sink_merge(&g->sink, sink);
	buf_printf(&g->text, "%.*s %s %.*s %g %g\n", (int)at->metric.n,
	    at->metric.p, metric_type_name(at->type), (int)at->tags->json.n,
	    at->tags->json.p, (double)sink->count, sink_sum(sink));
	return ++g->n == g->stop_at ? 7 : 0;
}

static void
got_release(struct got *g)
{
	sink_release(&g->sink);
	buf_release(&g->text);
}

static void
test_known_values(void)
{
	struct buf bytes = bytes_of(trend_hex);
	struct metricset_head head;
	struct got g = { 0 };

	CHECK(metricset_parse(buf_whole(&bytes), &tags, &head, note, &g,
	    &why) == 0);
	CHECK_SPAN(head.run, "123");
	CHECK(head.period_s == 3 && head.skipped == 0 && g.n == 1);
	CHECK_SPAN(g.at.metric, "http_req_duration");
	CHECK_SPAN(g.at.tags->json, "{\"name\":\"http://x/\"}");
	CHECK(g.at.type == METRIC_TREND && g.at.time_ns == START * NS_PER_S);
	CHECK(g.sink.count == 3 && g.sink.min == 100 && g.sink.max == 200.1);
	CHECK(g.sink.hist.n == 2 && g.sink.hist.buckets[0].index == 1347 &&
	    g.sink.hist.buckets[0].count == 1 &&
	    g.sink.hist.buckets[1].index == 1475 &&
	    g.sink.hist.buckets[1].count == 2);
	got_release(&g);
	buf_release(&bytes);
}

/* Histograms of PROTOCOL 5.5: values, and counters and spans of the JSON. */
static void
test_histograms(void)
{
	static const struct {
		double values[8];
		size_t n;
		const char *json;
	} rows[] = {
		{ { 2, 0.01, 3 }, 3, "\"counters\":[1,1,1],\"spans\":["
		    "{\"offset\":10,\"length\":1},{\"offset\":623,"
		    "\"length\":1},{\"offset\":64,\"length\":1}]" },
		{ { 7, 8, 9, 11, 12, 11.5, 10.5 }, 7, "\"counters\":["
		    "1,1,1,1,1,1,1],\"spans\":[{\"offset\":858,\"length\":1},"
		    "{\"offset\":31,\"length\":1},{\"offset\":17,"
		    "\"length\":1},{\"offset\":23,\"length\":1},"
		    "{\"offset\":6,\"length\":1},{\"offset\":7,\"length\":1},"
		    "{\"offset\":7,\"length\":1}]" },
		{ { 0.001, 0.002, 0 }, 3, "\"counters\":[1,1,1],\"spans\":["
		    "{\"length\":3}]" },
		{ { -0.001, -0.001, -0.001 }, 3, "\"values\":[{\"time\":"
		    "\"2023-11-14T22:13:21Z\",\"sum\":-0.003,\"count\":3,"
		    "\"min_value\":-0.001,\"max_value\":-0.001,"
		    "\"extra_low_values_counter\":3,"
		    "\"min_resolution\":0.001}]" },
		{ { 1e30 }, 1, "\"extra_high_values_counter\":1" },
	};
	struct metricset_value value = { START, NULL };
	struct metricset_series series = { SPAN("t"), METRIC_TREND, NULL,
	    &value, 1 };
	struct metricset m = { SPAN("1"), 3, &series, 1 };
	struct buf out = { 0 };
	struct sink s;
	size_t i;

	series.tags = tagset("{}");
	for (i = 0; i < N_OF(rows); i++) {
		fill_sink(&s, METRIC_TREND, rows[i].values, rows[i].n);
		value.sink = &s;
		buf_reset(&out);
		metricset_print(&m, &out);
		CHECK(strstr(out.p, rows[i].json) != NULL);
		sink_release(&s);
	}
	CHECK_BUF(out, "{\"name\":\"t\",\"type\":\"METRIC_TYPE_TREND\","
	    "\"time_series\":[{\"trend_hdr_samples\":{\"values\":[{\"time\":"
	    "\"2023-11-14T22:13:21Z\",\"sum\":1e+30,\"count\":1,"
	    "\"min_value\":1e+30,\"max_value\":1e+30,"
	    "\"extra_high_values_counter\":1,\"min_resolution\":0.001}]}}]}\n");
	buf_release(&out);
}

/* Make a message of random sinks, and expect it back. */
static void
test_trips(void)
{
	struct metricset_head head;
	struct pb_out out;
	struct got g = { 0 };
	struct sink s;
	double values[50];
	size_t round, i, n;

	for (round = 0; round < 400; round++) {
		n = 1 + random_below(N_OF(values));
		for (i = 0; i < n; i++)
			values[i] = round % 4 == METRIC_RATE ?
			    (double)random_below(2) : ((double)random_below(
			    1 << 30) - 1000) / (double)(1 +
			    random_below(5000));
		fill_sink(&s, (enum metric_type)(round % 4), values, n);
		out = encode("m", "{\"a\":\"\",\"\":\"b\"}", &s);
		CHECK(metricset_parse(pb_whole(&out), &tags, &head, note, &g,
		    &why) == 0);
		CHECK(g.at.type == s.type && (s.type == METRIC_COUNTER ||
		    g.sink.count == s.count));
		CHECK(fabs(sink_sum(&g.sink) - sink_sum(&s)) <=
		    1e-9 * fabs(sink_sum(&s)));
		CHECK(s.type == METRIC_COUNTER || (g.sink.min == s.min &&
		    g.sink.max == s.max));
		CHECK(s.type != METRIC_GAUGE || g.sink.last == s.last);
		CHECK(s.type != METRIC_RATE || g.sink.nonzero == s.nonzero);
		CHECK(is_same_hist(&g.sink.hist, &s.hist));
		sink_release(&s);
		pb_release(&out);
	}
	CHECK_SPAN(g.at.tags->json, "{\"\":\"b\",\"a\":\"\"}");
	got_release(&g);
}

static void
test_series(void)
{
	static const double one[] = { 1 };
	struct sink s;
	struct metricset_value values[] = { { START, &s }, { START + 3, &s } };
	struct metricset_series series[] = {
		{ SPAN("a"), METRIC_COUNTER, tagset("{\"x\":\"1\"}"), values,
		    2 },
		{ SPAN("a"), METRIC_COUNTER, tagset("{\"x\":\"2\"}"), values,
		    1 },
		{ SPAN("b"), METRIC_COUNTER, tagset("{}"), values + 1, 1 },
		{ SPAN("b"), METRIC_COUNTER, tagset("{\"__k\":\"v\",\"ok\":"
		    "\"1\",\"test_run_id\":\"2\"}"), values, 1 },
	};
	struct metricset m = { SPAN(""), 3, series, N_OF(series) };
	struct metricset_head head;
	struct pb_out out = { 0 };
	struct got g = { 0 };

	fill_sink(&s, METRIC_COUNTER, one, 1);
	metricset_encode(&m, &out);
	CHECK(metricset_parse(pb_whole(&out), &tags, &head, note, &g,
	    &why) == 0);
	CHECK_BUF(g.text, "a counter {\"x\":\"1\"} 1 1\n"
	    "a counter {\"x\":\"1\"} 1 1\na counter {\"x\":\"2\"} 1 1\n"
	    "b counter {} 1 1\nb counter {\"ok\":\"1\"} 1 1\n");
	CHECK(g.at.time_ns == START * NS_PER_S);
	g.n = 0;
	g.stop_at = 2;
	CHECK(metricset_parse(pb_whole(&out), &tags, &head, note, &g,
	    &why) == 7 && g.n == 2);
	got_release(&g);
	pb_release(&out);
}

/* A gauge's message with these members, whatever they are. */
static void
read_gauge_of(double min, double max, double last, uint32_t count,
    double avg, struct got *g)
{
	struct metricset_head head;
	struct pb_out o = { 0 };

	pb_put_double(&o, GAUGE_AVG, avg);
	pb_put_double(&o, GAUGE_MAX, max);
	pb_put_double(&o, GAUGE_MIN, min);
	pb_put_varint(&o, GAUGE_COUNT, count);
	pb_put_double(&o, GAUGE_LAST, last);
	pb_put_message(&o, SAMPLES_VALUES, 0);
	pb_put_message(&o, metricset_wire[METRIC_GAUGE].samples, 0);
	pb_put_message(&o, METRIC_SERIES, 0);
	pb_put_varint(&o, METRIC_TYPE, 2);
	pb_put_bytes(&o, METRIC_NAME, SPAN("g"));
	pb_put_message(&o, SET_METRICS, 0);
	CHECK(metricset_parse(pb_whole(&o), &tags, &head, note, g,
	    &why) == 0);
	g->n = (int)head.skipped;
	pb_release(&o);
}

static void
test_gauges(void)
{
	struct got g = { 0 };

	read_gauge_of(9, 2, 5, 3, 4, &g);
	CHECK(g.sink.min == 2 && g.sink.max == 9 && sink_sum(&g.sink) == 12);
	read_gauge_of(2, 9, 5, 3, 4, &g);
	CHECK(g.sink.min == 2 && g.sink.max == 9 && g.sink.last == 5);
	read_gauge_of(0, -4, -4, 1, -4, &g);
	CHECK(g.sink.min == -4 && g.sink.max == -4);
	read_gauge_of(2, INFINITY, 5, 3, 4, &g);
	CHECK(g.n == 1 && g.sink.max == -4);
	read_gauge_of(2, 9, NAN, 3, 4, &g);
	CHECK(g.n == 1 && g.sink.max == -4);
	got_release(&g);
}

/* A counter at a time; the result of reading it, and its time in *ns. */
static int
read_time_of(int64_t seconds, uint64_t nanos, int64_t *ns)
{
	struct metricset_head head;
	struct pb_out o = { 0 };
	struct got g = { 0 };
	size_t since;
	int status;

	pb_put_double(&o, COUNTER_VALUE, 1);
	since = o.n;
	pb_put_varint(&o, TIME_NANOS, nanos);
	pb_put_varint(&o, TIME_SECONDS, (uint64_t)seconds);
	pb_put_message(&o, VALUE_TIME, since);
	pb_put_message(&o, SAMPLES_VALUES, 0);
	pb_put_message(&o, metricset_wire[METRIC_COUNTER].samples, 0);
	pb_put_message(&o, METRIC_SERIES, 0);
	pb_put_varint(&o, METRIC_TYPE, metricset_wire[METRIC_COUNTER].type);
	pb_put_bytes(&o, METRIC_NAME, SPAN("c"));
	pb_put_message(&o, SET_METRICS, 0);
	status = metricset_parse(pb_whole(&o), &tags, &head, note, &g, &why);
	*ns = g.at.time_ns;
	got_release(&g);
	pb_release(&o);
	return status;
}

static void
test_times(void)
{
	int64_t ns;

	CHECK(read_time_of(START, 5, &ns) == 0);
	CHECK(ns == START * NS_PER_S + 5);
	CHECK(read_time_of(-3, 999999999, &ns) == 0);
	CHECK(ns == -2 * NS_PER_S - 1);
	CHECK(read_time_of(START, 1000000000, &ns) == -1);
	CHECK(read_time_of(START, (uint64_t)-1, &ns) == -1);
	CHECK(read_time_of(INT64_C(1) << 40, 0, &ns) == -1);
	CHECK(read_time_of(-(INT64_C(1) << 40), 0, &ns) == -1);
}

/* A whole message is read; one that is cut is refused, or holds less; any
 * byte changed crashes nothing. */
static void
test_each_cut(void)
{
	struct buf bytes = bytes_of(trend_hex);
	struct metricset_head head;
	struct got g = { 0 };
	size_t cut, bit;
	char *copy;
	int status;

	for (cut = 0; cut < bytes.n; cut++) {
		copy = xmalloc(cut);
		memcpy(copy, bytes.p, cut);
		g.n = 0;
		status = metricset_parse((struct span){ copy, cut }, &tags,
		    &head, note, &g, &why);
		CHECK(g.n == 0 && (status == -1 || cut == 0 || cut == 5 ||
		    cut == 7));
		free(copy);
	}
	for (cut = 0; cut < bytes.n; cut++)
		for (bit = 0; bit < 8; bit++) {
			bytes.p[cut] = (char)(bytes.p[cut] ^ 1 << bit);
			(void)metricset_parse(buf_whole(&bytes), &tags, &head,
			    note, &g, &why);
			bytes.p[cut] = (char)(bytes.p[cut] ^ 1 << bit);
		}
	got_release(&g);
	buf_release(&bytes);
}

/* Change the trend of PROTOCOL 5.5 in one place: why it is refused. */
static void
check_refused(struct span before, size_t at, char byte, const char *reason)
{
	struct buf bytes = bytes_of(trend_hex);
	struct metricset_head head;
	struct got g = { 0 };

	((char *)memmem(bytes.p, bytes.n, before.p, before.n))[at] = byte;
	CHECK(metricset_parse(buf_whole(&bytes), &tags, &head, note, &g,
	    &why) == -1 && g.n == 0);
	CHECK(strstr(why.text, reason) != NULL);
	got_release(&g);
	buf_release(&bytes);
}

static void
test_refuses(void)
{
	static const struct {
		const char *before;	/* unique bytes, and how many, */
		size_t n;
		size_t at;		/* the changed one behind their start */
		char byte;
		const char *reason;
	} rows[] = {
		{ "\x10\x04\x1a\x56", 4, 1, 9, "of unknown type" },
		{ "\x10\x04\x1a\x56", 4, 1, 1, "another type" },
		{ "\x0a\x06\x08\x81", 4, 1, 120, "past the end" },
		{ "\x12\x02\x01\x02", 4, 3, 3, "does not add up" },
		{ "\x12\x02\x01\x02", 4, 1, 1, "no valid number" },
		{ "\x08\x7f\x10\x01", 4, 3, 2, "do not fit" },
		{ "\x30\x03", 2, 1, 2, "does not add up" },
	};
	size_t i;

	for (i = 0; i < N_OF(rows); i++)
		check_refused((struct span){ rows[i].before, rows[i].n },
		    rows[i].at, rows[i].byte, rows[i].reason);
}

int
main(void)
{
	test("k6's examples are written byte for byte", test_known_bytes);
	test("k6's examples are read", test_known_values);
	test("histograms have k6's counters and spans", test_histograms);
	test("what is written comes back, all types", test_trips);
	test("series of one metric stand in one, reserved tags in none",
	    test_series);
	test("swapped gauges are put right, not finite ones left away",
	    test_gauges);
	test("times have nanoseconds, and bounds", test_times);
	test("a message cut anywhere gives no value", test_each_cut);
	test("what does not add up is refused", test_refuses);
	tags_release(&tags);
	return tap_end();
}
