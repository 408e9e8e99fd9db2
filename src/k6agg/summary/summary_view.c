/* SPDX-License-Identifier: MIT */
/* The rows of --summary in order, their sum, and the time they took. */
#include <math.h>
#include <stdlib.h>

#include "k6agg/summary/summary.h"

/* The most requests first. */
static int
by_requests(const void *a, const void *b)
{
	const struct request_row *x = *(void *const *)a, *y = *(void *const *)b;
	int order;

	if (sink_sum(&x->reqs) != sink_sum(&y->reqs))
		return sink_sum(&x->reqs) > sink_sum(&y->reqs) ? -1 : 1;
	order = strcmp(x->name, y->name);
	if (order == 0)
		order = strcmp(x->method, y->method);
	return order != 0 ? order : strcmp(x->status, y->status);
}

static int
by_check(const void *a, const void *b)
{
	const struct check_row *x = *(void *const *)a, *y = *(void *const *)b;
	int order = strcmp(x->group, y->group);

	return order != 0 ? order : strcmp(x->name, y->name);
}

static int
by_metric(const void *a, const void *b)
{
	const struct metric_row *x = *(void *const *)a, *y = *(void *const *)b;

	return strcmp(x->name, y->name);
}

static void
sort(struct rows *rows, int (*order)(const void *, const void *))
{
	if (rows->n > 0)
		qsort(rows->list, rows->n, sizeof(rows->list[0]), order);
}

/* What Start and End say; else from the first point to the last one. The
 * requests of an aggregate are somewhere in its bucket: it counts as far as it
 * surely goes beyond the points; without any point, the bucket's ends do. */
static void
find_time(const struct summary *s, struct summary_view *v)
{
	v->from_ns = s->has_points ? s->first_ns : s->first_edge_ns;
	v->to_ns = s->has_points ? s->last_ns : s->last_edge_ns;
	if (s->has_points && s->has_aggregates) {
		if (s->inner_first_ns < v->from_ns)
			v->from_ns = s->inner_first_ns;
		if (s->inner_last_ns > v->to_ns)
			v->to_ns = s->inner_last_ns;
	}
	if (s->told_first_ns != 0 && (!s->has_points ||
	    s->told_first_ns < v->from_ns))
		v->from_ns = s->told_first_ns;
	if (s->told_last_ns != 0 && (!s->has_points ||
	    s->told_last_ns > v->to_ns))
		v->to_ns = s->told_last_ns;
	v->seconds = (double)((__int128)v->to_ns - v->from_ns) / 1e9;
}

static void
sum_vus(struct summary *s, const char *name, const struct vus *v)
{
	struct metric_row *m = map_get(&s->metrics.by_key, span_of(name));

	if (m != NULL)
		(void)vus_sum(v, &m->sink);
}

void
summary_view(struct summary *s, struct summary_view *v)
{
	struct request_row *r;
	size_t i;

	*v = (struct summary_view){ .summary = s, .all = {
	    .name = (char *)"",	/* nobody writes it */
	    .reqs.type = METRIC_COUNTER, .failed.type = METRIC_RATE,
	    .ok.type = METRIC_TREND, .duration.type = METRIC_TREND } };
	sort(&s->requests, by_requests);
	sort(&s->checks, by_check);
	sort(&s->metrics, by_metric);
	for (i = 0; i < s->requests.n; i++) {
		r = s->requests.list[i];
		sink_merge(&v->all.reqs, &r->reqs);
		sink_merge(&v->all.failed, &r->failed);
		sink_merge(&r->duration, &r->other);
		sink_merge(&r->duration, &r->ok);
		sink_merge(&v->all.duration, &r->duration);
		sink_merge(&v->all.ok, &r->ok);
		v->all.has_outcome |= r->has_outcome;
	}
	sum_vus(s, "vus", &s->vus);
	sum_vus(s, "vus_max", &s->vus_max);
	find_time(s, v);
}

void
summary_view_release(struct summary_view *v)
{
	sink_release(&v->all.ok);
	sink_release(&v->all.duration);
}

double
summary_rate(const struct summary_view *v, double count)
{
	return v->seconds > 0 ? count / v->seconds : NAN;
}

double
summary_part(const struct sink *s)
{
	return s->count > 0 ? (double)s->nonzero / (double)s->count : NAN;
}

bool
summary_knows_failed(const struct request_row *r)
{
	return (double)r->failed.count >= sink_sum(&r->reqs);
}
