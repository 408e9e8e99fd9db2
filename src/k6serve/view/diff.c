/* SPDX-License-Identifier: MIT */
/* diff: what became better or worse from one run to another. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "data/measure.h"
#include "data/percentile.h"
#include "k6serve/view/failures.h"
#include "k6serve/view/group.h"
#include "k6serve/view/report.h"

static const char *const units[] = { "1/s", "share", "ms", "" };

static int
note_result(void *ctx, const struct store_run *run)
{
	((struct figures *)ctx)->result_status = run->result_status;
	return 0;
}

/* A name and method in both runs: the requests, and their figures. */
struct pair {
	const struct group *run[2];
	double change;		/* of p95 */
	enum measure_verdict verdict;
};

struct diff {
	struct view v[2];
	struct figures f[2];
	struct groups g[2];
	struct pair *pairs;	/* owned; the worst first */
	size_t n;
	int worse;		/* how many */
};

static void
diff_release(struct diff *d)
{
	int i;

	for (i = 0; i < 2; i++) {
		measure_release(&d->f[i]);
		groups_release(&d->g[i]);
	}
	free(d->pairs);
}

static int
add_row(void *ctx, const struct store_row *row)
{
	measure_add(ctx, row->metric, row->sink);
	return 0;
}

/* 0; 1: there is no such run; -1: why. */
static int
read_side(struct diff *d, int i, struct why *why)
{
	static const char *const metrics[] = { "http_reqs",
	    "http_req_failed", "http_req_duration" };
	struct view *v = &d->v[i];
	struct store_run_query run = { .owner = v->owner, .id = v->run };
	struct store_query q = { .owner = v->owner, .run = v->run,
	    .is_whole = true };
	int status = view_open(v, why);
	size_t k;

	if (status <= 0)
		return status < 0 ? -1 : 1;
	d->f[i].seconds = v->seconds;
	d->f[i].duration.type = d->f[i].expected.type = METRIC_TREND;
	d->g[i].by[0] = "name";
	d->g[i].by[1] = "method";
	if (store_runs(v->store, &run, note_result, &d->f[i], why) < 0 ||
	    store_series(v->store, &q, add_row, &d->f[i], why) < 0 ||
	    failures_by_status(v, &d->f[i].failed_by_status, why) < 0 ||
	    failures_expected(v, &d->f[i].expected, why) < 0)
		return -1;
	q.is_whole = false;
	for (k = 0; k < 3; k++) {
		q.metric = metrics[k];
		if (groups_read(&d->g[i], v->store, &q, why) < 0)
			return -1;
	}
	return 0;
}

static int
worst_first(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int i = x->verdict == WORSE, j = y->verdict == WORSE;

	if (i != j)
		return j - i;
	return group_by_reqs(&x->run[1], &y->run[1]);
}

static struct span
key_of(const struct group *g)
{
	return (struct span){ g->key, g->tag[0].n + g->tag[1].n + 3 };
}

static void
find_pairs(struct diff *d)
{
	struct pair *pair;
	struct group *g;
	double p[2], reqs[2];
	size_t at = 0;
	int i;

	d->pairs = xcalloc(d->g[1].by_key.n, sizeof(*d->pairs));
	while ((g = map_next(&d->g[1].by_key, &at)) != NULL) {
		pair = &d->pairs[d->n];
		*pair = (struct pair){ .run = { map_get(&d->g[0].by_key,
		    key_of(g)), g } };
		if (pair->run[0] == NULL)
			continue;
		d->n++;
		for (i = 0; i < 2; i++)
			p[i] = pair->run[i]->sink.count != 0 ?
			    sink_quantile(&pair->run[i]->sink,
			    percentiles[P95].at) : NAN;
		pair->change = measure_change(p[0], p[1]);
		reqs[0] = pair->run[0]->reqs;
		reqs[1] = g->reqs;
		pair->verdict = measure_judge_url(reqs, p, d->v[1].bound);
		d->worse += pair->verdict == WORSE;
	}
	if (d->n != 0)
		qsort(d->pairs, d->n, sizeof(*d->pairs), worst_first);
}

/* Compare v->run with v->base. 0; 1: one of them is not there; -1: why. */
static int
diff_read(struct diff *d, const struct view *v, struct why *why)
{
	int i, status;

	for (i = 0; i < 2; i++) {
		d->v[i] = *v;
		d->v[i].run = i == 0 ? v->base : v->run;
		status = read_side(d, i, why);
		if (status != 0)
			return status;
	}
	d->worse += measure_worse(d->f, v->bound);
	find_pairs(d);
	return 0;
}

static void
put_line(struct jsn_out *o, const struct measure *m, const struct diff *d)
{
	double a = m->of(&d->f[0]), b = m->of(&d->f[1]);

	jsn_open(o, '{');
	jsn_member_text(o, "figure", span_of(m->name));
	jsn_member_text(o, "unit", span_of(units[m->unit]));
	jsn_member_number(o, "base", a);
	jsn_member_number(o, "run", b);
	jsn_member_number(o, "change", measure_change(a, b));
	jsn_key(o, "judged");
	jsn_put_bool(o, m->sign != 0);
	jsn_member_text(o, "verdict", span_of(measure_verdict_name(
	    measure_verdict_of(m, &d->f[0], &d->f[1], d->v[1].bound))));
	jsn_close(o, '}');
}

static void
put_side(struct jsn_out *o, const char *key, const struct group *g)
{
	jsn_key(o, key);
	jsn_open(o, '{');
	jsn_member_number(o, "count", g->reqs);
	jsn_member_int(o, "failed", (int64_t)g->failed.nonzero);
	put_stats(o, &g->sink, "p50");
	jsn_close(o, '}');
}

static void
put_pair(struct jsn_out *o, const struct pair *pair)
{
	jsn_open(o, '{');
	jsn_member_text(o, "name", pair->run[1]->tag[0]);
	jsn_member_text(o, "method", pair->run[1]->tag[1]);
	put_side(o, "base", pair->run[0]);
	put_side(o, "run", pair->run[1]);
	jsn_member_number(o, "change", pair->change);
	jsn_member_text(o, "verdict", span_of(measure_verdict_name(
	    pair->verdict)));
	jsn_close(o, '}');
}

static int
put_diff(struct jsn_out *o, const struct diff *d, struct why *why)
{
	static const char *const keys[] = { "base", "run" };
	size_t i;

	jsn_open(o, '{');
	jsn_member_text(o, "schema", SPAN("k6serve-diff/1"));
	jsn_member_number(o, "bound", d->v[1].bound);
	jsn_member_int(o, "worse", d->worse);
	for (i = 0; i < 2; i++) {
		jsn_key(o, keys[i]);
		if (view_run(&d->v[i], o, why) < 0)
			return -1;
	}
	jsn_key(o, "figures");
	jsn_open(o, '[');
	for (i = 0; i < MEASURES; i++)
		put_line(o, &measures[i], d);
	jsn_close(o, ']');
	jsn_key(o, "urls");
	jsn_open(o, '[');
	for (i = 0; i < d->n; i++)
		put_pair(o, &d->pairs[i]);
	jsn_close(o, ']');
	jsn_close(o, '}');
	return 0;
}

int
view_diff(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct diff d = { 0 };
	int status = diff_read(&d, v, why);

	if (status == 0)
		status = put_diff(o, &d, why);
	diff_release(&d);
	return status;
}

/* Only names that changed beyond the bound; control characters of a name
 * would reach the terminal. */
static void
print_pair(const struct pair *pair, struct buf *out)
{
	double at = percentiles[P95].at;
	double p[2] = { sink_quantile(&pair->run[0]->sink, at),
	    sink_quantile(&pair->run[1]->sink, at) };
	struct buf name = { 0 };

	if (pair->verdict == SAME)
		return;
	jsn_escape(&name, pair->run[1]->tag[0]);
	buf_printf(out, "%.*s %s\n", (int)pair->run[1]->tag[1].n,
	    pair->run[1]->tag[1].p, name.p);
	measure_print_line(out, "  p95", UNIT_MS, p, pair->verdict);
	buf_release(&name);
}

static void
print_diff(const struct diff *d)
{
	struct buf out = { 0 };
	size_t i;

	measure_print(&out, d->f, d->v[1].bound);
	for (i = 0; i < d->n; i++)
		print_pair(&d->pairs[i], &out);
	measure_print_end(&out, d->worse, d->v[1].bound);
	(void)fwrite(out.p, 1, out.n, stdout);
	buf_release(&out);
}

int
diff_command(struct view *v, const char *base, const char *run)
{
	struct diff d = { 0 };
	struct why why = { .text = "the run is gone" };
	int status = EXIT_FAILED;

	v->base = run_operand(v, base);
	v->run = v->base != 0 ? run_operand(v, run) : 0;
	if (v->run == 0)
		return EXIT_USAGE;
	if (diff_read(&d, v, &why) != 0) {
		warnf("%s", why.text);
	} else {
		print_diff(&d);
		status = d.worse != 0 ? EXIT_FAILED : EXIT_DONE;
	}
	diff_release(&d);
	return close_stdout(status);
}
