/* SPDX-License-Identifier: MIT */
/* The table of built-in metrics, and names of types. */
#include "data/metric.h"

#include <stdlib.h>

static const char *const type_names[] = {
	[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge",
	[METRIC_TREND] = "trend", [METRIC_RATE] = "rate",
};

static const char *const contains_names[] = {
	[CONTAINS_DEFAULT] = "default", [CONTAINS_TIME] = "time",
	[CONTAINS_DATA] = "data",
};

#define ROW(name, type, contains) \
	{ { name, sizeof(name) - 1 }, METRIC_##type, CONTAINS_##contains, \
	    false, false }

static const struct metric builtins[] = {
	ROW("vus", GAUGE, DEFAULT),
	ROW("vus_max", GAUGE, DEFAULT),
	ROW("iterations", COUNTER, DEFAULT),
	ROW("iteration_duration", TREND, TIME),
	ROW("dropped_iterations", COUNTER, DEFAULT),
	ROW("checks", RATE, DEFAULT),
	ROW("group_duration", TREND, TIME),
	ROW("http_reqs", COUNTER, DEFAULT),
	ROW("http_req_failed", RATE, DEFAULT),
	ROW("http_req_duration", TREND, TIME),
	ROW("http_req_blocked", TREND, TIME),
	ROW("http_req_connecting", TREND, TIME),
	ROW("http_req_tls_handshaking", TREND, TIME),
	ROW("http_req_sending", TREND, TIME),
	ROW("http_req_waiting", TREND, TIME),
	ROW("http_req_receiving", TREND, TIME),
	ROW("ws_sessions", COUNTER, DEFAULT),
	ROW("ws_msgs_sent", COUNTER, DEFAULT),
	ROW("ws_msgs_received", COUNTER, DEFAULT),
	ROW("ws_ping", TREND, TIME),
	ROW("ws_session_duration", TREND, TIME),
	ROW("ws_connecting", TREND, TIME),
	ROW("grpc_req_duration", TREND, TIME),
	ROW("grpc_streams", COUNTER, DEFAULT),
	ROW("grpc_streams_msgs_sent", COUNTER, DEFAULT),
	ROW("grpc_streams_msgs_received", COUNTER, DEFAULT),
	ROW("browser_data_sent", COUNTER, DATA),
	ROW("browser_data_received", COUNTER, DATA),
	ROW("browser_http_req_duration", TREND, TIME),
	ROW("browser_http_req_failed", RATE, DEFAULT),
	ROW("browser_web_vital_cls", TREND, DEFAULT),
	ROW("browser_web_vital_fcp", TREND, TIME),
	ROW("browser_web_vital_fid", TREND, TIME),
	ROW("browser_web_vital_inp", TREND, TIME),
	ROW("browser_web_vital_lcp", TREND, TIME),
	ROW("browser_web_vital_ttfb", TREND, TIME),
	ROW("data_sent", COUNTER, DATA),
	ROW("data_received", COUNTER, DATA),
};

const char *
metric_type_name(enum metric_type type)
{
	return type_names[type];
}

const char *
metric_contains_name(enum metric_contains contains)
{
	return contains_names[contains];
}

bool
metric_type_parse(struct span name, enum metric_type *type)
{
	int i;

	for (i = METRIC_COUNTER; i <= METRIC_RATE; i++)
		if (span_is(name, type_names[i])) {
			*type = (enum metric_type)i;
			return true;
		}
	return false;
}

const struct metric *
metric_builtin(struct span name)
{
	size_t i;

	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (span_equal(builtins[i].name, name))
			return &builtins[i];
	return NULL;
}

bool
metric_is_name(struct span name)
{
	return name.n > 0 && name.n <= METRIC_NAME_MAX &&
	    memchr(name.p, '\0', name.n) == NULL;
}

struct metric *
metrics_get(struct metrics *ms, struct span name)
{
	struct metric *m = map_get(&ms->by_name, name);
	const struct metric *builtin;

	if (m != NULL)
		return m;
	m = xmalloc(sizeof(*m));
	builtin = metric_builtin(name);
	*m = builtin != NULL ? *builtin : (struct metric){
	    .type = METRIC_TREND };
	m->name = (struct span){ xstrndup(name.p, name.n), name.n };
	map_put(&ms->by_name, m->name, m);
	return m;
}

void
metrics_release(struct metrics *ms)
{
	struct metric *m;
	size_t at = 0;

	while ((m = map_next(&ms->by_name, &at)) != NULL) {
		free((char *)m->name.p);
		free(m);
	}
	map_release(&ms->by_name);
}
