/* SPDX-License-Identifier: MIT */
/* A gauge of several generators, summed by seconds. */
#include "k6agg/summary/vus.h"

#include <math.h>
#include <stdlib.h>

#include "base/units.h"

/* Longer than a run lasts: times that are farther apart are no clock's. */
enum { SECONDS_MAX = 1 << 22 };

void
vus_release(struct vus *v)
{
	size_t i;

	for (i = 0; i < v->n; i++) {
		free(v->list[i]->id);
		free(v->list[i]->at);
		free(v->list[i]);
	}
	free(v->list);
	*v = (struct vus){ 0 };
}

struct vus_instance *
vus_instance(struct vus *v, struct span id)
{
	struct vus_instance *one;
	size_t i;

	for (i = 0; i < v->n; i++)
		if (span_is(id, v->list[i]->id))
			return v->list[i];
	one = xcalloc(1, sizeof(*one));
	one->id = xstrndup(id.p, id.n);
	v->list = xgrow(v->list, v->n, &v->cap, sizeof(v->list[0]));
	v->list[v->n++] = one;
	return one;
}

/* Room for so many seconds before what is there. */
static void
put_before(struct vus_instance *i, size_t n)
{
	size_t k;

	i->cap = i->n + n;
	i->at = xrealloc(i->at, i->cap * sizeof(i->at[0]));
	memmove(i->at + n, i->at, i->n * sizeof(i->at[0]));
	for (k = 0; k < n; k++)
		i->at[k] = (double)NAN;
	i->n += n;
	i->first_s -= (int64_t)n;
}

void
vus_add(struct vus_instance *i, double value, int64_t time_ns)
{
	int64_t second = time_ns / NS_PER_S - (time_ns % NS_PER_S < 0), at;

	if (i->n == 0)
		i->first_s = second;
	at = second - i->first_s;
	if (at < -SECONDS_MAX || at >= SECONDS_MAX ||
	    (at < 0 && (int64_t)i->n - at > SECONDS_MAX))
		return;
	if (at < 0) {
		put_before(i, (size_t)-at);
		at = 0;
	}
	while (i->n <= (size_t)at) {
		i->at = xgrow(i->at, i->n, &i->cap, sizeof(i->at[0]));
		i->at[i->n++] = (double)NAN;
	}
	i->at[at] = value;
}

/* Add what the generator had to the sums from a second on. */
static void
add_to(double *sums, int64_t first_s, const struct vus_instance *i)
{
	double last = 0;
	size_t k;

	for (k = 0; k < i->n; k++) {
		if (!isnan(i->at[k]))
			last = i->at[k];
		sums[i->first_s - first_s + (int64_t)k] += last;
	}
}

bool
vus_sum(const struct vus *v, struct sink *sum)
{
	int64_t first_s = INT64_MAX, end_s = INT64_MIN, s;
	const struct vus_instance *i;
	double *sums;
	size_t k;

	for (k = 0; k < v->n; k++) {
		i = v->list[k];
		if (i->first_s < first_s)
			first_s = i->first_s;
		if (i->first_s + (int64_t)i->n > end_s)
			end_s = i->first_s + (int64_t)i->n;
	}
	if (v->n < 2 || end_s - first_s > SECONDS_MAX)
		return false;
	sums = xcalloc((size_t)(end_s - first_s), sizeof(*sums));
	for (k = 0; k < v->n; k++)
		add_to(sums, first_s, v->list[k]);
	sink_release(sum);
	for (s = first_s; s < end_s; s++)
		sink_add(sum, sums[s - first_s], s * NS_PER_S);
	free(sums);
	return true;
}
