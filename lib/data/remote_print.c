/* SPDX-License-Identifier: MIT */
/* A series of remote write as JSON, for people and tests. */
#include <math.h>
#include <stdlib.h>

#include "data/jsn.h"
#include "data/native.h"
#include "data/remote.h"

static void
print_labels(struct pb *r, struct jsn_out *o)
{
	struct remote_label label;
	struct pb_field f;
	char *name;

	jsn_key(o, "labels");
	jsn_open(o, '{');
	while (pb_next(r, &f)) {
		if (f.number != REMOTE_LABEL)
			continue;
		label = remote_read_label(r, &f);
		name = xstrndup(label.name.p, label.name.n);
		jsn_key(o, name);
		free(name);
		jsn_put_text(o, label.value);
	}
	jsn_close(o, '}');
}

static void
put_number(struct jsn_out *o, double value)
{
	if (isfinite(value))
		jsn_put_number(o, value);
	else
		jsn_put_text(o, remote_is_stale(value) ? SPAN("stale")
		    : isnan(value) ? SPAN("NaN")
		    : value < 0 ? SPAN("-Inf") : SPAN("+Inf"));
}

static void
print_samples(struct pb *r, struct jsn_out *o)
{
	struct pb_field f;
	int64_t time_ms, start_ms;
	double value;

	jsn_key(o, "samples");
	jsn_open(o, '[');
	while (pb_next(r, &f)) {
		if (f.number != REMOTE_SAMPLE)
			continue;
		value = remote_read_sample(r, &f, &time_ms, &start_ms);
		jsn_open(o, '[');
		jsn_put_number(o, (double)time_ms);
		put_number(o, value);
		if (start_ms != 0)
			jsn_put_number(o, (double)start_ms);
		jsn_close(o, ']');
	}
	jsn_close(o, ']');
}

static void
print_side(struct jsn_out *o, const char *name, const struct native_side *side)
{
	uint32_t i;

	if (side->n == 0)
		return;
	jsn_key(o, name);
	jsn_open(o, '[');
	for (i = 0; i < side->n; i++) {
		jsn_open(o, '[');
		jsn_put_number(o, side->v[i].index);
		jsn_put_number(o, (double)side->v[i].count);
		jsn_close(o, ']');
	}
	jsn_close(o, ']');
}

static void
print_histogram(struct jsn_out *o, const struct native_sample *s)
{
	jsn_open(o, '{');
	jsn_member_int(o, "time", s->time_ms);
	if (s->start_ms != 0)
		jsn_member_int(o, "start", s->start_ms);
	jsn_member_int(o, "schema", s->schema);
	jsn_member_int(o, "count", (int64_t)s->hist.count);
	jsn_member_number(o, "sum", s->sum);
	jsn_member_int(o, "zero", (int64_t)s->hist.zero);
	print_side(o, "negative", &s->hist.negative);
	print_side(o, "positive", &s->hist.positive);
	jsn_close(o, '}');
}

static void
print_histograms(struct pb *r, struct jsn_out *o)
{
	struct native_sample s;
	struct pb_field f;
	struct why why;

	jsn_key(o, "histograms");
	jsn_open(o, '[');
	while (pb_next(r, &f)) {
		if (f.number != REMOTE_HISTOGRAM)
			continue;
		if (native_parse(&s, pb_bytes(r, &f), &why) < 0) {
			(void)pb_fail(r, "a histogram is damaged");
			break;
		}
		print_histogram(o, &s);
		native_release(&s.hist);
	}
	jsn_close(o, ']');
}

int
remote_print(struct span series, struct buf *out, struct why *why)
{
	void (*const parts[])(struct pb *, struct jsn_out *) = {
		print_labels, print_samples, print_histograms };
	struct jsn_out o = { .to = out };
	struct pb r;
	size_t i;

	jsn_open(&o, '{');
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		r = pb_of(series);
		parts[i](&r, &o);
		if (r.error != NULL)
			return why_set(why, "%s", r.error);
	}
	jsn_close(&o, '}');
	buf_char(out, '\n');
	return 0;
}
