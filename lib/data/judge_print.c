/* SPDX-License-Identifier: MIT */
/* The thresholds of a run as JSON, for the calls that create and finish it. */
#include "base/units.h"
#include "data/judge.h"

/* The first of the list with the key of number i. */
static bool
is_first(const struct judge *j, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (span_equal(j->list[k]->threshold.key.text,
		    j->list[i]->threshold.key.text))
			return false;
	return true;
}

enum form { PLAN, PLAN_OF_SERVER, RESULTS };

/* {"threshold":"avg<9","abortOnFail":true,"delayAbortEval":"10s"}, as k6 has
 * it: null is no delay. */
static void
put_object(struct jsn_out *o, const struct threshold *t)
{
	char delay[DURATION_TEXT];

	jsn_open(o, '{');
	jsn_member_text(o, "threshold", t->source);
	jsn_key(o, "abortOnFail");
	jsn_put_bool(o, true);
	if (t->delay_ns > 0) {
		(void)duration_print(delay, t->delay_ns);
		jsn_member_text(o, "delayAbortEval", span_of(delay));
	} else {
		jsn_member_raw(o, "delayAbortEval", SPAN("null"));
	}
	jsn_close(o, '}');
}

static void
put_verdict(struct jsn_out *o, const struct verdict *v, enum form form,
    struct buf *key)
{
	if (form == RESULTS) {
		if (v->is_misfit && !v->is_told)
			return;		/* nobody can judge it */
		buf_reset(key);
		buf_span(key, v->threshold.source);
		jsn_key(o, key->p);
		jsn_put_bool(o, v->is_failed);
	} else if (form == PLAN_OF_SERVER && v->threshold.aborts) {
		put_object(o, &v->threshold);
	} else {
		jsn_put_text(o, v->threshold.source);
	}
}

static void
print(const struct judge *j, enum form form, struct buf *out)
{
	struct jsn_out o = { .to = out };
	struct buf key = { 0 };
	size_t i, k;

	jsn_open(&o, '{');
	for (i = 0; i < j->n; i++) {
		if (!is_first(j, i))
			continue;
		buf_reset(&key);
		buf_span(&key, j->list[i]->threshold.key.text);
		jsn_key(&o, key.p);
		jsn_open(&o, form == RESULTS ? '{' : '[');
		for (k = i; k < j->n; k++)
			if (j->list[k]->of == j->list[i]->of)
				put_verdict(&o, j->list[k], form, &key);
		jsn_close(&o, form == RESULTS ? '}' : ']');
	}
	jsn_close(&o, '}');
	buf_release(&key);
}

void
judge_print_plan(const struct judge *j, bool is_server_to_judge,
    struct buf *out)
{
	print(j, is_server_to_judge ? PLAN_OF_SERVER : PLAN, out);
}

void
judge_print_results(const struct judge *j, struct buf *out)
{
	print(j, RESULTS, out);
}
