/* SPDX-License-Identifier: MIT */
/* Writes the verdicts on a run that ends in the form in which a client reports
 * them. */
#include "k6serve/ingest/verdicts.h"

#include <math.h>
#include <string.h>

#include "k6serve/judge/judge_run.h"

/* Does k6's reason name the key? It has a list between quotes. */
static bool
is_named(struct span reason, struct span key)
{
	const char *from = reason.n > 0 ? memchr(reason.p, '\'', reason.n)
	    : NULL, *end, *at;
	size_t n;

	if (from == NULL)
		return false;
	end = memrchr(reason.p, '\'', reason.n);
	for (from++; from < end; from = at + 1) {
		n = (size_t)(end - from);
		at = memmem(from, n, key.p, key.n);
		if (at == NULL)
			return false;
		if ((at == from || at[-1] == ' ' || at[-1] == '\'') &&
		    (at + key.n == end || at[key.n] == ','))
			return true;
	}
	return false;
}

static bool
has_data(const struct store_verdicts *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (isfinite(all->list[i].value))
			return true;
	return false;
}

static bool
is_first_of_key(const struct store_verdicts *all, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (span_equal(all->list[k].metric, all->list[i].metric))
			return false;
	return true;
}

/* The sources of the key of number i. If none is crossed by what is stored, but
 * k6 named the key, it is not known which: all count as failed. */
static void
put_key(const struct store_verdicts *all, size_t i, struct verdicts *v,
    struct jsn_out *o)
{
	const struct store_verdict *at, *first = &all->list[i];
	bool is_sure = !is_named(v->reason, first->metric), failed;
	struct buf text = { 0 };
	size_t k;

	for (k = i; k < all->n; k++)
		is_sure |= span_equal(all->list[k].metric, first->metric) &&
		    all->list[k].is_known && all->list[k].is_failed;
	buf_span(&text, first->metric);
	jsn_key(o, buf_whole(&text).p);
	jsn_open(o, '{');
	for (k = i; k < all->n; k++) {
		at = &all->list[k];
		if (!span_equal(at->metric, first->metric) ||
		    (is_sure && !at->is_known))
			continue;
		failed = !is_sure || at->is_failed;
		v->crossed += failed;
		buf_reset(&text);
		buf_span(&text, at->source);
		jsn_key(o, buf_whole(&text).p);
		jsn_put_bool(o, failed);
	}
	jsn_close(o, '}');
	buf_release(&text);
}

int
verdicts_judge(struct call *c, struct verdicts *v, struct why *why)
{
	struct judged judged;
	const struct store_verdicts *all = &judged.verdicts;
	struct jsn_out o = { .to = &v->results };
	int status = judge_run(c->store, c->run, &judged, why);
	size_t i;

	v->crossed = 0;
	buf_reset(&v->results);
	jsn_open(&o, '{');
	if (status > 0 && (v->reason.n > 0 || has_data(all)))
		for (i = 0; i < all->n; i++)
			if (is_first_of_key(all, i))
				put_key(all, i, v, &o);
	jsn_close(&o, '}');
	judged_release(&judged);
	return status < 0 ? -1 : 0;
}
