/* SPDX-License-Identifier: MIT */
#include "data/fence.h"

#include <math.h>
#include <stdlib.h>

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The value at place p (0..1) of n sorted ones: by interpolation, its
 * fraction cut off, or the nearest one. */
static int64_t
value_at(const int64_t *sorted, size_t n, double p, bool is_interpolated)
{
	double place = p * (double)(n - 1), below = floor(place);
	int64_t lower, upper;

	if (!is_interpolated)
		return sorted[(size_t)round(place)];
	lower = sorted[(size_t)below];
	upper = sorted[(size_t)ceil(place)];
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

	qsort(values, n, sizeof(values[0]), by_value);
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
