/* SPDX-License-Identifier: MIT */
/* What is kept of the values of a series, by its type. */
#include "data/sink.h"

void
sink_release(struct sink *s)
{
	hist_release(&s->hist);
	*s = (struct sink){ .type = s->type };
}

/* All but the sum and the histogram. */
static inline void
note(struct sink *s, double value, int64_t time_ns)
{
	if (s->count == 0) {
		s->min = s->max = value;
		s->last_ns = time_ns;
	}
	if (value < s->min)
		s->min = value;
	if (value > s->max)
		s->max = value;
	if (time_ns >= s->last_ns) {
		s->last = value;
		s->last_ns = time_ns;
	}
	s->count++;
	s->nonzero += value != 0;
}

void
sink_add(struct sink *s, double value, int64_t time_ns)
{
	note(s, value, time_ns);
	total_add(&s->sum, value);
	if (s->type == METRIC_TREND)
		hist_add(&s->hist, value, 1);
}

void
sink_add_ns(struct sink *s, struct hist_tally *h, int64_t ns, int64_t time_ns)
{
	double value = (double)ns / TOTAL_PER_ONE;

	note(s, value, time_ns);
	s->sum.millionths += ns;
	hist_tally_add(h, value);
}

void
sink_merge(struct sink *s, const struct sink *from)
{
	if (from->count == 0)
		return;
	if (s->count == 0 || from->min < s->min)
		s->min = from->min;
	if (s->count == 0 || from->max > s->max)
		s->max = from->max;
	if (s->count == 0 || from->last_ns >= s->last_ns) {
		s->last = from->last;
		s->last_ns = from->last_ns;
	}
	s->count += from->count;
	s->nonzero += from->nonzero;
	total_merge(&s->sum, &from->sum);
	hist_merge(&s->hist, &from->hist);
}

double
sink_sum(const struct sink *s)
{
	return total_value(&s->sum);
}

double
sink_avg(const struct sink *s)
{
	return s->count != 0 ? sink_sum(s) / (double)s->count : 0;
}

double
sink_quantile(const struct sink *s, double p)
{
	return hist_quantile(&s->hist, p, s->min, s->max);
}
