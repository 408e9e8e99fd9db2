/* SPDX-License-Identifier: MIT */
/* links: k6push.a */
/* A message of protocol 2 as any bytes: each value that is read, written as a
 * message of its own, reads and writes as the same bytes again. */
#include <stdlib.h>

#include "base/units.h"
#include "data/metricset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct reader {
	struct tags tags;
	struct pb_out first, second;
};

static void
write_value(const struct sample_series *at, const struct sink *sink,
    struct pb_out *out)
{
	struct metricset_value value = { at->time_ns / NS_PER_S, sink };
	struct metricset_series series = { at->metric, at->type, at->tags,
	    &value, 1 };
	struct metricset set = { SPAN("1"), 3, &series, 1 };

	metricset_encode(&set, out);
}

static int
write_second(void *ctx, const struct sample_series *at,
    const struct sink *sink)
{
	struct reader *r = ctx;

	write_value(at, sink, &r->second);
	return 0;
}

static int
write_first(void *ctx, const struct sample_series *at,
    const struct sink *sink)
{
	struct metricset_head head;
	struct reader *r = ctx;
	struct why why;

	/* an average that was multiplied and divided need not come back */
	if (at->type == METRIC_GAUGE)
		return 0;
	write_value(at, sink, &r->first);
	if (metricset_parse(pb_whole(&r->first), &r->tags, &head,
	    write_second, r, &why) != 0 || !span_is(head.run, "1"))
		abort();
	if (!span_equal(pb_whole(&r->first), pb_whole(&r->second)))
		abort();
	pb_release(&r->first);
	pb_release(&r->second);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reader r = { 0 };
	struct metricset_head head;
	struct why why = { "" };

	if (metricset_parse((struct span){ (const char *)data, n }, &r.tags,
	    &head, write_first, &r, &why) < 0 && why.text[0] == '\0')
		abort();
	tags_release(&r.tags);
	pb_release(&r.first);
	pb_release(&r.second);
	return 0;
}
