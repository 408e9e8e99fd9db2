/* SPDX-License-Identifier: MIT */
/* Reads the thresholds of a run from its row, and joins them with the
 * verdicts. */
#include "k6serve/view/criteria.h"

#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "data/run.h"
#include "data/threshold.h"
#include "k6serve/store/store_verdict.h"

static char *
plain(struct span raw)
{
	struct buf text = { 0 };
	char *own;

	jsn_unescape(&text, raw);
	own = xstrndup(buf_whole(&text).p, text.n);
	buf_release(&text);
	return own;
}

static struct criterion *
find(struct criteria *c, struct span metric, struct span source)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (span_is(metric, c->list[i].metric) &&
		    span_is(source, c->list[i].source))
			return &c->list[i];
	return NULL;
}

/* Both are raw JSON. */
static void
add(struct criteria *c, struct span metric, struct span source, bool is_ours)
{
	c->list = xgrow(c->list, c->n, &c->cap, sizeof(c->list[0]));
	c->list[c->n++] = (struct criterion){ .metric = plain(metric),
	    .source = plain(source), .told = -1, .judged = -1,
	    .value = NAN, .is_judged = is_ours };
}

struct planning {
	struct criteria *criteria;
	bool is_ours;
};

static void
add_planned(void *ctx, struct span metric, const struct threshold_json *one)
{
	struct planning *p = ctx;

	add(p->criteria, metric, one->source, p->is_ours);
}

/* The client's word: {"metric":{"source":has failed}}. One that the plan lacks
 * is shown too. */
static void
read_results(struct criteria *c, const struct store_run *run)
{
	struct jsn j = jsn_of(run->results);
	struct span metric, source, value;
	struct criterion *at;
	char *key, *text;

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &metric)) {
		if (jsn_peek(&j) != '{') {
			(void)jsn_skip(&j);
			continue;
		}
		key = plain(metric);
		(void)jsn_enter(&j, '{');
		while (jsn_member(&j, &source)) {
			if (!jsn_value(&j, &value) || (value.p[0] != 't' &&
			    value.p[0] != 'f'))
				continue;
			text = plain(source);
			at = find(c, span_of(key), span_of(text));
			free(text);
			if (at == NULL) {
				add(c, metric, source, run->is_judged);
				at = &c->list[c->n - 1];
			}
			at->told = value.p[0] == 't';
		}
		free(key);
	}
}

static int
take_verdict(void *ctx, const struct store_verdict *v)
{
	struct criterion *c = find(ctx, v->metric, v->source);

	if (c == NULL)
		return 0;
	c->crossed_ns = v->crossed_ns;
	if (v->is_known)
		c->judged = v->is_failed;
	c->value = v->value;
	c->is_empty = v->is_known && !isfinite(v->value);
	return 0;
}

int
criteria_read(struct criteria *c, struct store *s, const char *owner,
    const struct store_run *run, struct why *why)
{
	struct store_verdict_query q = { owner, run->id };
	struct planning p = { c, run->is_judged };
	size_t i;

	threshold_walk(run->thresholds, add_planned, &p);
	if (!run->is_judged)	/* else they are not the client's */
		read_results(c, run);
	if (c->n != 0 && store_verdicts(s, &q, take_verdict, c, why) < 0)
		return -1;
	/* That of which no samples came may yet be crossed. */
	for (i = 0; i < c->n; i++)
		if (run->run_status == RUN_RUNNING &&
		    !isfinite(c->list[i].value))
			c->list[i].judged = -1;
	return 0;
}

void
criteria_release(struct criteria *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->list[i].metric);
		free(c->list[i].source);
	}
	free(c->list);
}

int
criterion_failed(const struct criterion *c)
{
	return c->is_judged || c->told < 0 ? c->judged : c->told;
}

static void
put_bool_or_null(struct jsn_out *o, const char *key, int value)
{
	jsn_key(o, key);
	if (value < 0)
		jsn_put_raw(o, SPAN("null"));
	else
		jsn_put_bool(o, value != 0);
}

void
criteria_put(const struct criteria *c, struct jsn_out *o)
{
	const struct criterion *at;
	size_t i;

	jsn_open(o, '[');
	for (i = 0; i < c->n; i++) {
		at = &c->list[i];
		jsn_open(o, '{');
		jsn_member_text(o, "metric", span_of(at->metric));
		jsn_member_text(o, "source", span_of(at->source));
		put_bool_or_null(o, "failed", criterion_failed(at));
		put_bool_or_null(o, "told", at->is_judged ? -1 : at->told);
		put_bool_or_null(o, "judged", at->judged);
		jsn_member_number(o, "value", at->value);
		jsn_member_time_or_null(o, "crossed", at->crossed_ns);
		jsn_close(o, '}');
	}
	jsn_close(o, ']');
}

enum run_verdict
criteria_verdict(const struct criteria *c, const struct store_run *run,
    int status)
{
	bool is_known = true, has_data = false;
	size_t i;
	int failed;

	if (run->result_status != 0 || status == RUN_ABORTED_BY_THRESHOLD)
		return VERDICT_FAILED;
	for (i = 0; i < c->n; i++) {
		failed = criterion_failed(&c->list[i]);
		if (failed > 0)
			return VERDICT_FAILED;
		is_known &= failed == 0;
		has_data |= c->list[i].told >= 0 ||
		    isfinite(c->list[i].value);
	}
	if (c->n == 0)
		return VERDICT_NONE;
	if (status == RUN_RUNNING)
		return VERDICT_PENDING;
	/* What nothing came in for has not passed, whoever says so. */
	return is_known && has_data && run->points > 0 &&
	    status == RUN_FINISHED ? VERDICT_PASSED : VERDICT_UNKNOWN;
}

const char *
run_verdict_name(enum run_verdict v)
{
	static const char *const names[] = { "pending", "passed", "failed",
		"none", "unknown" };

	return names[v];
}
