/* SPDX-License-Identifier: MIT */
/* The bounds between which a duration is ordinary: quartile fences. */
#include "k6agg/fold/fence.h"

#include <math.h>

static void
swap(int64_t *a, int64_t *b)
{
	int64_t old = *a;

	*a = *b;
	*b = old;
}

/* Bring the value of rank k of n to its place: what is before it is not larger,
 * what is behind it is not smaller. Hoare's selection, in O(n) for any order,
 * as the pivots are random. */
static int64_t
select_rank(int64_t *v, size_t n, size_t rank)
{
	uint64_t random = 0x9e3779b97f4a7c15U;
	ptrdiff_t first = 0, last = (ptrdiff_t)n - 1, k = (ptrdiff_t)rank;
	ptrdiff_t i, j;
	int64_t pivot;

	while (first < last) {
		random = random * 6364136223846793005U + 1442695040888963407U;
		pivot = v[first + (ptrdiff_t)((random >> 33) %
		    (uint64_t)(last - first + 1))];
		i = first;
		j = last;
		while (i <= j) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i <= j)
				swap(&v[i++], &v[j--]);
		}
		if (k <= j)
			last = j;
		else if (k >= i)
			first = i;
		else
			break;
	}
	return v[k];
}

static int64_t
least(const int64_t *v, size_t n)
{
	int64_t min = v[0];
	size_t i;

	for (i = 1; i < n; i++)
		if (v[i] < min)
			min = v[i];
	return min;
}

/* The value at place p (0..1) of n values as if they were sorted: by
 * interpolation, its fraction cut off, or the nearest one. */
static int64_t
value_at(int64_t *v, size_t n, double p, bool is_interpolated)
{
	double place = p * (double)(n - 1), below = floor(place);
	int64_t lower, upper;
	size_t k;

	if (!is_interpolated)
		return select_rank(v, n, (size_t)round(place));
	k = (size_t)below;
	lower = upper = select_rank(v, n, k);
	if (place > below)
		upper = least(v + k + 1, n - k - 1);
	return lower + (int64_t)((double)(upper - lower) * (place - below));
}

/* a + b, kept within the range. */
static int64_t
add(int64_t a, double b)
{
	double sum = (double)a + b;

	if (sum >= 0x1p63 || b >= 0x1p63)
		return INT64_MAX;
	if (sum <= -0x1p63 || b <= -0x1p63)
		return INT64_MIN;
	return a + (int64_t)b;
}

struct fence
fence_of(const struct fence_rule *rule, int64_t *values, size_t n)
{
	double radius = rule->radius < 0.5 ? rule->radius : 0.5;
	bool is_interpolated = (int64_t)n < rule->algo_threshold;
	int64_t q1, q3;
	double range;

	q1 = value_at(values, n, 0.5 - radius, is_interpolated);
	q3 = value_at(values, n, 0.5 + radius, is_interpolated);
	range = (double)(q3 - q1);
	return (struct fence){ add(q1, -trunc(rule->coef_lower * range)),
	    add(q3, trunc(rule->coef_upper * range)) };
}

bool
fence_holds(const struct fence *f, int64_t value)
{
	return value >= f->min && value <= f->max;
}
