/* SPDX-License-Identifier: MIT */
/* Chances: by Student's t, and for one finding among many. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/evidence.h"

static int
smallest_first(const void *a, const void *b)
{
	double x = **(double *const *)a, y = **(double *const *)b;

	return (x > y) - (x < y);
}

void
evidence_adjust(double *const *p, size_t n_p, size_t n)
{
	double **sorted = xcalloc(n_p, sizeof(*sorted)), most = 0;
	size_t i;

	for (i = 0; i < n_p; i++)
		sorted[i] = p[i];
	if (n_p != 0)
		qsort(sorted, n_p, sizeof(*sorted), smallest_first);
	for (i = 0; i < n_p; i++) {
		most = fmax(most, *sorted[i] * (double)(n - i));
		*sorted[i] = fmin(1, most);
	}
	free(sorted);
}

/* The incomplete beta function's continued fraction, by Lentz's way. */
static double
beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1), f, term;
	int m;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	f = d;
	for (m = 1; m < 300; m++) {
		term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		d = 1 + term * d;
		c = 1 + term / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		f *= d * c;
		term = -(a + m) * (a + b + m) * x / ((a + 2 * m) *
		    (a + 2 * m + 1));
		d = 1 + term * d;
		c = 1 + term / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		f *= d * c;
		if (fabs(d * c - 1) < 1e-12)
			break;
	}
	return f;
}

/* Its regularized form. */
static double
beta_part(double a, double b, double x)
{
	int sign;
	double front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) -
	    lgamma_r(b, &sign) + a * log(x) + b * log1p(-x));

	return front * beta_fraction(a, b, x) / a;
}

double
evidence_student(double t, double freedom)
{
	double a = freedom / 2, x;

	if (!isfinite(t))
		return isnan(t) ? 1 : 0;
	if (t == 0)
		return 1;
	/* So many are a normal distribution. */
	if (freedom > 1e5)
		return erfc(fabs(t) / sqrt(2));
	x = freedom / (freedom + t * t);
	if (x < (a + 1) / (a + 2.5))
		return beta_part(a, 0.5, x);
	return 1 - beta_part(0.5, a, 1 - x);
}
