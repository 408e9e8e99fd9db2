/* SPDX-License-Identifier: MIT */
/* Start, Metric and End lines of a run. */
#include "k6gen/samples/declare.h"

#include <unistd.h>

#include "base/units.h"
#include "data/jsn.h"
#include "data/stream.h"

#define TOOL "k6gen " K6PIPE_VERSION

enum { HOST_TEXT = 256 };

/* One of PROTOCOL 1.3: the source, or an object if it aborts. */
static void
put_threshold(struct jsn_out *o, const struct threshold *t)
{
	char delay[DURATION_TEXT];

	if (!t->aborts) {
		jsn_put_text(o, t->source);
		return;
	}
	jsn_open(o, '{');
	jsn_member_text(o, "threshold", t->source);
	jsn_key(o, "abortOnFail");
	jsn_put_bool(o, true);
	if (t->delay_ns > 0)
		jsn_member_text(o, "delayAbortEval", (struct span){ delay,
		    duration_print(delay, t->delay_ns) });
	else
		jsn_member_raw(o, "delayAbortEval", SPAN("null"));
	jsn_close(o, '}');
}

static void
put_submetric(struct jsn_out *o, const struct threshold_key *key)
{
	struct buf name = { 0 };
	size_t i;

	jsn_open(o, '{');
	jsn_member_text(o, "name", key->text);
	jsn_member_text(o, "suffix", key->suffix);
	jsn_key(o, "tags");
	jsn_open(o, '{');
	for (i = 0; i < key->n_tags; i++) {
		buf_reset(&name);
		buf_span(&name, key->tags[i].key);
		jsn_member_text(o, name.p, key->tags[i].value);
	}
	jsn_close(o, '}');
	jsn_close(o, '}');
	buf_release(&name);
}

/* Only those that a threshold asked for: k6 shows no others. */
static bool
is_asked(const struct plan *plan, size_t sub)
{
	size_t i;

	for (i = 0; i < plan->n_limits; i++)
		if (plan->limits[i].submetric == (int)sub)
			return true;
	return false;
}

void
declare_metric(const struct plan *plan, enum emitted which, struct buf *out)
{
	struct buf thresholds = { 0 }, subs = { 0 };
	struct jsn_out t = { .to = &thresholds }, s = { .to = &subs };
	size_t i, n = 0;

	jsn_open(&t, '[');
	for (i = 0; i < plan->n_limits; i++)
		if (plan->limits[i].metric == which &&
		    plan->limits[i].submetric < 0)
			put_threshold(&t, &plan->limits[i].threshold);
	jsn_close(&t, ']');
	jsn_open(&s, '[');
	for (i = 0; i < plan->n_submetrics; i++)
		if (plan->submetrics[i].metric == which &&
		    is_asked(plan, i)) {
			put_submetric(&s, &plan->submetrics[i].key);
			n++;
		}
	jsn_close(&s, ']');
	stream_print_metric(out, plan_metric(which), buf_whole(&thresholds),
	    n > 0 ? buf_whole(&subs) : SPAN("null"));
	buf_release(&thresholds);
	buf_release(&subs);
}

/* The first threshold with the key of limit i. */
static bool
is_first(const struct plan *plan, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (span_equal(plan->limits[j].threshold.key.text,
		    plan->limits[i].threshold.key.text))
			return false;
	return true;
}

/* {"metric":["source"]}, or with failed {"metric":{"source":false}}. */
static void
print_thresholds(const struct plan *plan, const bool *failed,
    struct buf *out)
{
	struct jsn_out o = { .to = out };
	struct buf name = { 0 };
	const struct threshold *t;
	size_t i, j;

	jsn_open(&o, '{');
	for (i = 0; i < plan->n_limits; i++) {
		if (!is_first(plan, i))
			continue;
		buf_reset(&name);
		buf_span(&name, plan->limits[i].threshold.key.text);
		jsn_key(&o, name.p);
		jsn_open(&o, failed != NULL ? '{' : '[');
		for (j = i; j < plan->n_limits; j++) {
			t = &plan->limits[j].threshold;
			if (!span_is(t->key.text, name.p))
				continue;
			if (failed == NULL) {
				jsn_put_text(&o, t->source);
				continue;
			}
			buf_reset(&name);
			buf_span(&name, t->source);
			jsn_key(&o, name.p);
			jsn_put_bool(&o, failed[j]);
			buf_reset(&name);
			buf_span(&name, t->key.text);
		}
		jsn_close(&o, failed != NULL ? '}' : ']');
	}
	jsn_close(&o, '}');
	buf_release(&name);
}

void
declare_start(const struct plan *plan, int64_t time_ns, struct buf *out)
{
	char host[HOST_TEXT];
	struct buf thresholds = { 0 };
	struct run_start r = { .name = span_of(plan->name),
		.executor = span_of(plan->executor->name),
		.tool = SPAN(TOOL), .time_ns = time_ns,
		.vus = plan->max_vus,
		.duration_ns = plan->duration_ns + plan->graceful_ns,
		.iterations = plan->iterations };

	if (gethostname(host, sizeof(host)) != 0)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	r.host = span_of(host);
	print_thresholds(plan, NULL, &thresholds);
	r.thresholds = buf_whole(&thresholds);
	run_start_print(&r, out);
	buf_release(&thresholds);
}

void
declare_end(const struct tally *run, int64_t time_ns, int exit_status,
    enum run_status run_status, const bool *failed, struct buf *out)
{
	const struct plan *plan = run->plan;
	struct buf thresholds = { 0 };
	struct run_end r = { .tool = SPAN(TOOL), .time_ns = time_ns,
		.run_status = run_status, .exit_code = exit_status,
		.streams = 1, .points = run->points,
		.requests = run->requests };
	size_t i;

	for (i = 0; i < plan->n_limits; i++)
		r.result_status |= failed[i];
	print_thresholds(plan, failed, &thresholds);
	r.thresholds = buf_whole(&thresholds);
	run_end_print(&r, out);
	buf_release(&thresholds);
}
