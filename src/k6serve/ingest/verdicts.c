/* SPDX-License-Identifier: MIT */
/* Thresholds are read from the run and judged on what it has stored. */
#include "k6serve/ingest/verdicts.h"

#include <string.h>

#include "data/threshold.h"
#include "k6serve/store/store_query.h"
#include "k6serve/view/run_times.h"

/* What one key of the thresholds is about: its sinks, by type. */
struct judged {
	const struct threshold_key *key;
	struct sink sinks[METRIC_RATE + 1];
	struct tags tags;
};

static void
judged_release(struct judged *j)
{
	int i;

	for (i = 0; i <= METRIC_RATE; i++)
		sink_release(&j->sinks[i]);
	tags_release(&j->tags);
}

static int
add_series(void *ctx, const struct store_row *row)
{
	struct judged *judged = ctx;
	const struct tagset *set;
	struct jsn j;

	if (judged->key->n_tags > 0) {
		j = jsn_of(row->tags);
		set = tags_read(&judged->tags, &j);
		if (set == NULL || !threshold_key_matches(judged->key, set))
			return 0;
	}
	sink_merge(&judged->sinks[row->type], row->sink);
	return 0;
}

static int
read_judged(struct call *c, struct judged *judged, struct why *why)
{
	struct buf metric = { 0 };
	struct store_query q = { .owner = c->owner, .run = c->run,
	    .is_whole = judged->key->n_tags == 0 };
	int i, status;

	for (i = 0; i <= METRIC_RATE; i++)
		judged->sinks[i].type = (enum metric_type)i;
	buf_span(&metric, judged->key->metric);
	buf_text(&metric, "");
	q.metric = metric.p;
	status = store_series(c->store, &q, add_series, judged, why);
	buf_release(&metric);
	return status;
}

/* While the thresholds of a run are judged. */
struct judging {
	struct call *c;
	struct verdicts *v;
	double seconds;
	struct buf thresholds;	/* the run's, copied */
	bool is_first;		/* nothing is in the results yet */
};

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

/* 1: crossed; 0: it holds; -1: it is no threshold of such a metric. */
static int
judge_source(const struct judging *g, const struct judged *judged,
    struct span source)
{
	struct buf text = { 0 };
	struct threshold t;
	struct why why;
	int i, verdict = -1;

	buf_span(&text, judged->key->text);
	buf_char(&text, '=');
	jsn_unescape(&text, source);
	buf_text(&text, "");
	if (threshold_parse(&t, text.p, &why) == 0)
		for (i = 0; i <= METRIC_RATE; i++)
			if (threshold_fits(&t, (enum metric_type)i))
				verdict = verdict == 1 || !threshold_holds(&t,
				    &judged->sinks[i], g->seconds);
	buf_release(&text);
	return verdict;
}

/* The sources of one key, at which j stands. */
static void
put_sources(struct judging *g, const struct judged *judged, struct jsn *j,
    struct span metric)
{
	struct buf *out = &g->v->results;
	struct jsn again = *j;
	struct span source;
	int crossed = 0;
	bool is_first = true, is_sure;

	(void)jsn_enter(&again, '[');
	while (jsn_element_text(&again, &source))
		crossed += judge_source(g, judged, source) == 1;
	is_sure = crossed > 0 || !is_named(g->v->reason, judged->key->text);
	buf_printf(out, "%s\"%.*s\":{", g->is_first ? "" : ",", (int)metric.n,
	    metric.p);
	g->is_first = false;
	(void)jsn_enter(j, '[');
	while (jsn_element_text(j, &source)) {
		int verdict = is_sure ? judge_source(g, judged, source) : 1;

		if (verdict < 0)
			continue;
		buf_printf(out, "%s\"%.*s\":%s", is_first ? "" : ",",
		    (int)source.n, source.p, verdict == 1 ? "true" : "false");
		g->v->crossed += verdict;
		is_first = false;
	}
	buf_char(out, '}');
}

static int
judge_key(struct judging *g, struct jsn *j, struct span metric,
    struct why *why)
{
	struct buf text = { 0 };
	struct threshold_key key;
	struct judged judged = { .key = &key };
	struct why no_key;
	int status = 0;

	jsn_unescape(&text, metric);
	if (jsn_peek(j) != '[' ||
	    threshold_parse_key(&key, buf_whole(&text), &no_key) < 0) {
		(void)jsn_skip(j);
	} else {
		status = read_judged(g->c, &judged, why);
		if (status == 0)
			put_sources(g, &judged, j, metric);
		judged_release(&judged);
	}
	buf_release(&text);
	return status;
}

static int
take_run(void *ctx, const struct store_run *run)
{
	struct judging *g = ctx;

	if (run->points > 0 || g->v->reason.n > 0)
		buf_span(&g->thresholds, run->thresholds);
	g->seconds = run_seconds(run);
	return 0;
}

int
verdicts_judge(struct call *c, struct verdicts *v, struct why *why)
{
	struct judging g = { .c = c, .v = v, .is_first = true };
	struct store_run_query q = { .owner = c->owner, .id = c->run };
	int status = store_runs(c->store, &q, take_run, &g, why);
	struct jsn j = jsn_of(buf_whole(&g.thresholds));
	struct span metric;

	v->crossed = 0;
	buf_reset(&v->results);
	buf_char(&v->results, '{');
	if (status == 0 && jsn_peek(&j) == '{') {
		(void)jsn_enter(&j, '{');
		while (status == 0 && jsn_member(&j, &metric))
			status = judge_key(&g, &j, metric, why);
	}
	buf_char(&v->results, '}');
	buf_release(&g.thresholds);
	return status;
}
