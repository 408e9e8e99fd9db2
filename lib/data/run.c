/* SPDX-License-Identifier: MIT */
/* Start and End lines, printed and parsed; names of run states. */
#include "data/run.h"

#include <math.h>

#include "base/units.h"
#include "data/jsn.h"

const char *
run_status_name(int status)
{
	static const char *const names[] = {
		"Created", "Validated", "Queued", "Initializing", "Running",
		"Finished", "Timed out", "Aborted by User",
		"Aborted by System", "Aborted by Script Error",
		"Aborted by Threshold", "Aborted by Limit",
	};

	if (status < RUN_CREATED || status > RUN_ABORTED_BY_LIMIT)
		return "Unknown";
	return names[status - RUN_CREATED];
}

int
run_status_worse(int a, int b)
{
	static const int by_weight[] = {
		RUN_ABORTED_BY_SYSTEM, RUN_ABORTED_BY_SCRIPT_ERROR,
		RUN_ABORTED_BY_THRESHOLD, RUN_ABORTED_BY_LIMIT,
		RUN_ABORTED_BY_USER, RUN_TIMED_OUT,
	};
	size_t i;

	for (i = 0; i < sizeof(by_weight) / sizeof(by_weight[0]); i++)
		if (a == by_weight[i] || b == by_weight[i])
			return by_weight[i];
	return a > b ? a : b;
}

static void
put_text(struct jsn_out *o, const char *key, struct span text)
{
	if (text.n == 0)
		return;
	jsn_key(o, key);
	jsn_put_text(o, text);
}

static void
put_int(struct jsn_out *o, const char *key, int64_t value)
{
	jsn_key(o, key);
	jsn_put_int(o, value);
}

static void
put_thresholds(struct jsn_out *o, struct span json)
{
	jsn_key(o, "thresholds");
	jsn_put_raw(o, json.n != 0 ? json : SPAN("{}"));
}

static struct jsn_out
open_line(struct buf *out, const char *type)
{
	struct jsn_out o = { .to = out };

	jsn_open(&o, '{');
	jsn_key(&o, "type");
	jsn_put_text(&o, span_of(type));
	jsn_key(&o, "data");
	jsn_open(&o, '{');
	return o;
}

static void
close_line(struct jsn_out *o)
{
	jsn_close(o, '}');
	jsn_close(o, '}');
	buf_char(o->to, '\n');
}

void
run_start_print(const struct run_start *r, struct buf *out)
{
	struct jsn_out o = open_line(out, "Start");
	char text[DURATION_TEXT];

	jsn_member_time(&o, "time", r->time_ns);
	put_text(&o, "tool", r->tool);
	put_text(&o, "host", r->host);
	put_text(&o, "name", r->name);
	put_text(&o, "executor", r->executor);
	put_int(&o, "vus", r->vus);
	if (r->duration_ns > 0) {
		jsn_key(&o, "duration");
		jsn_put_text(&o, (struct span){ text,
		    duration_print(text, r->duration_ns) });
	}
	if (r->iterations > 0)
		put_int(&o, "iterations", r->iterations);
	put_thresholds(&o, r->thresholds);
	close_line(&o);
}

void
run_end_print(const struct run_end *r, struct buf *out)
{
	struct jsn_out o = open_line(out, "End");

	jsn_member_time(&o, "time", r->time_ns);
	if (r->start_ns != 0)
		jsn_member_time(&o, "start", r->start_ns);
	put_text(&o, "tool", r->tool);
	put_text(&o, "state", span_of(run_status_name(r->run_status)));
	put_int(&o, "run_status", r->run_status);
	put_int(&o, "result_status", r->result_status);
	put_int(&o, "exit_code", r->exit_code);
	put_thresholds(&o, r->thresholds);
	if (r->is_books) {
		jsn_key(&o, "books");
		jsn_put_bool(&o, true);
	}
	put_int(&o, "streams", r->streams);
	put_int(&o, "points", r->points);
	put_int(&o, "requests", r->requests);
	put_int(&o, "folded", r->folded);
	put_int(&o, "passed", r->passed);
	if (r->dropped != 0)
		put_int(&o, "dropped", r->dropped);
	if (r->points_dropped != 0)
		put_int(&o, "points_dropped", r->points_dropped);
	put_int(&o, "late", r->late);
	put_int(&o, "skipped", r->skipped);
	close_line(&o);
}

static void
read_int(struct jsn *j, int64_t *to)
{
	double d;

	if (jsn_number(j, &d)) {
		if (fabs(d) <= 0x1p53)
			*to = (int64_t)d;
		else
			(void)jsn_fail(j, "a count is out of range");
	}
}

static void
read_small(struct jsn *j, int *to)
{
	int64_t v = 0;

	read_int(j, &v);
	if (v < -255 || v > 255)
		(void)jsn_fail(j, "a status is out of range");
	else
		*to = (int)v;
}

static void
read_time(struct jsn *j, int64_t *ns)
{
	struct span s;

	if (jsn_text(j, &s) && !time_parse(s, ns))
		(void)jsn_fail(j, "not an RFC 3339 time");
}

static void
read_duration(struct jsn *j, int64_t *ns)
{
	char text[DURATION_TEXT];
	struct span s;

	if (!jsn_text(j, &s))
		return;
	if (s.n >= sizeof(text)) {
		(void)jsn_fail(j, "not a duration");
		return;
	}
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (!duration_parse(text, ns))
		(void)jsn_fail(j, "not a duration");
}

/* Text as a place in `text`, which may still move: p is an offset until
 * settle() runs. */
static void
read_text(struct jsn *j, struct buf *text, struct span *to)
{
	struct span raw;
	size_t at = text->n;

	if (!jsn_text(j, &raw))
		return;
	jsn_unescape(text, raw);
	to->p = (const char *)at;
	to->n = text->n - at;
}

static void
settle(struct span *s, const struct buf *text)
{
	s->p = s->n != 0 ? text->p + (size_t)s->p : NULL;
}

int
run_start_parse(struct run_start *r, struct span data, struct buf *text,
    struct why *why)
{
	struct jsn j = jsn_of(data);
	struct span key;

	*r = (struct run_start){ .thresholds = SPAN("{}") };
	if (!jsn_enter(&j, '{'))
		return why_set(why, "Start: %s", j.error);
	while (jsn_plain_member(&j, &key)) {
		if (span_is(key, "time"))
			read_time(&j, &r->time_ns);
		else if (span_is(key, "tool"))
			read_text(&j, text, &r->tool);
		else if (span_is(key, "host"))
			read_text(&j, text, &r->host);
		else if (span_is(key, "name"))
			read_text(&j, text, &r->name);
		else if (span_is(key, "executor"))
			read_text(&j, text, &r->executor);
		else if (span_is(key, "vus"))
			read_int(&j, &r->vus);
		else if (span_is(key, "duration"))
			read_duration(&j, &r->duration_ns);
		else if (span_is(key, "iterations"))
			read_int(&j, &r->iterations);
		else if (span_is(key, "thresholds") && jsn_peek(&j) == '{')
			(void)jsn_value(&j, &r->thresholds);
		else
			(void)jsn_skip(&j);
	}
	settle(&r->tool, text);
	settle(&r->host, text);
	settle(&r->name, text);
	settle(&r->executor, text);
	return jsn_done(&j) ? 0 : why_set(why, "Start: %s", j.error);
}

int
run_end_parse(struct run_end *r, struct span data, struct why *why)
{
	struct jsn j = jsn_of(data);
	struct span key;

	*r = (struct run_end){ .run_status = RUN_FINISHED, .streams = 1,
	    .thresholds = SPAN("{}") };
	if (!jsn_enter(&j, '{'))
		return why_set(why, "End: %s", j.error);
	while (jsn_plain_member(&j, &key)) {
		if (span_is(key, "time"))
			read_time(&j, &r->time_ns);
		else if (span_is(key, "start"))
			read_time(&j, &r->start_ns);
		else if (span_is(key, "run_status"))
			read_small(&j, &r->run_status);
		else if (span_is(key, "result_status"))
			read_small(&j, &r->result_status);
		else if (span_is(key, "exit_code"))
			read_small(&j, &r->exit_code);
		else if (span_is(key, "thresholds") && jsn_peek(&j) == '{')
			(void)jsn_value(&j, &r->thresholds);
		else if (span_is(key, "books"))
			r->is_books = jsn_peek(&j) == 't', (void)jsn_skip(&j);
		else if (span_is(key, "streams"))
			read_int(&j, &r->streams);
		else if (span_is(key, "points"))
			read_int(&j, &r->points);
		else if (span_is(key, "requests"))
			read_int(&j, &r->requests);
		else if (span_is(key, "folded"))
			read_int(&j, &r->folded);
		else if (span_is(key, "passed"))
			read_int(&j, &r->passed);
		else if (span_is(key, "dropped"))
			read_int(&j, &r->dropped);
		else if (span_is(key, "points_dropped"))
			read_int(&j, &r->points_dropped);
		else if (span_is(key, "late"))
			read_int(&j, &r->late);
		else if (span_is(key, "skipped"))
			read_int(&j, &r->skipped);
		else
			(void)jsn_skip(&j);
	}
	return jsn_done(&j) ? 0 : why_set(why, "End: %s", j.error);
}

static void
merge(struct run_end *r, const struct run_end *other)
{
	r->run_status = run_status_worse(r->run_status, other->run_status);
	if (other->result_status != 0)
		r->result_status = other->result_status;
	if (r->exit_code == 0)
		r->exit_code = other->exit_code;
	if (other->time_ns > r->time_ns)
		r->time_ns = other->time_ns;
	if (r->start_ns == 0 || (other->start_ns != 0 &&
	    other->start_ns < r->start_ns))
		r->start_ns = other->start_ns;
	r->is_books &= other->is_books;
	r->streams += other->streams;
	r->points += other->points;
	r->requests += other->requests;
	r->folded += other->folded;
	r->passed += other->passed;
	r->dropped += other->dropped;
	r->points_dropped += other->points_dropped;
	r->late += other->late;
	r->skipped += other->skipped;
}

void
run_ends_add(struct run_ends *ends, const struct run_end *end)
{
	const struct span none = SPAN("{}");

	if (ends->n++ == 0)
		ends->end = *end;
	else
		merge(&ends->end, end);
	if (ends->thresholds.n == 0 && !span_equal(end->thresholds, none))
		buf_span(&ends->thresholds, end->thresholds);
	ends->end.thresholds = ends->thresholds.n != 0
	    ? buf_whole(&ends->thresholds) : none;
}

void
run_ends_release(struct run_ends *ends)
{
	buf_release(&ends->thresholds);
	*ends = (struct run_ends){ 0 };
}

static void
tell_lines(struct buf *out, int64_t n, const char *one, const char *other)
{
	if (n == 1)
		buf_printf(out, "%s %s line has", strcmp(one, "End") == 0
		    ? "an" : "a", one);
	else
		buf_printf(out, "%lld %s lines have", (long long)n, one);
	buf_printf(out, " no %s line", other);
}

void
run_cuts_start(struct run_cuts *c, const char *input)
{
	if (c->starts++ == 0)
		c->start_input = input;
}

void
run_cuts_end(struct run_cuts *c, int64_t streams, const char *input)
{
	int64_t known = streams < c->starts ? streams : c->starts;

	c->starts -= known;
	if (c->starts == 0)
		c->start_input = NULL;
	if (streams > known && c->ends == 0)
		c->end_input = input;
	c->ends += streams - known;
}

bool
run_tell_cut(int64_t starts, const struct run_ends *ends, struct buf *out)
{
	int64_t more = starts - ends->end.streams;

	if (more == 0)
		return false;
	buf_text(out, "the stream was cut: ");
	if (more > 0)
		tell_lines(out, more, "Start", "End");
	else
		tell_lines(out, -more, "End", "Start");
	return true;
}
