/* SPDX-License-Identifier: MIT */
/* Both ways to write a threshold become one. */
#include "k6serve/ingest/option_thresholds.h"

/* One source of a threshold: a text, or an object that has it. */
static void
copy_source(struct jsn *j, struct jsn_out *o)
{
	struct span key, text;

	if (jsn_peek(j) == '"') {
		if (jsn_value(j, &text))
			jsn_put_raw(o, text);
		return;
	}
	if (jsn_peek(j) != '{') {
		(void)jsn_skip(j);
		return;
	}
	(void)jsn_enter(j, '{');
	while (jsn_member(j, &key))
		if (!span_is(key, "threshold") || jsn_peek(j) != '"')
			(void)jsn_skip(j);
		else if (jsn_value(j, &text))
			jsn_put_raw(o, text);
}

void
option_thresholds(struct jsn *j, struct buf *out)
{
	struct jsn_out o = { .to = out };
	struct span metric;

	buf_reset(out);
	jsn_open(&o, '{');
	if (jsn_peek(j) != '{')
		(void)jsn_skip(j);
	else if (jsn_enter(j, '{'))
		while (jsn_member(j, &metric)) {
			if (jsn_peek(j) != '[') {
				(void)jsn_skip(j);
				continue;
			}
			if (o.need_comma)
				buf_char(out, ',');
			buf_printf(out, "\"%.*s\":", (int)metric.n, metric.p);
			o.need_comma = false;
			jsn_open(&o, '[');
			(void)jsn_enter(j, '[');
			while (jsn_element(j))
				copy_source(j, &o);
			jsn_close(&o, ']');
		}
	jsn_close(&o, '}');
}

void
option_thresholds_of(struct jsn *options, struct buf *out)
{
	struct span key;

	if (jsn_peek(options) != '{') {
		(void)jsn_skip(options);
		return;
	}
	(void)jsn_enter(options, '{');
	while (jsn_member(options, &key))
		if (span_is(key, "thresholds"))
			option_thresholds(options, out);
		else
			(void)jsn_skip(options);
}
