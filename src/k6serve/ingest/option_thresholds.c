/* SPDX-License-Identifier: MIT */
/* Reads both ways to write a threshold. */
#include "k6serve/ingest/option_thresholds.h"

#include "data/threshold.h"

struct copying {
	struct buf *out;
	struct span metric;	/* whose list is open; n 0: none */
};

static void
copy_one(void *ctx, struct span metric, const struct threshold_json *one)
{
	struct copying *c = ctx;

	if (c->metric.p == metric.p)
		buf_char(c->out, ',');
	else
		buf_printf(c->out, "%s\"%.*s\":[", c->metric.p != NULL ? "]," :
		    "", (int)metric.n, metric.p);
	c->metric = metric;
	buf_printf(c->out, "\"%.*s\"", (int)one->source.n, one->source.p);
}

void
option_thresholds(struct jsn *options, struct buf *out)
{
	struct copying c = { .out = out };
	struct span key, value;

	if (jsn_peek(options) != '{') {
		(void)jsn_skip(options);
		return;
	}
	(void)jsn_enter(options, '{');
	while (jsn_member(options, &key)) {
		if (!span_is(key, "thresholds")) {
			(void)jsn_skip(options);
			continue;
		}
		if (!jsn_value(options, &value))
			return;
		buf_reset(out);
		buf_char(out, '{');
		c.metric = (struct span){ NULL, 0 };
		threshold_walk(value, copy_one, &c);
		buf_text(out, c.metric.p != NULL ? "]}" : "}");
	}
}
