/* SPDX-License-Identifier: MIT */
/* Lines of k6stream(5): which kind each is, and what it says. */
#include "data/stream.h"

#include <stdlib.h>

#include "base/num.h"
#include "base/units.h"
#include "data/jsn.h"

enum { FRAMES_BYTES = 1 << 25 };

void
stream_trim(struct stream *s, uint32_t max_tag_sets)
{
	if (s->tags.n <= max_tag_sets && s->frames.bytes <= FRAMES_BYTES)
		return;
	frames_forget_tails(&s->frames);
	tags_release(&s->tags);
}

void
stream_release(struct stream *s)
{
	frames_release(&s->frames);
	tags_release(&s->tags);
	metrics_release(&s->metrics);
	buf_release(&s->key);
	buf_release(&s->type);
}

static bool
read_value(struct jsn *j, struct point *p, struct frame_parts *parts)
{
	(void)jsn_peek(j);
	parts->value.p = j->p;
	if (!jsn_number(j, &p->value))
		return jsn_fail(j, "value is not a number");
	parts->value.n = (size_t)(j->p - parts->value.p);
	return true;
}

static bool
read_time(struct stream *s, struct jsn *j, struct point *p,
    struct frame_parts *parts)
{
	return jsn_text(j, &parts->time) &&
	    (time_parse(jsn_plain(&s->key, parts->time), &p->time_ns) ||
	    jsn_fail(j, "time is not RFC 3339"));
}

static void
read_tags(struct stream *s, struct jsn *j, struct point *p,
    struct frame_parts *parts)
{
	(void)jsn_peek(j);
	parts->tags_text.p = j->p;
	p->tags = tags_read(&s->tags, j);
	parts->tags_text.n = (size_t)(j->p - parts->tags_text.p);
}

static bool
read_point(struct stream *s, struct jsn *j, struct point *p,
    struct frame_parts *parts)
{
	struct span key;

	if (!jsn_enter(j, '{'))
		return jsn_fail(j, "data is not an object");
	while (jsn_plain_member(j, &key)) {
		if (span_is(key, "time"))
			(void)read_time(s, j, p, parts);
		else if (span_is(key, "value"))
			(void)read_value(j, p, parts);
		else if (span_is(key, "tags"))
			read_tags(s, j, p, parts);
		else {
			p->has_metadata |= span_is(key, "metadata");
			(void)jsn_skip(j);
		}
	}
	if (j->error != NULL)
		return false;
	if (parts->time.p == NULL || parts->value.p == NULL)
		return jsn_fail(j, parts->time.p != NULL ? "no value"
		    : "no time");
	if (p->tags == NULL)
		p->tags = tags_intern(&s->tags, NULL, 0);
	return true;
}

/* The metric that a raw name stands for. */
static struct metric *
metric_of(struct stream *s, struct span raw)
{
	struct span name = jsn_plain(&s->key, raw);

	return metric_is_name(name) ? metrics_get(&s->metrics, name) : NULL;
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
read_metric(struct stream *s, struct jsn *j, struct span name,
    struct line *out)
{
	size_t n_before = s->metrics.by_name.n;
	enum metric_contains contains = CONTAINS_DEFAULT;
	struct span key, type_name = { "", 0 }, text;
	enum metric_type type;
	struct metric *m;

	if (!jsn_enter(j, '{'))
		return jsn_fail(j, "data is not an object");
	while (jsn_plain_member(j, &key)) {
		if (span_is(key, "type"))
			(void)jsn_text(j, &type_name);
		else if (span_is(key, "name") && name.n == 0)
			(void)jsn_text(j, &name);
		else if (span_is(key, "contains")) {
			if (jsn_text(j, &text))
				(void)contains_parse(jsn_plain(&s->key,
				    text), &contains);
		} else
			(void)jsn_skip(j);
	}
	if (j->error != NULL)
		return false;
	m = metric_of(s, name);
	if (m == NULL)
		return jsn_fail(j, "no metric name, or one too long");
	if (!metric_type_parse(jsn_plain(&s->key, type_name), &type))
		return jsn_fail(j, "unknown metric type");
	if (m->is_declared && m->type != type)
		return jsn_fail(j, "metric declared again with another type");
	out->metric = m;
	out->is_late = s->metrics.by_name.n == n_before && !m->is_declared &&
	    type != METRIC_TREND && metric_builtin(m->name) == NULL;
	m->was_late |= out->is_late;
	m->type = type;
	m->contains = contains;
	m->is_declared = true;
	return true;
}

static enum line_type
bad(struct line *out, const struct jsn *j, struct why *why)
{
	(void)why_set(why, "%s (column %zu)", j->error, jsn_column(j));
	return out->type = LINE_BAD;
}

/* A Point, and what its frame is worth remembering for. */
static bool
read_whole_point(struct stream *s, struct jsn *data, struct span line,
    struct span metric, struct point *p)
{
	struct frame_parts parts = { .line = line, .metric_text = metric };

	*p = (struct point){ .line = line };
	if (!read_point(s, data, p, &parts))
		return false;
	p->metric = metric_of(s, metric);
	if (p->metric == NULL)
		return jsn_fail(data, "no metric name, or one too long");
	if (!metric_takes(p->metric, p->value)) {
		data->p = parts.value.p;
		return jsn_fail(data,
		    "value is not a whole number of requests");
	}
	parts.metric = p->metric;
	parts.tags = p->tags;
	if (!p->has_metadata)
		frames_learn(&s->frames, &parts);
	return true;
}

/* The whole line, any member order: first the members, then what the type
 * asks for. */
static enum line_type
read_general(struct stream *s, struct span text, struct line *out,
    struct why *why)
{
	struct span key, type = { "", 0 }, metric = { "", 0 };
	struct jsn j = jsn_of(text), inner;
	bool is_good = true;

	out->data = (struct span){ text.p, 0 };
	if (jsn_peek(&j) == '\0' && j.p == j.end)
		return out->type = LINE_BLANK;
	(void)jsn_enter(&j, '{');
	while (jsn_plain_member(&j, &key)) {
		if (span_is(key, "type"))
			(void)jsn_text(&j, &type);
		else if (span_is(key, "metric"))
			(void)jsn_text(&j, &metric);
		else if (span_is(key, "data"))
			(void)jsn_value(&j, &out->data);
		else
			(void)jsn_skip(&j);
	}
	if (!jsn_done(&j))
		return bad(out, &j, why);
	inner = j;
	inner.p = out->data.p;
	inner.end = out->data.p + out->data.n;
	type = jsn_plain(&s->type, type);
	if (span_is(type, "Point")) {
		out->type = LINE_POINT;
		is_good = read_whole_point(s, &inner, text, metric,
		    &out->point);
	} else if (span_is(type, "Metric")) {
		out->type = LINE_METRIC;
		is_good = read_metric(s, &inner, metric, out);
	} else if (span_is(type, "Start")) {
		out->type = LINE_START;
	} else if (span_is(type, "End")) {
		out->type = LINE_END;
	} else if (span_is(type, "AggregatedPoints")) {
		out->type = LINE_AGGREGATED;
	} else if (type.n != 0) {
		out->type = LINE_OTHER;
	} else {
		is_good = jsn_fail(&inner, "no type");
	}
	return is_good ? out->type : bad(out, &inner, why);
}

int
stream_points(struct stream *s, struct span text, struct point *out, int max,
    size_t *bytes)
{
	return frames_match_all(&s->frames, text, out, max, bytes);
}

enum line_type
stream_read(struct stream *s, struct span text, struct line *out,
    struct why *why)
{
	if (text.n == 0 ||
	    frames_match(&s->frames, text, &out->point) != text.n)
		return read_general(s, text, out, why);
	return out->type = LINE_POINT;
}

void
stream_print_metric(struct buf *out, const struct metric *m,
    struct span thresholds, struct span submetrics)
{
	struct jsn_out o = { .to = out };

	jsn_open(&o, '{');
	jsn_key(&o, "type");
	jsn_put_text(&o, SPAN("Metric"));
	jsn_key(&o, "data");
	jsn_open(&o, '{');
	jsn_key(&o, "name");
	jsn_put_text(&o, m->name);
	jsn_key(&o, "type");
	jsn_put_text(&o, span_of(metric_type_name(m->type)));
	jsn_key(&o, "contains");
	jsn_put_text(&o, span_of(metric_contains_name(m->contains)));
	jsn_key(&o, "thresholds");
	jsn_put_raw(&o, thresholds);
	jsn_key(&o, "submetrics");
	jsn_put_raw(&o, submetrics);
	jsn_close(&o, '}');
	jsn_key(&o, "metric");
	jsn_put_text(&o, m->name);
	jsn_close(&o, '}');
	buf_char(out, '\n');
}

void
stream_print_head(struct buf *out, struct span metric)
{
	buf_span(out, SPAN("{\"metric\":\""));
	jsn_escape(out, metric);
	buf_span(out, SPAN("\",\"type\":\"Point\",\"data\":{\"time\":\""));
}

static char *
put(char *to, struct span s)
{
	memcpy(to, s.p, s.n);
	return to + s.n;
}

/* A time or a number is shorter, and a copy of a fixed length is no call. */
enum { SHORT = NUM_TEXT };

static char *
put_short(char *to, struct span s)
{
	memcpy(to, s.p, SHORT);
	return to + s.n;
}

/* A generator writes a million of these a second: room is made once. */
void
stream_print_text(struct buf *out, struct span head, struct span time,
    struct span value, struct span tags_json, struct span metadata)
{
	static const struct span middle = { FRAME_MIDDLE,
		sizeof(FRAME_MIDDLE) - 1 };
	static const struct span tags = { ",\"tags\":", 8 };
	static const struct span meta = { ",\"metadata\":", 12 };
	static const struct span end = { "}}\n", 3 };
	size_t n = head.n + time.n + middle.n + value.n + tags.n +
	    tags_json.n + (metadata.n > 0 ? meta.n + metadata.n : 0) + end.n;
	char *p = buf_room(out, n + SHORT);

	if (p == NULL)
		return;
	p = put_short(put(put_short(put(p, head), time), middle), value);
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

enum { UNTYPED_NAMES = 3 };

static bool
is_before(struct span a, struct span b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order < 0 || (order == 0 && a.n < b.n);
}

bool
stream_tell_untyped(const struct stream *s, struct buf *out)
{
	const struct metric *names[UNTYPED_NAMES + 1], *m;
	size_t at = 0, n = 0, shown = 0, i;

	while ((m = map_next(&s->metrics.by_name, &at)) != NULL) {
		if ((m->is_declared && !m->was_late) ||
		    metric_builtin(m->name) != NULL)
			continue;
		n++;
		for (i = shown; i > 0 && is_before(m->name,
		    names[i - 1]->name); i--)
			names[i] = names[i - 1];
		names[i] = m;
		shown += shown < UNTYPED_NAMES;
	}
	if (n == 0)
		return false;
	buf_printf(out, "%zu metric%s points without a Metric line before "
	    "them, which were taken as a trend:", n, n == 1 ? " has"
	    : "s have");
	for (i = 0; i < shown; i++)
		buf_printf(out, "%s %.*s", i > 0 ? "," : "",
		    (int)names[i]->name.n, names[i]->name.p);
	if (n > shown)
		buf_text(out, ", ...");
	return true;
}
