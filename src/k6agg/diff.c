/* SPDX-License-Identifier: MIT */
/* Two streams summed up and compared, by the rules of k6serve diff. */
#include "k6agg/diff.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/measure.h"
#include "data/percentile.h"
#include "k6agg/agg_priv.h"

/* One stream, and the thresholds that it was judged by. */
struct side {
	struct agg *agg;
	struct judge judge;
	struct summary_view view;
	bool has_view;
};

/* Requests of one name and method in both streams; sinks are owned. */
struct pair {
	char *key;		/* name, NUL, method; owned */
	double reqs[2];
	struct sink times[2];
	enum measure_verdict verdict;
};

struct pairs {
	struct map by_key;
	struct pair **list;	/* owned */
	size_t n, cap;
};

/* The status with which reading ended. */
static int
side_read(struct side *s, struct options *o, char *const *file,
    const volatile sig_atomic_t *stop)
{
	struct why why;
	size_t i;
	int status;

	for (i = 0; i < o->thresholds.n; i++)
		(void)judge_add_option(&s->judge, o->thresholds.items[i],
		    &why);
	s->agg = agg_new(o, file, 1, stop);
	s->agg->judge = s->agg->summary_sink.judge = &s->judge;
	status = agg_read(s->agg);
	if (status != EXIT_DONE)
		return status;
	summary_view(&s->agg->summary, &s->view);
	s->has_view = true;
	s->agg->summary_sink.n_crossed = judge_all(&s->judge,
	    s->view.seconds);
	return EXIT_DONE;
}

static void
side_release(struct side *s)
{
	if (s->has_view)
		summary_view_release(&s->view);
	agg_free(s->agg);
	judge_release(&s->judge);
}

static void
add_metric(struct figures *f, const struct summary *s, const char *name)
{
	const struct metric_row *m = map_get(&s->metrics.by_key,
	    span_of(name));

	if (m != NULL)
		measure_add(f, span_of(name), &m->sink);
}

static void
figures_of(const struct side *side, struct figures *f)
{
	const struct summary_view *v = &side->view;
	const struct run_ends *ends = &side->agg->books.ends;
	const struct check_row *c;
	size_t i;

	*f = (struct figures){ .seconds = v->seconds,
	    .duration.type = METRIC_TREND, .expected.type = METRIC_TREND,
	    .failed_by_status = (double)NAN };
	measure_add(f, SPAN("http_reqs"), &v->all.reqs);
	measure_add(f, SPAN("http_req_failed"), &v->all.failed);
	measure_add(f, SPAN("http_req_duration"), &v->all.duration);
	sink_merge(&f->expected, &v->all.ok);
	add_metric(f, v->summary, "iterations");
	for (i = 0; i < v->summary->checks.n; i++) {
		c = v->summary->checks.list[i];
		measure_add(f, SPAN("checks"), &c->passes);
	}
	f->result_status = side->agg->summary_sink.n_crossed > 0 ||
	    ends->end.result_status != 0;
}

static struct pair *
pair_of(struct pairs *ps, const struct request_row *r)
{
	struct buf key = { 0 };
	struct pair *p;

	buf_text(&key, r->name);
	buf_char(&key, '\0');
	buf_text(&key, r->method);
	p = map_get(&ps->by_key, buf_whole(&key));
	if (p == NULL) {
		p = xcalloc(1, sizeof(*p));
		p->key = xstrndup(key.p, key.n);
		p->times[0].type = p->times[1].type = METRIC_TREND;
		map_put(&ps->by_key, (struct span){ p->key, key.n }, p);
		ps->list = xgrow(ps->list, ps->n, &ps->cap,
		    sizeof(ps->list[0]));
		ps->list[ps->n++] = p;
	}
	buf_release(&key);
	return p;
}

static void
pairs_add(struct pairs *ps, int i, const struct summary *s)
{
	const struct request_row *r;
	struct pair *p;
	size_t k;

	for (k = 0; k < s->requests.n; k++) {
		r = s->requests.list[k];
		p = pair_of(ps, r);
		p->reqs[i] += sink_sum(&r->reqs);
		sink_merge(&p->times[i], &r->duration);
	}
}

static void
pairs_release(struct pairs *ps)
{
	size_t i;
	int k;

	for (i = 0; i < ps->n; i++) {
		for (k = 0; k < 2; k++)
			sink_release(&ps->list[i]->times[k]);
		free(ps->list[i]->key);
		free(ps->list[i]);
	}
	free(ps->list);
	map_release(&ps->by_key);
}

static void
p95_of(const struct pair *p, double p95[2])
{
	int i;

	for (i = 0; i < 2; i++)
		p95[i] = p->times[i].count != 0 ? sink_quantile(&p->times[i],
		    percentiles[P95].at) : (double)NAN;
}

static int
worst_first(const void *a, const void *b)
{
	const struct pair *x = *(struct pair *const *)a;
	const struct pair *y = *(struct pair *const *)b;
	int i = x->verdict == WORSE, j = y->verdict == WORSE;

	if (i != j)
		return j - i;
	if (x->reqs[1] != y->reqs[1])
		return x->reqs[1] > y->reqs[1] ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* How many are worse; they come first. */
static int
pairs_judge(struct pairs *ps, double bound)
{
	double p95[2];
	int worse = 0;
	size_t i;

	for (i = 0; i < ps->n; i++) {
		p95_of(ps->list[i], p95);
		ps->list[i]->verdict = measure_judge_url(ps->list[i]->reqs,
		    p95, bound);
		worse += ps->list[i]->verdict == WORSE;
	}
	if (ps->n > 0)
		qsort(ps->list, ps->n, sizeof(ps->list[0]), worst_first);
	return worse;
}

/* Only names that changed beyond the bound. */
static void
pair_print(const struct pair *p, struct buf *out)
{
	double p95[2];

	if (p->verdict == SAME)
		return;
	p95_of(p, p95);
	buf_text(out, p->key + strlen(p->key) + 1);
	buf_char(out, ' ');
	jsn_escape(out, span_of(p->key));
	buf_char(out, '\n');
	measure_print_line(out, "  p95", UNIT_MS, p95, p->verdict);
}

/* Returns the exit status. */
static int
compare(struct side side[2], double bound)
{
	struct figures f[2];
	struct pairs pairs = { .n = 0 };
	struct buf out = { 0 };
	size_t i;
	int k, worse;

	for (k = 0; k < 2; k++) {
		figures_of(&side[k], &f[k]);
		pairs_add(&pairs, k, &side[k].agg->summary);
	}
	worse = measure_worse(f, bound) + pairs_judge(&pairs, bound);
	measure_print(&out, f, bound);
	for (i = 0; i < pairs.n; i++)
		pair_print(pairs.list[i], &out);
	measure_print_end(&out, worse, bound);
	(void)fwrite(out.p, 1, out.n, stdout);
	buf_release(&out);
	pairs_release(&pairs);
	measure_release(&f[0]);
	measure_release(&f[1]);
	return worse != 0 ? EXIT_FAILED : EXIT_DONE;
}

int
agg_diff(struct options *o, char *const *files,
    const volatile sig_atomic_t *stop)
{
	struct side side[2] = { { .has_view = false } };
	int i, status = EXIT_DONE;

	for (i = 0; i < 2 && status == EXIT_DONE; i++)
		status = side_read(&side[i], o, &files[i], stop);
	if (status == EXIT_DONE)
		status = compare(side, (double)o->bound / 100);
	for (i = 0; i < 2; i++)
		side_release(&side[i]);
	return close_stdout(status);
}
