/* SPDX-License-Identifier: MIT */
/*
 * Fields may come in any order, so each message is gone through twice: for
 * what it says of itself, then for what it holds.
 */
#include "data/metricset.h"

#include <math.h>
#include <stdlib.h>

#include "base/units.h"
#include "data/metricset_priv.h"

/* Seconds that nanoseconds of 64 bits can hold. */
#define SECONDS_MAX INT64_C(9223372035)

struct reader {
	struct tags *tags;
	struct metricset_head *head;
	metricset_each *each;
	void *ctx;
	const char *error;	/* NULL, or what is wrong */
	int stopped;		/* what each returned, if not 0 */
	struct sample_series at;
	struct sink sink;	/* of the value in work; its hist is reused */
	uint64_t *counters;	/* owned, as spans */
	uint32_t *spans;
	size_t n_counters, cap_counters, n_spans, cap_spans;
	double resolution;
	struct tag labels[TAGS_MAX];
};

static bool
fail(struct reader *r, const char *error)
{
	if (r->error == NULL)
		r->error = error;
	return false;
}

/* True if the cursor came to the end of its message, and all is well. */
static bool
is_over(struct reader *r, const struct pb *p)
{
	if (p->error != NULL)
		(void)fail(r, p->error);
	return r->error == NULL && r->stopped == 0;
}

static bool
read_time(struct reader *r, struct span message)
{
	struct pb p = pb_of(message);
	struct pb_field f;
	int64_t seconds = 0;
	uint64_t nanos = 0;

	while (pb_next(&p, &f))
		if (f.number == TIME_SECONDS)
			seconds = (int64_t)pb_varint(&p, &f);
		else if (f.number == TIME_NANOS)
			nanos = pb_varint(&p, &f);
	if (seconds > SECONDS_MAX || seconds < -SECONDS_MAX ||
	    nanos >= NS_PER_S)
		return fail(r, "a time is out of range");
	r->at.time_ns = seconds * NS_PER_S + (int64_t)nanos;
	return is_over(r, &p);
}

static void
read_counter(struct reader *r, struct pb *p, const struct pb_field *f)
{
	if (f->number == COUNTER_VALUE)
		r->sink.sum = total_of(pb_double(p, f));
}

static void
read_gauge(struct reader *r, struct pb *p, const struct pb_field *f)
{
	struct sink *s = &r->sink;

	switch (f->number) {
	case GAUGE_LAST:
		s->last = pb_double(p, f);
		break;
	case GAUGE_COUNT:
		s->count = pb_uint32(p, f);
		break;
	case GAUGE_MIN:
		s->min = pb_double(p, f);
		break;
	case GAUGE_MAX:
		s->max = pb_double(p, f);
		break;
	case GAUGE_AVG:
		s->sum = total_of(pb_double(p, f));	/* average */
		break;
	}
}

static void
read_rate(struct reader *r, struct pb *p, const struct pb_field *f)
{
	if (f->number == RATE_NONZERO)
		r->sink.nonzero = pb_uint32(p, f);
	else if (f->number == RATE_TOTAL)
		r->sink.count = pb_uint32(p, f);
}

static void
add_counter(struct reader *r, uint64_t v)
{
	if (v > UINT32_MAX) {
		(void)fail(r, "a number is larger than 32 bits");
		return;
	}
	r->counters = xgrow(r->counters, r->n_counters, &r->cap_counters,
	    sizeof(*r->counters));
	r->counters[r->n_counters++] = v;
}

static void
read_counters(struct reader *r, struct pb *p, const struct pb_field *f)
{
	struct pb in;
	uint64_t v;

	if (f->wire == PB_VARINT) {	/* not packed: allowed too */
		add_counter(r, f->value);
		return;
	}
	in = pb_of(pb_bytes(p, f));
	while (pb_next_packed(&in, &v))
		add_counter(r, v);
	(void)is_over(r, &in);
}

static void
read_span(struct reader *r, struct span message)
{
	struct pb p = pb_of(message);
	uint32_t offset = 0, length = 0;
	struct pb_field f;

	while (pb_next(&p, &f))
		if (f.number == SPAN_OFFSET)
			offset = pb_uint32(&p, &f);
		else if (f.number == SPAN_LENGTH)
			length = pb_uint32(&p, &f);
	(void)is_over(r, &p);
	r->spans = xgrow(r->spans, r->n_spans, &r->cap_spans,
	    sizeof(*r->spans));
	r->spans[r->n_spans++] = offset;
	r->spans = xgrow(r->spans, r->n_spans, &r->cap_spans,
	    sizeof(*r->spans));
	r->spans[r->n_spans++] = length;
}

static void
read_trend(struct reader *r, struct pb *p, const struct pb_field *f)
{
	struct sink *s = &r->sink;

	switch (f->number) {
	case TREND_COUNTERS:
		read_counters(r, p, f);
		break;
	case TREND_SPANS:
		read_span(r, pb_bytes(p, f));
		break;
	case TREND_SUM:
		s->sum = total_of(pb_double(p, f));
		break;
	case TREND_COUNT:
		s->count = pb_uint32(p, f);
		break;
	case TREND_MIN:
		s->min = pb_double(p, f);
		break;
	case TREND_MAX:
		s->max = pb_double(p, f);
		break;
	case TREND_LOW:
		s->hist.low = pb_uint32(p, f);
		break;
	case TREND_HIGH:
		s->hist.high = pb_uint32(p, f);
		break;
	case TREND_RESOLUTION:
		r->resolution = pb_double(p, f);
		break;
	case TREND_DIGITS:
		if (pb_uint32(p, f) != 2)
			(void)fail(r, "a histogram with significant "
			    "digits other than 2");
		break;
	}
}

/* Up to k6 1.7 min and max stand in each other's place, and a max starts at
 * 0. */
static bool
end_gauge(struct sink *s)
{
	double swap = s->min;

	if (s->min > s->max) {
		s->min = s->max;
		s->max = swap;
	}
	if (s->count == 1)
		s->min = s->max = s->last;
	s->sum = total_of(sink_sum(s) * (double)s->count);
	return s->count != 0;
}

/* Buckets of another width, as ours that their middles fall in. */
static void
rescale(struct hist *h, double resolution)
{
	struct hist from = *h;
	double middle;
	size_t i;

	*h = (struct hist){ .low = from.low, .high = from.high };
	for (i = 0; i < from.n; i++) {
		middle = (hist_lower(from.buckets[i].index) +
		    hist_upper(from.buckets[i].index)) / 2;
		hist_add(h, middle / METRICSET_RESOLUTION * resolution,
		    from.buckets[i].count);
	}
	hist_release(&from);
}

static bool
end_trend(struct reader *r)
{
	struct sink *s = &r->sink;

	if (hist_fill(&s->hist, r->counters, r->n_counters, r->spans,
	    r->n_spans, NULL) < 0)
		return fail(r, "counters and spans do not fit");
	if (hist_count(&s->hist) != s->count)
		return fail(r, "a histogram does not add up to its count");
	if (r->resolution != 0 && r->resolution != METRICSET_RESOLUTION) {
		if (!(r->resolution > 0 && r->resolution < 0x1p60))
			return fail(r, "a histogram without a resolution");
		rescale(&s->hist, r->resolution);
	}
	return s->count != 0;
}

/* What the type says of the members that it does not have. False: there is
 * nothing to hand out. */
static bool
end_value(struct reader *r)
{
	struct sink *s = &r->sink;

	switch (r->at.type) {
	case METRIC_COUNTER:
		s->count = 1;
		s->min = s->max = s->last = sink_sum(s);
		s->nonzero = s->last != 0;
		return true;
	case METRIC_GAUGE:
		return end_gauge(s);
	case METRIC_RATE:
		if (s->nonzero > s->count)
			return fail(r, "more values are not zero than there "
			    "are");
		s->sum = total_of((double)s->nonzero);
		s->min = s->nonzero == s->count;
		s->max = s->last = s->nonzero != 0;
		return s->count != 0;
	case METRIC_TREND:
		s->last = sink_avg(s);
		s->nonzero = s->max != 0 ? s->count : 0;
		return end_trend(r);
	}
	return false;
}

static bool
is_finite(const struct sink *s)
{
	return isfinite(sink_sum(s)) && isfinite(s->min) && isfinite(s->max) &&
	    isfinite(s->last);
}

static bool
read_value(struct reader *r, struct span message)
{
	static void (*const members[])(struct reader *, struct pb *,
	    const struct pb_field *) = { [METRIC_COUNTER] = read_counter,
	    [METRIC_GAUGE] = read_gauge, [METRIC_RATE] = read_rate,
	    [METRIC_TREND] = read_trend };
	struct pb p = pb_of(message);
	struct pb_field f;

	hist_release(&r->sink.hist);
	r->sink = (struct sink){ .type = r->at.type };
	r->n_counters = r->n_spans = 0;
	r->resolution = 0;
	r->at.time_ns = 0;
	while (r->error == NULL && pb_next(&p, &f))
		if (f.number == VALUE_TIME)
			(void)read_time(r, pb_bytes(&p, &f));
		else
			members[r->at.type](r, &p, &f);
	if (!is_over(r, &p))
		return false;
	r->sink.last_ns = r->at.time_ns;
	if (!end_value(r))
		return r->error == NULL;
	if (!is_finite(&r->sink))
		r->head->skipped++;
	else
		r->stopped = r->each(r->ctx, &r->at, &r->sink);
	return r->stopped == 0;
}

static bool
read_samples(struct reader *r, struct span message)
{
	struct pb p = pb_of(message);
	struct pb_field f;

	while (pb_next(&p, &f))
		if (f.number == SAMPLES_VALUES &&
		    !read_value(r, pb_bytes(&p, &f)))
			break;
	return is_over(r, &p);
}

static bool
read_label(struct reader *r, struct span message, struct tag *label)
{
	struct pb p = pb_of(message);
	struct pb_field f;

	*label = (struct tag){ SPAN(""), SPAN("") };
	while (pb_next(&p, &f))
		if (f.number == LABEL_NAME)
			label->key = pb_bytes(&p, &f);
		else if (f.number == LABEL_VALUE)
			label->value = pb_bytes(&p, &f);
	return is_over(r, &p);
}

static bool
read_series(struct reader *r, struct span message)
{
	uint32_t samples = metricset_wire[r->at.type].samples;
	struct pb p = pb_of(message);
	struct pb_field f;
	size_t n = 0;

	while (pb_next(&p, &f)) {
		if (f.number == SERIES_LABELS) {
			if (n == TAGS_MAX)
				return fail(r, "too many labels");
			if (!read_label(r, pb_bytes(&p, &f), &r->labels[n++]))
				return false;
		} else if (f.number >= 2 && f.number <= 5 &&
		    f.number != samples) {
			return fail(r, "samples of another type than the "
			    "metric's");
		}
	}
	if (!is_over(r, &p))
		return false;
	r->at.tags = tags_intern(r->tags, r->labels, n);
	p = pb_of(message);
	while (pb_next(&p, &f))
		if (f.number == samples &&
		    !read_samples(r, pb_bytes(&p, &f)))
			return false;
	return is_over(r, &p);
}

static bool
take_type(struct reader *r, uint64_t number)
{
	int i;

	for (i = METRIC_COUNTER; i <= METRIC_RATE; i++)
		if (metricset_wire[i].type == number) {
			r->at.type = (enum metric_type)i;
			return true;
		}
	return fail(r, "a metric of unknown type");
}

static bool
read_metric(struct reader *r, struct span message)
{
	struct pb p = pb_of(message);
	struct pb_field f;
	uint64_t type = 0;

	r->at.metric = SPAN("");
	while (pb_next(&p, &f))
		if (f.number == METRIC_NAME)
			r->at.metric = pb_bytes(&p, &f);
		else if (f.number == METRIC_TYPE)
			type = pb_varint(&p, &f);
	if (!is_over(r, &p) || !take_type(r, type))
		return false;
	if (r->at.metric.n == 0)
		return fail(r, "a metric without a name");
	if (!metric_is_name(r->at.metric))
		return fail(r, "bad metric name");
	p = pb_of(message);
	while (pb_next(&p, &f))
		if (f.number == METRIC_SERIES &&
		    !read_series(r, pb_bytes(&p, &f)))
			return false;
	return is_over(r, &p);
}

static bool
read_head(struct reader *r, struct span message)
{
	struct pb p = pb_of(message);
	struct pb_field f;

	*r->head = (struct metricset_head){ .run = SPAN("") };
	while (pb_next(&p, &f))
		if (f.number == SET_RUN)
			r->head->run = pb_bytes(&p, &f);
		else if (f.number == SET_PERIOD)
			r->head->period_s = pb_uint32(&p, &f);
	return is_over(r, &p);
}

int
metricset_parse(struct span message, struct tags *tags,
    struct metricset_head *head, metricset_each *each, void *ctx,
    struct why *why)
{
	struct reader *r = xcalloc(1, sizeof(*r));
	struct pb p = pb_of(message);
	struct pb_field f;
	int status;

	*r = (struct reader){ .tags = tags, .head = head, .each = each,
	    .ctx = ctx };
	if (read_head(r, message)) {
		while (pb_next(&p, &f))
			if (f.number == SET_METRICS &&
			    !read_metric(r, pb_bytes(&p, &f)))
				break;
		(void)is_over(r, &p);
	}
	status = r->stopped;
	if (r->error != NULL)
		status = why_set(why, "protobuf MetricSet: %s", r->error);
	sink_release(&r->sink);
	free(r->counters);
	free(r->spans);
	free(r);
	return status;
}
