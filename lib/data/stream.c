/* SPDX-License-Identifier: MIT */
#include "data/stream.h"

#include <stdlib.h>

#include "base/num.h"
#include "base/units.h"
#include "data/json.h"
#include "data/stream_priv.h"

/* Series kept by their raw bytes. Past this, lines of new series take the
 * general way each time: slower, with the same result. */
#ifndef SERIES_MAX
#define SERIES_MAX (1 << 17)
#endif
enum { NAME_MAX_BYTES = 128 };

static const char time_key[] = "\"time\":\"", value_key[] = SERIES_MIDDLE;

/* A Point line cut at its time and its value. */
struct cut {
	struct span head, time, value, tail;
	double number;
};

static void
forget_series(struct stream *s)
{
	struct series *series;
	size_t at = 0;

	while ((series = map_next(&s->series, &at)) != NULL) {
		free((char *)series->key.p);
		free(series);
	}
	map_release(&s->series);
	s->last = NULL;
}

void
stream_trim(struct stream *s, uint32_t max_tag_sets)
{
	if (s->tags.n <= max_tag_sets)
		return;
	forget_series(s);
	tags_release(&s->tags);
}

void
stream_release(struct stream *s)
{
	forget_series(s);
	tags_release(&s->tags);
	metrics_release(&s->metrics);
	buf_release(&s->key);
}

static bool
starts_with(struct span text, struct span head)
{
	return text.n >= head.n && memcmp(text.p, head.p, head.n) == 0;
}

/* Cut a line where k6 writes time and value. The first "time":" need not be
 * the right one: a cut is trusted only after the general parser has seen the
 * same head and tail, and found time and value in the same places. */
static bool
cut_line(struct span text, const struct series *guess, struct cut *c)
{
	const char *p, *end = text.p + text.n, *quote;
	size_t n;

	if (guess != NULL && starts_with(text, guess->head)) {
		p = text.p + guess->head.n;
	} else {
		p = memmem(text.p, text.n < 256 ? text.n : 256, time_key,
		    sizeof(time_key) - 1);
		if (p == NULL)
			return false;
		p += sizeof(time_key) - 1;
	}
	c->head = (struct span){ text.p, (size_t)(p - text.p) };
	quote = memchr(p, '"', (size_t)(end - p));
	if (quote == NULL || (size_t)(end - quote) < sizeof(value_key) ||
	    memcmp(quote, value_key, sizeof(value_key) - 1) != 0)
		return false;
	c->time = (struct span){ p, (size_t)(quote - p) };
	p = quote + sizeof(value_key) - 1;
	n = num_parse(p, (size_t)(end - p), &c->number);
	if (n == 0)
		return false;
	c->value = (struct span){ p, n };
	c->tail = (struct span){ p + n, (size_t)(end - p) - n };
	return true;
}

static struct span
key_of(struct stream *s, const struct cut *c)
{
	buf_reset(&s->key);
	buf_span(&s->key, c->head);
	buf_char(&s->key, '\0');
	buf_span(&s->key, c->tail);
	return (struct span){ s->key.p, s->key.n };
}

/* Members of a Point's data, with the text of time and value. */
struct point_parts {
	struct span time, value;
	bool has_time, has_value;
};

static bool
read_value(struct json *j, struct point *p, struct point_parts *parts)
{
	(void)json_peek(j);
	parts->value.p = j->p;
	parts->has_value = true;
	if (!json_number(j, &p->value))
		return json_fail(j, "value is not a number");
	parts->value.n = (size_t)(j->p - parts->value.p);
	return true;
}

static bool
read_time(struct json *j, struct point *p, struct point_parts *parts)
{
	parts->has_time = true;
	return json_text(j, &parts->time) &&
	    (time_parse(parts->time, &p->time_ns) ||
	    json_fail(j, "time is not RFC 3339"));
}

static bool
read_point(struct stream *s, struct json *j, struct point *p,
    struct point_parts *parts)
{
	struct span key;

	if (!json_enter(j, '{'))
		return json_fail(j, "data is not an object");
	while (json_member(j, &key)) {
		if (span_is(key, "time"))
			(void)read_time(j, p, parts);
		else if (span_is(key, "value"))
			(void)read_value(j, p, parts);
		else if (span_is(key, "tags"))
			p->tags = tags_read(&s->tags, j);
		else {
			p->has_metadata |= span_is(key, "metadata");
			(void)json_skip(j);
		}
	}
	if (j->error != NULL)
		return false;
	if (!parts->has_time || !parts->has_value)
		return json_fail(j, parts->has_time ? "no value" : "no time");
	if (p->tags == NULL)
		p->tags = tags_intern(&s->tags, NULL, 0);
	return true;
}

/* The metric that a raw name stands for. */
static struct metric *
metric_of(struct stream *s, struct span raw)
{
	struct metric *m;

	if (memchr(raw.p, '\\', raw.n) == NULL)
		return raw.n == 0 || raw.n > NAME_MAX_BYTES ? NULL
		    : metrics_get(&s->metrics, raw);
	buf_reset(&s->key);
	json_unescape(&s->key, raw);
	m = s->key.n == 0 || s->key.n > NAME_MAX_BYTES ? NULL
	    : metrics_get(&s->metrics, (struct span){ s->key.p, s->key.n });
	return m;
}

static bool
contains_parse(struct span text, enum metric_contains *contains)
{
	int i;

	for (i = CONTAINS_DEFAULT; i <= CONTAINS_DATA; i++)
		if (span_is(text, metric_contains_name(
		    (enum metric_contains)i))) {
			*contains = (enum metric_contains)i;
			return true;
		}
	return false;
}

static bool
read_metric(struct stream *s, struct json *j, struct span name)
{
	enum metric_contains contains = CONTAINS_DEFAULT;
	struct span key, type_name = { "", 0 }, text;
	enum metric_type type;
	struct metric *m;

	if (!json_enter(j, '{'))
		return json_fail(j, "data is not an object");
	while (json_member(j, &key)) {
		if (span_is(key, "type"))
			(void)json_text(j, &type_name);
		else if (span_is(key, "name") && name.n == 0)
			(void)json_text(j, &name);
		else if (span_is(key, "contains")) {
			if (json_text(j, &text))
				(void)contains_parse(text, &contains);
		} else
			(void)json_skip(j);
	}
	if (j->error != NULL)
		return false;
	m = metric_of(s, name);
	if (m == NULL)
		return json_fail(j, "no metric name, or one too long");
	if (!metric_type_parse(type_name, &type))
		return json_fail(j, "unknown metric type");
	if (m->is_declared && m->type != type)
		return json_fail(j, "metric declared again with another type");
	m->type = type;
	m->contains = contains;
	m->is_declared = true;
	return true;
}

static enum line_type
bad(struct line *out, const struct json *j, struct why *why)
{
	(void)why_set(why, "%s (column %zu)", j->error, json_column(j));
	return out->type = LINE_BAD;
}

/* The whole line, any member order: first the members, then what the type
 * asks for. */
static enum line_type
read_general(struct stream *s, struct span text, struct line *out,
    struct why *why)
{
	struct span key, type = { "", 0 }, metric = { "", 0 };
	struct json j = json_of(text), inner;
	struct point_parts parts = { 0 };
	bool is_good = true;

	out->data = (struct span){ text.p, 0 };
	if (json_peek(&j) == '\0' && j.p == j.end)
		return out->type = LINE_BLANK;
	(void)json_enter(&j, '{');
	while (json_member(&j, &key)) {
		if (span_is(key, "type"))
			(void)json_text(&j, &type);
		else if (span_is(key, "metric"))
			(void)json_text(&j, &metric);
		else if (span_is(key, "data"))
			(void)json_value(&j, &out->data);
		else
			(void)json_skip(&j);
	}
	if (!json_done(&j))
		return bad(out, &j, why);
	inner = j;
	inner.p = out->data.p;
	inner.end = out->data.p + out->data.n;
	if (span_is(type, "Point")) {
		out->point = (struct point){ .line = text };
		out->type = LINE_POINT;
		is_good = read_point(s, &inner, &out->point, &parts);
		out->point.metric = is_good ? metric_of(s, metric) : NULL;
		if (is_good && out->point.metric == NULL)
			is_good = json_fail(&inner, "no metric, or too long");
		out->data = (struct span){ parts.time.p,
		    (size_t)(parts.value.p - parts.time.p) };
	} else if (span_is(type, "Metric")) {
		out->type = LINE_METRIC;
		is_good = read_metric(s, &inner, metric);
	} else if (span_is(type, "Start")) {
		out->type = LINE_START;
	} else if (span_is(type, "End")) {
		out->type = LINE_END;
	} else if (span_is(type, "AggregatedPoints")) {
		out->type = LINE_AGGREGATED;
	} else if (type.n != 0) {
		out->type = LINE_OTHER;
	} else {
		is_good = json_fail(&inner, "no type");
	}
	return is_good ? out->type : bad(out, &inner, why);
}

/* Keep what the general parser made of a line. It must have found time and
 * value where the cut did, or else other bytes there would mean something
 * else. Metadata (VU, iteration) differs on each line: nothing to keep. */
static void
remember(struct stream *s, const struct cut *c, const struct line *line)
{
	const struct point *p = &line->point;
	struct span key = key_of(s, c);
	struct series *series;

	if (s->series.n >= SERIES_MAX || p->has_metadata ||
	    line->data.p != c->time.p ||
	    line->data.p + line->data.n != c->value.p)
		return;
	series = xcalloc(1, sizeof(*series));
	key.p = xstrndup(key.p, key.n);
	*series = (struct series){ .key = key, .head = { key.p, c->head.n },
	    .tail = { key.p + c->head.n + 1, c->tail.n },
	    .metric = p->metric, .tags = p->tags };
	map_put(&s->series, series->key, series);
}

/* The series of a cut line: the one guessed, or looked up. */
static struct series *
series_of(struct stream *s, const struct cut *c, struct series *guess)
{
	if (guess != NULL && span_equal(c->tail, guess->tail) &&
	    span_equal(c->head, guess->head))
		return guess;
	return map_get(&s->series, key_of(s, c));
}

/* A time, most often that of the line before. */
static bool
time_of(struct stream *s, struct span text, int64_t *ns)
{
	if (text.n != 0 && text.n == s->time_n &&
	    memcmp(text.p, s->time_text, text.n) == 0) {
		*ns = s->time_ns;
		return true;
	}
	if (!time_parse(text, ns))
		return false;
	if (text.n <= sizeof(s->time_text)) {
		memcpy(s->time_text, text.p, text.n);
		s->time_n = text.n;
		s->time_ns = *ns;
	}
	return true;
}

enum line_type
stream_read(struct stream *s, struct span text, struct line *out,
    struct why *why)
{
	struct series *guess = s->last != NULL ? s->last->next : NULL;
	struct series *series;
	struct cut c;

	if (!cut_line(text, guess, &c))
		return read_general(s, text, out, why);
	series = series_of(s, &c, guess);
	if (s->last != NULL && series != NULL)
		s->last->next = series;
	s->last = series;
	if (series != NULL) {
		out->point = (struct point){ .metric = series->metric,
		    .tags = series->tags, .value = c.number, .line = text,
		    .series = series,
		    .time_at = (uint32_t)c.head.n,
		    .time_n = (uint32_t)c.time.n,
		    .value_at = (uint32_t)(c.value.p - text.p),
		    .value_n = (uint32_t)c.value.n };
		if (time_of(s, c.time, &out->point.time_ns))
			return out->type = LINE_POINT;
	}
	if (read_general(s, text, out, why) == LINE_POINT && series == NULL)
		remember(s, &c, out);
	return out->type;
}

void
stream_print_metric(struct buf *out, const struct metric *m,
    struct span thresholds, struct span submetrics)
{
	struct json_out o = { .to = out };

	json_open(&o, '{');
	json_key(&o, "type");
	json_put_text(&o, SPAN("Metric"));
	json_key(&o, "data");
	json_open(&o, '{');
	json_key(&o, "name");
	json_put_text(&o, m->name);
	json_key(&o, "type");
	json_put_text(&o, span_of(metric_type_name(m->type)));
	json_key(&o, "contains");
	json_put_text(&o, span_of(metric_contains_name(m->contains)));
	json_key(&o, "thresholds");
	json_put_raw(&o, thresholds);
	json_key(&o, "submetrics");
	json_put_raw(&o, submetrics);
	json_close(&o, '}');
	json_key(&o, "metric");
	json_put_text(&o, m->name);
	json_close(&o, '}');
	buf_char(out, '\n');
}

void
stream_print_head(struct buf *out, struct span metric)
{
	buf_span(out, SPAN("{\"metric\":\""));
	json_escape(out, metric);
	buf_span(out, SPAN("\",\"type\":\"Point\",\"data\":{\"time\":\""));
}

static char *
put(char *to, struct span s)
{
	memcpy(to, s.p, s.n);
	return to + s.n;
}

/* A generator writes a million of these a second: room is made once. */
void
stream_print_text(struct buf *out, struct span head, struct span time,
    struct span value, struct span tags_json, struct span metadata)
{
	static const struct span middle = { SERIES_MIDDLE,
		sizeof(SERIES_MIDDLE) - 1 };
	static const struct span tags = { ",\"tags\":", 8 };
	static const struct span meta = { ",\"metadata\":", 12 };
	static const struct span end = { "}}\n", 3 };
	size_t n = head.n + time.n + middle.n + value.n + tags.n +
	    tags_json.n + (metadata.n > 0 ? meta.n + metadata.n : 0) + end.n;
	char *p = buf_room(out, n);

	if (p == NULL)
		return;
	p = put(put(put(put(p, head), time), middle), value);
	p = put(put(p, tags), tags_json);
	if (metadata.n > 0)
		p = put(put(p, meta), metadata);
	*put(p, end) = '\0';
	out->n += n;
}

void
stream_print_point(struct buf *out, struct span metric, int64_t time_ns,
    double value, struct span tags_json)
{
	char time[TIME_TEXT], number[NUM_TEXT];
	struct buf head = { 0 };

	stream_print_head(&head, metric);
	stream_print_text(out, buf_whole(&head),
	    (struct span){ time, time_print(time, time_ns) },
	    (struct span){ number, num_print(number, value) }, tags_json,
	    (struct span){ NULL, 0 });
	buf_release(&head);
}
