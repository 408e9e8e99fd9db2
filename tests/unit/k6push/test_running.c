/* SPDX-License-Identifier: MIT */
#include "k6push/read/running.c"
#define factor_of encode_factor_of
#include "k6push/read/running_encode.c"
#undef factor_of

#include "hex.h"

static struct stream stream;
static struct settings settings;
static struct running running;
static struct why why;

static void
end(void)
{
	running_release(&running);
	stream_release(&stream);
	settings_release(&settings);
}

/* With what the settings say by now, and no labels but the run's. */
static void
begin(void)
{
	struct running_config config;

	CHECK(running_configure(&config, &settings, &why) == 0);
	config.testid = "r1";
	running_init(&running, &config, &stream.metrics);
}

static void
fresh(void)
{
	end();
	stream = (struct stream){ 0 };
	settings_init(&settings);
}

/* The series of a metric of k6 with a tag or two. */
static struct running_series *
series(const char *metric, const struct tag *tags, size_t n)
{
	return running_series(&running, metrics_get(&stream.metrics,
	    span_of(metric)), tags_intern(&stream.tags, tags, n));
}

/* The message of a series; the shares are what comes in front of it. */
static size_t
encode(struct running_series *s, enum running_what what, struct buf *message,
    struct rw_share *share)
{
	struct buf plain = { 0 };
	struct rw_plain parts;
	size_t n = running_encode(&running, &s, 1, what, &plain);

	buf_reset(message);
	*share = (struct rw_share){ 0, 0 };
	CHECK(rw_read_plain(&parts, buf_whole(&plain), &why) == 0);
	CHECK(parts.n == n);
	if (n > 0)
		*share = parts.shares[0];
	buf_span(message, parts.message);
	free(parts.shares);
	buf_release(&plain);
	return n;
}

static const int64_t at_ns = 1700000001234 * NS_PER_MS;

static void
known_bytes(void)
{
	const struct tag tags[] = { { SPAN("name"), SPAN("http://x/") },
	    { SPAN("status"), SPAN("200") }, { SPAN("vu"), SPAN("7") },
	    { SPAN("iter"), SPAN("1") } };
	struct buf message = { 0 };
	struct running_series *s;
	struct rw_share share;

	fresh();
	begin();
	s = series("http_reqs", NULL, 0);
	running_add(&running, s, 1, at_ns - 5);
	running_add(&running, s, 2, at_ns);
	CHECK(encode(s, RUNNING_VALUES, &message, &share) == 1);
	CHECK_HEX(buf_whole(&message), HEX_COUNTER);
	CHECK(share.points == 2 && share.requests == 3);
	s = series("http_req_duration", tags, 4);
	running_add(&running, s, 100, at_ns);
	running_add(&running, s, 200, at_ns);
	running_add(&running, s, 200.1, at_ns);
	CHECK(encode(s, RUNNING_VALUES, &message, &share) == 1);
	CHECK_HEX(buf_whole(&message), HEX_HISTOGRAM);
	CHECK(share.points == 3 && share.requests == 0);
	buf_release(&message);
}

/* A series' messages as JSON, one after the other. */
static void
check_course(struct running_series *s, enum running_what what,
    const char *want)
{
	struct buf message = { 0 }, text = { 0 };
	struct rw_share share;
	struct pb_field f;
	struct pb r;

	(void)encode(s, what, &message, &share);
	r = pb_of(buf_whole(&message));
	while (pb_next(&r, &f))
		CHECK(remote_print(pb_bytes(&r, &f), &text, &why) == 0);
	buf_text(&text, "");
	CHECK_TEXT(text.p, want);
	buf_release(&message);
	buf_release(&text);
}

#define LINE(name, values) "{\"labels\":{\"__name__\":\"" name "\"," \
	"\"testid\":\"r1\"},\"samples\":[" values "],\"histograms\":[]}\n"

static void
courses(void)
{
	struct running_series *s;

	fresh();
	begin();
	running.latest_ms = 1000;
	s = series("http_reqs", NULL, 0);
	running_add(&running, s, 4, 10000 * NS_PER_MS);
	check_course(s, RUNNING_BEGIN, LINE("k6_http_reqs_total",
	    "[5000,0]"));
	check_course(s, RUNNING_VALUES, LINE("k6_http_reqs_total",
	    "[10000,4]"));
	/* One at the same time is later for the receiver. */
	running_add(&running, s, 2, 10000 * NS_PER_MS);
	check_course(s, RUNNING_BEGIN, "");
	check_course(s, RUNNING_VALUES, LINE("k6_http_reqs_total",
	    "[10001,6]"));
	running.latest_ms = 12000;
	check_course(s, RUNNING_LAST, LINE("k6_http_reqs_total", "[12000,6]"));
	check_course(s, RUNNING_STALE, LINE("k6_http_reqs_total",
	    "[17000,\"stale\"]"));
	s = series("vus", NULL, 0);
	running_add(&running, s, 3, 20000 * NS_PER_MS);
	check_course(s, RUNNING_BEGIN, "");
	check_course(s, RUNNING_VALUES, LINE("k6_vus", "[20000,3]"));
	s = series("checks", NULL, 0);
	running_add(&running, s, 1, 20000 * NS_PER_MS);
	running_add(&running, s, 0, 20000 * NS_PER_MS);
	check_course(s, RUNNING_VALUES, LINE("k6_checks_rate", "[20000,0.5]")
	    LINE("k6_checks_total", "[20000,2]")
	    LINE("k6_checks_nonzero_total", "[20000,1]"));
}

static void
stats(void)
{
	struct running_series *s;
	double v;

	fresh();
	(void)settings_set(&settings, SET_RW_FORM, "stats", FROM_FLAG, NULL);
	(void)settings_set(&settings, SET_RW_TREND_STATS, "count,sum,min,max,"
	    "avg", FROM_FLAG, NULL);
	begin();
	s = series("http_req_duration", NULL, 0);
	for (v = 1000; v <= 3000; v += 1000)
		running_add(&running, s, v, 20000 * NS_PER_MS);
	check_course(s, RUNNING_VALUES,
	    LINE("k6_http_req_duration_count", "[20000,3]")
	    LINE("k6_http_req_duration_sum", "[20000,6]")
	    LINE("k6_http_req_duration_min", "[20000,1]")
	    LINE("k6_http_req_duration_max", "[20000,3]")
	    LINE("k6_http_req_duration_avg", "[20000,2]"));
}

static void
wrong_stats(void)
{
	static const char *const wrong[] = { "p(101)", "p()", "p(-1)", "p95",
	    "mean", "count;sum", "p(1)x" };
	struct running_config config;
	struct running_stat stat;
	size_t i;

	fresh();
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)settings_set(&settings, SET_RW_TREND_STATS, wrong[i],
		    FROM_FLAG, NULL);
		CHECK(running_configure(&config, &settings, &why) < 0);
	}
	CHECK(parse_stat(&stat, "p(99.9)", 7) &&
	    stat.p > 0.9989 && stat.p < 0.9991);
	CHECK_TEXT(stat.suffix, "_p999");
	CHECK(parse_stat(&stat, "med", 3) && stat.p == 0.5);
}

static void
own_runs(void)
{
	struct tag tag = { SPAN("testid"), SPAN("theirs") };
	struct running_series *s;

	fresh();
	begin();
	s = series("http_reqs", &tag, 1);	/* --testid is given */
	CHECK(s == series("http_reqs", NULL, 0));
	CHECK(running.own_testid == NULL);
	running.config.keeps_testid = true;
	running_forget_tags(&running);
	CHECK(s != series("http_reqs", &tag, 1));
	CHECK_TEXT(running.own_testid, "theirs");
	CHECK(!running.has_own_testids);
	tag.value = SPAN("others");
	(void)series("http_reqs", &tag, 1);
	CHECK(running.has_own_testids);
}

int
main(void)
{
	settings_init(&settings);
	test("a counter and a trend have the bytes that Prometheus took",
	    known_bytes);
	test("a series begins with 0, goes up, and ends with a marker",
	    courses);
	test("trends are gauges where they are asked for", stats);
	test("what is no statistic is refused", wrong_stats);
	test("samples may name their run, unless we do", own_runs);
	end();
	return tap_end();
}
