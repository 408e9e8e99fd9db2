/* SPDX-License-Identifier: MIT */
#include "data/metric.c"

#include "tap.h"

static void
names(void)
{
	enum metric_type type = METRIC_GAUGE;

	CHECK_TEXT(metric_type_name(METRIC_COUNTER), "counter");
	CHECK_TEXT(metric_type_name(METRIC_RATE), "rate");
	CHECK_TEXT(metric_contains_name(CONTAINS_TIME), "time");
	CHECK(metric_type_parse(SPAN("trend"), &type) &&
	    type == METRIC_TREND);
	CHECK(!metric_type_parse(SPAN("Trend"), &type));
	CHECK(!metric_type_parse(SPAN(""), &type));
	CHECK(!metric_type_parse(SPAN("trends"), &type));
	CHECK(type == METRIC_TREND);
}

static void
rule(void)
{
	char longest[METRIC_NAME_MAX + 2];

	memset(longest, 'm', sizeof(longest));
	longest[METRIC_NAME_MAX + 1] = '\0';
	CHECK(!metric_is_name(span_of(longest)));
	CHECK(metric_is_name(span_of(longest + 1)));
	CHECK(!metric_is_name(SPAN("")));
	CHECK(metric_is_name(SPAN("<b>\"\\ \n")));
	CHECK(!metric_is_name((struct span){ "a\0b", 3 }));
}

/* PROTOCOL 1.6. */
static void
builtin(void)
{
	static const char *const rows[][3] = {
		{ "vus", "gauge", "default" },
		{ "vus_max", "gauge", "default" },
		{ "iterations", "counter", "default" },
		{ "iteration_duration", "trend", "time" },
		{ "dropped_iterations", "counter", "default" },
		{ "checks", "rate", "default" },
		{ "group_duration", "trend", "time" },
		{ "http_reqs", "counter", "default" },
		{ "http_req_failed", "rate", "default" },
		{ "http_req_duration", "trend", "time" },
		{ "http_req_tls_handshaking", "trend", "time" },
		{ "ws_sessions", "counter", "default" },
		{ "ws_ping", "trend", "time" },
		{ "grpc_req_duration", "trend", "time" },
		{ "grpc_streams", "counter", "default" },
		{ "browser_web_vital_cls", "trend", "default" },
		{ "browser_web_vital_lcp", "trend", "time" },
		{ "browser_data_received", "counter", "data" },
		{ "data_sent", "counter", "data" },
		{ "data_received", "counter", "data" },
	};
	const struct metric *m;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m = metric_builtin(span_of(rows[i][0]));
		CHECK(m != NULL && !m->is_declared);
		if (m == NULL)
			continue;
		CHECK_SPAN(m->name, rows[i][0]);
		CHECK_TEXT(metric_type_name(m->type), rows[i][1]);
		CHECK_TEXT(metric_contains_name(m->contains), rows[i][2]);
	}
	CHECK(sizeof(builtins) / sizeof(builtins[0]) == 38);
	CHECK(metric_builtin(SPAN("vu")) == NULL);
	CHECK(metric_builtin(SPAN("")) == NULL);
}

static void
one_stream(void)
{
	struct metrics ms = { 0 }, other = { 0 };
	char name[] = "my_metric";
	struct metric *m = metrics_get(&ms, span_of(name));
	const struct metric *vus = metrics_get(&ms, SPAN("vus"));

	CHECK(m->type == METRIC_TREND && !m->is_declared);
	CHECK(vus->type == METRIC_GAUGE);
	m->type = METRIC_RATE;
	name[0] = 'x';		/* the name was copied */
	CHECK(metrics_get(&ms, SPAN("my_metric")) == m);
	CHECK_SPAN(m->name, "my_metric");
	CHECK(metrics_get(&other, SPAN("my_metric"))->type == METRIC_TREND);
	metrics_release(&ms);
	metrics_release(&other);
	metrics_release(&other);
}

int
main(void)
{
	test("types have k6's names", names);
	test("names have a length, and no NUL", rule);
	test("built-in metrics have k6's types", builtin);
	test("a stream keeps one metric of a name", one_stream);
	return tap_end();
}
