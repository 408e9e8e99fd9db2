/* SPDX-License-Identifier: MIT */
/* Judges a run's thresholds on its data in the store. */
#include "k6serve/judge/judge_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/units.h"
#include "data/run.h"
#include "k6serve/store/run_times.h"
#include "k6serve/store/store_query.h"
#include "k6serve/store/store_run.h"

enum {
	JUDGE_S = 2,		/* how often k6 judges */
	GAP_S = 86400,		/* judge no more than this of a silence */
};

/* What the run's row says. */
struct facts {
	struct buf thresholds;
	struct run_times times;
	double seconds;
	int64_t version;
	bool is_judged, is_open;
};

static int
read_facts(void *ctx, const struct store_run *run)
{
	struct facts *f = ctx;

	buf_span(&f->thresholds, run->thresholds);
	f->times = run_times(run);
	f->seconds = run_seconds(run);
	f->version = run->version;
	f->is_judged = run->is_judged;
	f->is_open = run->run_status == RUN_RUNNING ||
	    run->run_status == RUN_TIMED_OUT;
	return 1;
}

struct feeding {
	struct judge *judge;
	struct tags tags;
};

static int
add_row(void *ctx, const struct store_row *row)
{
	struct feeding *f = ctx;
	struct jsn j = jsn_of(row->tags);
	const struct tagset *tags = row->tags.n == 0 ? NULL :
	    tags_read(&f->tags, &j);

	if (row->tags.n == 0 || tags != NULL)
		judge_add_sink(f->judge, row->metric, tags, row->sink);
	return 0;
}

/* Read what the keys of one metric ask for. */
static int
feed_metric(struct store *s, int64_t run, struct feeding *f,
    const struct judge_key *first, struct why *why)
{
	char *metric = xstrndup(first->key.metric.p, first->key.metric.n);
	struct store_query q = { .owner = store_everybody, .run = run,
	    .metric = metric };
	bool wants[2] = { false, false };
	const struct judge_key *k;
	int i, status = 0;

	for (k = first; k != NULL; k = k->next)
		wants[k->key.n_tags == 0] = true;
	for (i = 0; i < 2 && status == 0; i++) {
		q.is_whole = i == 1;
		if (wants[i])
			status = store_series(s, &q, add_row, f, why);
	}
	free(metric);
	return status;
}

static int
feed(struct store *s, int64_t run, struct judge *judge, struct why *why)
{
	struct feeding f = { .judge = judge };
	const struct judge_key *k;
	size_t at = 0;
	int status = 0;

	while (status == 0 && (k = map_next(&judge->by_metric, &at)) != NULL)
		status = feed_metric(s, run, &f, k, why);
	tags_release(&f.tags);
	return status;
}

/* The way to the moment at which a threshold was first crossed: its values are
 * added up second by second, and judged where k6 would. */
struct walk {
	const struct threshold *threshold;
	struct tags tags;
	struct sink sink;
	int64_t first, due;	/* seconds */
	int64_t crossed;	/* 0: not yet */
};

static int
walk_row(void *ctx, const struct store_row *row)
{
	struct walk *w = ctx;
	struct jsn j = jsn_of(row->tags);
	const struct tagset *tags;

	if (row->second - w->due > GAP_S)
		w->due = row->second - GAP_S;
	for (; row->second >= w->due; w->due += JUDGE_S)
		if (w->sink.count > 0 && !threshold_holds(w->threshold,
		    &w->sink, (double)(w->due - w->first))) {
			w->crossed = w->due;
			return 1;
		}
	w->sink.type = row->type;
	if (row->tags.n != 0) {
		tags = tags_read(&w->tags, &j);
		if (tags == NULL ||
		    !threshold_key_matches(&w->threshold->key, tags))
			return 0;
	}
	sink_merge(&w->sink, row->sink);
	return 0;
}

/* Time of the data, or -1: why. */
static int64_t
find_crossing(struct store *s, int64_t run, const struct facts *f,
    const struct threshold *t, struct why *why)
{
	char *metric = xstrndup(t->key.metric.p, t->key.metric.n);
	struct store_query q = { .owner = store_everybody, .run = run,
	    .metric = metric, .is_whole = t->key.n_tags == 0 };
	struct walk w = { .threshold = t,
	    .first = num_floor_div(f->times.start_ns, NS_PER_S) };
	int status;

	w.due = w.first + JUDGE_S;
	status = store_points(s, &q, walk_row, &w, why);
	sink_release(&w.sink);
	tags_release(&w.tags);
	free(metric);
	if (status < 0)
		return -1;
	return w.crossed != 0 ? w.crossed * NS_PER_S : f->times.end_ns;
}

static int
take_crossing(void *ctx, const struct store_verdict *old)
{
	struct store_verdicts *all = ctx;
	struct store_verdict *list = (struct store_verdict *)all->list;
	size_t i;

	for (i = 0; i < all->n; i++)
		if (span_equal(list[i].metric, old->metric) &&
		    span_equal(list[i].source, old->source))
			list[i].crossed_ns = old->crossed_ns;
	return 0;
}

/* The rate of a counter, in a run of which only one moment is known. */
static bool
lacks_time(const struct verdict *v, double seconds)
{
	return seconds <= 0 && v->threshold.method == THRESHOLD_RATE &&
	    v->of->sink.type == METRIC_COUNTER;
}

/* A tag set beyond the most that a run may have is not kept: what a key with
 * tags asks for is then not known. */
static int
conclude(struct store *s, const struct facts *f, struct judged *out,
    struct why *why)
{
	int64_t overflow = store_overflow(s, store_everybody,
	    out->verdicts.run, why);
	struct store_verdict_query q = { store_everybody, out->verdicts.run };
	double seconds = f->seconds;
	struct judge *judge = &out->judge;
	const struct verdict *v;
	struct store_verdict *to;
	size_t i;

	if (overflow < 0)
		return -1;
	(void)(f->is_open ? judge_so_far : judge_all)(judge, seconds);
	out->list = xcalloc(judge->n + 1, sizeof(*out->list));
	out->verdicts.list = out->list;
	for (i = 0; i < judge->n; i++) {
		v = judge->list[i];
		to = &out->list[out->verdicts.n++];
		*to = (struct store_verdict){ .metric = v->threshold.key.text,
		    .source = v->threshold.source,
		    .value = NAN, .is_known = !v->is_misfit &&
		    !lacks_time(v, seconds) &&
		    (overflow == 0 || v->threshold.key.n_tags == 0) };
		if (!to->is_known)
			continue;
		if (judge_has_samples(v))
			to->value = judge_measure(v, seconds);
		to->is_failed = v->is_failed;
		out->verdicts.is_failed |= to->is_failed;
		out->aborts |= f->is_judged && f->is_open && to->is_failed &&
		    v->threshold.aborts &&
		    seconds * 1e9 >= (double)v->threshold.delay_ns;
	}
	return store_verdicts(s, &q, take_crossing, &out->verdicts, why);
}

static int
date_crossings(struct store *s, const struct facts *f, struct judged *out,
    struct why *why)
{
	struct store_verdict *v;
	size_t i;

	for (i = 0; i < out->verdicts.n; i++) {
		v = &out->list[i];
		if (!v->is_known || !v->is_failed || v->crossed_ns != 0)
			continue;
		v->crossed_ns = find_crossing(s, out->verdicts.run, f,
		    &out->judge.list[i]->threshold, why);
		if (v->crossed_ns < 0)
			return -1;
	}
	return 0;
}

static void
count_planned(void *ctx, struct span metric, const struct threshold_json *one)
{
	(void)metric;
	(void)one;
	++*(size_t *)ctx;
}

int
judge_run(struct store *s, int64_t run, struct judged *out, struct why *why)
{
	struct store_run_query q = { .owner = store_everybody, .id = run };
	struct facts f = { 0 };
	struct why ignored;
	int status = store_runs(s, &q, read_facts, &f, why);

	*out = (struct judged){ .verdicts.run = run };
	if (status == 1 && span_is(buf_whole(&f.thresholds), "{}"))
		status = 0;
	if (status == 1) {
		out->verdicts.version = f.version;
		out->verdicts.is_ours = f.is_judged;
		threshold_walk(buf_whole(&f.thresholds), count_planned,
		    &out->n_planned);
		/* One that is none here is not judged, and shown as such. */
		(void)judge_add_json(&out->judge, buf_whole(&f.thresholds),
		    &ignored);
		if (feed(s, run, &out->judge, why) < 0 ||
		    conclude(s, &f, out, why) < 0 ||
		    date_crossings(s, &f, out, why) < 0)
			status = -1;
		judge_print_results(&out->judge, &out->results);
		out->verdicts.results = buf_whole(&out->results);
	}
	buf_release(&f.thresholds);
	return status;
}

enum store_result
judged_put(struct store *s, const struct judged *j, struct why *why)
{
	struct store_run end = { .id = j->verdicts.run,
	    .run_status = RUN_ABORTED_BY_THRESHOLD, .result_status = 1,
	    .results = j->verdicts.results, .ended_ns = now_unix_ns() };
	enum store_result result = store_verdicts_put(s, &j->verdicts, why);

	if (result != STORE_DONE || !j->aborts)
		return result;
	result = store_run_end(s, store_everybody, &end, why);
	return result == STORE_ENDED || result == STORE_NO_RUN ? STORE_DONE :
	    result;
}

void
judged_release(struct judged *j)
{
	judge_release(&j->judge);
	free(j->list);
	buf_release(&j->results);
}
