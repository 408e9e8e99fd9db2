/* SPDX-License-Identifier: MIT */
/* The message is written from its last field to its first, as pb wants it. */
#include "data/metricset.h"

#include "base/units.h"
#include "data/metricset_priv.h"

bool
metricset_is_reserved(struct span key)
{
	return (key.n >= 2 && memcmp(key.p, "__", 2) == 0) ||
	    span_is(key, "test_run_id");
}

/* proto3 leaves zeros away. */
static void
put_uint(struct pb_out *out, uint32_t field, uint64_t v)
{
	if (v != 0)
		pb_put_varint(out, field, v < UINT32_MAX ? v : UINT32_MAX);
}

static void
put_double(struct pb_out *out, uint32_t field, double v)
{
	if (v != 0)
		pb_put_double(out, field, v);
}

static void
put_text(struct pb_out *out, uint32_t field, struct span text)
{
	if (text.n != 0)
		pb_put_bytes(out, field, text);
}

static void
put_timestamp(struct pb_out *out, int64_t second)
{
	size_t since = out->n;

	if (second != 0)
		pb_put_varint(out, TIME_SECONDS, (uint64_t)second);
	pb_put_message(out, VALUE_TIME, since);
}

/* How many buckets from the i-th down have indexes without a gap. */
static size_t
span_length(const struct hist *h, size_t i)
{
	size_t n = 1;

	while (n <= i && h->buckets[i - n].index + n == h->buckets[i].index)
		n++;
	return n;
}

/* Buckets that stand before a span and are empty. */
static uint32_t
span_offset(const struct hist *h, size_t first)
{
	return h->buckets[first].index -
	    (first > 0 ? h->buckets[first - 1].index + 1 : 0);
}

static void
put_hist(struct pb_out *out, const struct hist *h)
{
	size_t i, n, since;

	for (i = h->n; i > 0; i -= n) {
		n = span_length(h, i - 1);
		since = out->n;
		pb_put_varint(out, SPAN_LENGTH, n);
		put_uint(out, SPAN_OFFSET, span_offset(h, i - n));
		pb_put_message(out, TREND_SPANS, since);
	}
	since = out->n;
	for (i = h->n; i > 0; i--)
		pb_put_packed(out, h->buckets[i - 1].count);
	if (h->n > 0)
		pb_put_message(out, TREND_COUNTERS, since);
}

static void
put_trend(struct pb_out *out, const struct sink *s)
{
	pb_put_double(out, TREND_RESOLUTION, METRICSET_RESOLUTION);
	put_uint(out, TREND_HIGH, s->hist.high);
	put_uint(out, TREND_LOW, s->hist.low);
	put_double(out, TREND_MAX, s->max);
	put_double(out, TREND_MIN, s->min);
	put_uint(out, TREND_COUNT, s->count);
	put_double(out, TREND_SUM, sink_sum(s));
	put_hist(out, &s->hist);
}

static void
put_value(struct pb_out *out, enum metric_type type,
    const struct metricset_value *v)
{
	const struct sink *s = v->sink;
	size_t since = out->n;

	switch (type) {
	case METRIC_COUNTER:
		put_double(out, COUNTER_VALUE, sink_sum(s));
		break;
	case METRIC_GAUGE:
		put_double(out, GAUGE_AVG, sink_avg(s));
		put_double(out, GAUGE_MAX, s->max);
		put_double(out, GAUGE_MIN, s->min);
		put_uint(out, GAUGE_COUNT, s->count);
		put_double(out, GAUGE_LAST, s->last);
		break;
	case METRIC_RATE:
		put_uint(out, RATE_TOTAL, s->count);
		put_uint(out, RATE_NONZERO, s->nonzero);
		break;
	case METRIC_TREND:
		put_trend(out, s);
		break;
	}
	put_timestamp(out, v->second);
	pb_put_message(out, SAMPLES_VALUES, since);
}

static void
put_labels(struct pb_out *out, const struct tagset *tags)
{
	const struct tag *tag;
	size_t i, since;

	for (i = tags->n; i > 0; i--) {
		tag = &tags->tags[i - 1];
		if (metricset_is_reserved(tag->key))
			continue;
		since = out->n;
		put_text(out, LABEL_VALUE, tag->value);
		put_text(out, LABEL_NAME, tag->key);
		pb_put_message(out, SERIES_LABELS, since);
	}
}

static void
put_series(struct pb_out *out, const struct metricset_series *s)
{
	size_t since = out->n, i;

	for (i = s->n; i > 0; i--)
		put_value(out, s->type, &s->values[i - 1]);
	pb_put_message(out, metricset_wire[s->type].samples, since);
	put_labels(out, s->tags);
	pb_put_message(out, METRIC_SERIES, since);
}

void
metricset_encode(const struct metricset *m, struct pb_out *out)
{
	const struct metricset_series *s;
	size_t i, since = out->n;

	for (i = m->n; i > 0; i--) {
		s = &m->series[i - 1];
		put_series(out, s);
		if (i > 1 && s[-1].type == s->type &&
		    span_equal(s[-1].metric, s->metric))
			continue;
		pb_put_varint(out, METRIC_TYPE, metricset_wire[s->type].type);
		put_text(out, METRIC_NAME, s->metric);
		pb_put_message(out, SET_METRICS, since);
		since = out->n;
	}
	put_uint(out, SET_PERIOD, m->period_s);
	put_text(out, SET_RUN, m->run);
}

/* JSON: names are those of the message, and zeros are left away as there. */
static void
print_number(struct jsn_out *o, const char *key, double v)
{
	if (v != 0)
		jsn_member_number(o, key, v);
}

static void
print_hist(struct jsn_out *o, const struct hist *h)
{
	uint32_t offset;
	size_t i, n;

	if (h->n == 0)
		return;
	hist_print_counters(h, o);
	jsn_key(o, "spans");
	jsn_open(o, '[');
	for (i = 0; i < h->n; i += n) {
		n = hist_span(h, i, &offset);
		jsn_open(o, '{');
		print_number(o, "offset", offset);
		print_number(o, "length", (double)n);
		jsn_close(o, '}');
	}
	jsn_close(o, ']');
}

static void
print_trend(struct jsn_out *o, const struct sink *s)
{
	print_hist(o, &s->hist);
	print_number(o, "sum", sink_sum(s));
	print_number(o, "count", (double)s->count);
	print_number(o, "min_value", s->min);
	print_number(o, "max_value", s->max);
	print_number(o, "extra_low_values_counter", (double)s->hist.low);
	print_number(o, "extra_high_values_counter", (double)s->hist.high);
	print_number(o, "min_resolution", METRICSET_RESOLUTION);
}

static void
print_value(struct jsn_out *o, enum metric_type type,
    const struct metricset_value *v)
{
	const struct sink *s = v->sink;
	char time[TIME_TEXT];

	jsn_open(o, '{');
	jsn_member_text(o, "time", (struct span){ time, time_print(time,
	    v->second * NS_PER_S) });
	switch (type) {
	case METRIC_COUNTER:
		print_number(o, "value", sink_sum(s));
		break;
	case METRIC_GAUGE:
		print_number(o, "last", s->last);
		print_number(o, "count", (double)s->count);
		print_number(o, "min", s->min);
		print_number(o, "max", s->max);
		print_number(o, "avg", sink_avg(s));
		break;
	case METRIC_RATE:
		print_number(o, "nonzero_count", (double)s->nonzero);
		print_number(o, "total_count", (double)s->count);
		break;
	case METRIC_TREND:
		print_trend(o, s);
		break;
	}
	jsn_close(o, '}');
}

static void
print_labels(struct jsn_out *o, const struct tagset *tags)
{
	bool has_any = false;
	size_t i;

	for (i = 0; i < tags->n; i++) {
		if (metricset_is_reserved(tags->tags[i].key))
			continue;
		if (!has_any) {
			jsn_key(o, "labels");
			jsn_open(o, '[');
			has_any = true;
		}
		jsn_open(o, '{');
		if (tags->tags[i].key.n != 0)
			jsn_member_text(o, "name", tags->tags[i].key);
		if (tags->tags[i].value.n != 0)
			jsn_member_text(o, "value", tags->tags[i].value);
		jsn_close(o, '}');
	}
	if (has_any)
		jsn_close(o, ']');
}

static void
print_series(const struct metricset_series *s, struct buf *out)
{
	struct jsn_out o = { .to = out };
	size_t i;

	jsn_open(&o, '{');
	jsn_member_text(&o, "name", s->metric);
	jsn_member_text(&o, "type",
	    span_of(metricset_wire[s->type].type_name));
	jsn_key(&o, "time_series");
	jsn_open(&o, '[');
	jsn_open(&o, '{');
	print_labels(&o, s->tags);
	jsn_key(&o, metricset_wire[s->type].samples_name);
	jsn_open(&o, '{');
	jsn_key(&o, "values");
	jsn_open(&o, '[');
	for (i = 0; i < s->n; i++)
		print_value(&o, s->type, &s->values[i]);
	jsn_close(&o, ']');
	jsn_close(&o, '}');
	jsn_close(&o, '}');
	jsn_close(&o, ']');
	jsn_close(&o, '}');
	buf_char(out, '\n');
}

void
metricset_print(const struct metricset *m, struct buf *out)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		print_series(&m->series[i], out);
}
