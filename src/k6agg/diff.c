/* SPDX-License-Identifier: MIT */
/* Two streams summed up and compared, by the rules of k6serve diff. */
#include "k6agg/diff.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/compare.h"
#include "data/percentile.h"
#include "k6agg/agg_priv.h"

/* One stream, and the thresholds that it was judged by. */
struct side {
	struct agg *agg;
	struct judge judge;
	struct summary_view view;
	bool has_view;
};

/* Requests of one name and method in both streams; owned. */
struct pair {
	char *key;		/* name, NUL, method */
	double reqs[2];
	struct sink times[2];
	struct course courses[2];
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

	for (i = 0; i < o->thresholds.n && !o->has_no_thresholds; i++)
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
add_courses(struct figures *f, const struct summary *s)
{
	struct course *to = f->course;
	const struct request_row *r;
	const struct check_row *c;
	size_t i;

	for (i = 0; i < s->requests.n; i++) {
		r = s->requests.list[i];
		course_merge(&to[COURSE_REQS], &r->reqs_course);
		course_merge(&to[COURSE_FAILED], &r->failed_course);
		course_merge(&to[COURSE_DURATION], &r->ok_course);
		course_merge(&to[COURSE_DURATION], &r->other_course);
		course_merge(&to[COURSE_EXPECTED], &r->ok_course);
	}
	for (i = 0; i < s->checks.n; i++) {
		c = s->checks.list[i];
		course_merge(&to[COURSE_CHECKS], &c->passes_course);
	}
}

static void
figures_of(const struct side *side, struct figures *f)
{
	const struct summary_view *v = &side->view;
	const struct run_ends *ends = &side->agg->books.ends;
	const struct check_row *c;
	size_t i;

	figures_init(f);
	f->seconds = v->seconds;
	measure_add(f, SPAN("http_reqs"), &v->all.reqs);
	measure_add(f, SPAN("http_req_failed"), &v->all.failed);
	measure_add(f, SPAN("http_req_duration"), &v->all.duration);
	sink_merge(&f->expected, &v->all.ok);
	add_metric(f, v->summary, "iterations");
	for (i = 0; i < v->summary->checks.n; i++) {
		c = v->summary->checks.list[i];
		measure_add(f, SPAN("checks"), &c->passes);
	}
	add_courses(f, v->summary);
	for (i = 0; i < side->judge.n; i++)
		if (side->judge.list[i]->is_failed)
			figures_cross(f,
			    side->judge.list[i]->of->key.text,
			    side->judge.list[i]->threshold.source);
	f->has_crossed = ends->end.result_status != 0;
}

static struct pair *
pair_of(struct pairs *ps, const struct request_row *r)
{
	struct buf key = { 0 };
	struct pair *p;
	int i;

	buf_text(&key, r->name);
	buf_char(&key, '\0');
	buf_text(&key, r->method);
	p = map_get(&ps->by_key, buf_whole(&key));
	if (p == NULL) {
		p = xcalloc(1, sizeof(*p));
		p->key = xstrndup(key.p, key.n);
		for (i = 0; i < 2; i++)
			p->times[i].type = p->courses[i].type = METRIC_TREND;
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
		course_merge(&p->courses[i], &r->ok_course);
		course_merge(&p->courses[i], &r->other_course);
	}
}

static void
pairs_release(struct pairs *ps)
{
	size_t i;
	int k;

	for (i = 0; i < ps->n; i++) {
		for (k = 0; k < 2; k++) {
			sink_release(&ps->list[i]->times[k]);
			course_release(&ps->list[i]->courses[k]);
		}
		free(ps->list[i]->key);
		free(ps->list[i]);
	}
	free(ps->list);
	map_release(&ps->by_key);
}

static void
compare_pair(struct comparison *c, const struct pair *p)
{
	const struct course *const courses[] = { &p->courses[0],
	    &p->courses[1] };
	double p95[2];
	size_t at;
	int i;

	for (i = 0; i < 2; i++)
		p95[i] = p->times[i].count != 0 ? sink_quantile(&p->times[i],
		    percentiles[P95].at) : (double)NAN;
	at = compare_add_name(c, &(struct name_of_runs){ p->key,
	    p->key + strlen(p->key) + 1, p->reqs, p95 });
	if (compare_asks(c, at))
		compare_name(c, at, p95, courses);
}

static void
put_name(const struct change_of_name *n, struct jsn_out *o)
{
	jsn_open(o, '{');
	jsn_member_text(o, "name", span_of(n->name));
	jsn_member_text(o, "method", span_of(n->method));
	jsn_key(o, "count");
	jsn_open(o, '[');
	jsn_put_number(o, n->reqs[0]);
	jsn_put_number(o, n->reqs[1]);
	jsn_close(o, ']');
	jsn_key(o, "p95");
	jsn_open(o, '[');
	jsn_put_number(o, n->p95.value[0]);
	jsn_put_number(o, n->p95.value[1]);
	jsn_close(o, ']');
	compare_put_change(&n->p95, o);
	jsn_close(o, '}');
}

static void
print_json(const struct comparison *c, struct buf *out)
{
	struct jsn_out o = { .to = out };
	size_t i;

	jsn_open(&o, '{');
	jsn_member_text(&o, "schema", SPAN("k6agg-diff/1"));
	compare_put(c, &o);
	jsn_key(&o, "urls");
	jsn_open(&o, '[');
	for (i = 0; i < c->n_names; i++)
		put_name(&c->names[i], &o);
	jsn_close(&o, ']');
	jsn_close(&o, '}');
	buf_char(out, '\n');
}

/* Is a threshold of --threshold crossed? Each that is, is told. */
static bool
tell_crossed(const struct judge *j)
{
	const struct verdict *v;
	bool is_crossed = false;
	size_t i;

	for (i = 0; i < j->n; i++) {
		v = j->list[i];
		if (!v->is_asked || !v->is_failed)
			continue;
		warnf("a threshold was crossed: %.*s %.*s",
		    (int)v->threshold.key.text.n, v->threshold.key.text.p,
		    (int)v->threshold.source.n, v->threshold.source.p);
		is_crossed = true;
	}
	return is_crossed;
}

/* Append what changed. Returns the exit status. */
static int
compare(struct side side[2], const struct options *o, struct buf *out)
{
	struct figures f[2];
	struct comparison c = { .base = &f[0], .n_base = 1, .run = &f[1],
	    .min_effect = o->min_effect < 0 ? COMPARE_MIN_EFFECT :
	    o->min_effect };
	struct pairs pairs = { .n = 0 };
	size_t i;
	int k;

	for (k = 0; k < 2; k++) {
		figures_of(&side[k], &f[k]);
		pairs_add(&pairs, k, &side[k].agg->summary);
	}
	compare_figures(&c);
	for (i = 0; i < pairs.n; i++)
		compare_pair(&c, pairs.list[i]);
	compare_conclude(&c);
	if (o->is_json)
		print_json(&c, out);
	else
		compare_print(&c, out);
	pairs_release(&pairs);
	figures_release(&f[0]);
	figures_release(&f[1]);
	compare_release(&c);
	if (tell_crossed(&side[1].judge))
		return EXIT_THRESHOLD;
	if (c.worse != 0)
		return EXIT_FAILED;
	/* What is not there may have crossed it. */
	return o->thresholds.n > 0 && !o->has_no_thresholds &&
	    side[1].agg->summary_sink.is_cut ? EXIT_FAILED : EXIT_DONE;
}

int
agg_diff(struct options *o, char *const *files,
    const volatile sig_atomic_t *stop)
{
	struct side side[2] = { { .has_view = false } };
	struct buf out = { 0 };
	int i, status = EXIT_DONE;

	for (i = 0; i < 2 && status == EXIT_DONE; i++)
		status = side_read(&side[i], o, &files[i], stop);
	if (status == EXIT_DONE)
		status = compare(side, o, &out);
	for (i = 0; i < 2; i++)
		side_release(&side[i]);
	status = close_stdout_with(out.p, out.n, status);
	buf_release(&out);
	return status;
}
