/* SPDX-License-Identifier: MIT */
/* A histogram as k6 writes it: counters and spans, and as JSON. */
#include <math.h>
#include <stdlib.h>

#include "data/hist_priv.h"

size_t
hist_span(const struct hist *h, size_t first, uint32_t *offset)
{
	const struct hist_bucket *at = &h->buckets[first];
	size_t n = 1;

	*offset = at->index - (first > 0 ? at[-1].index + 1 : 0);
	while (first + n < h->n && at[n].index == at->index + n)
		n++;
	return n;
}

void
hist_print_counters(const struct hist *h, struct jsn_out *o)
{
	size_t i;

	jsn_key(o, "counters");
	jsn_open(o, '[');
	for (i = 0; i < h->n; i++)
		jsn_put_int(o, (int64_t)h->buckets[i].count);
	jsn_close(o, ']');
}

void
hist_print(const struct hist *h, struct jsn_out *o)
{
	uint32_t offset;
	size_t i, n;

	hist_print_counters(h, o);
	jsn_key(o, "spans");
	jsn_open(o, '[');
	for (i = 0; i < h->n; i += n) {
		n = hist_span(h, i, &offset);
		jsn_put_int(o, (int64_t)offset);
		jsn_put_int(o, (int64_t)n);
	}
	jsn_close(o, ']');
	if (h->low != 0) {
		jsn_key(o, "low");
		jsn_put_int(o, (int64_t)h->low);
	}
	if (h->high != 0) {
		jsn_key(o, "high");
		jsn_put_int(o, (int64_t)h->high);
	}
}

/* A whole number of 0..2^53. */
static bool
read_count(struct jsn *j, uint64_t *count)
{
	double d;

	if (!jsn_number(j, &d))
		return false;
	if (!(d >= 0 && d <= 0x1p53) || d != floor(d)) {
		(void)jsn_fail(j, "not a count");
		return false;
	}
	*count = (uint64_t)d;
	return true;
}

bool
hist_read(struct hist_reader *r, struct jsn *j, struct span key)
{
	uint64_t v;

	if (span_is(key, "low"))
		return read_count(j, &r->to->low);
	if (span_is(key, "high"))
		return read_count(j, &r->to->high);
	if (span_is(key, "counters")) {
		if (!jsn_enter(j, '['))
			return false;
		while (jsn_element(j) && read_count(j, &v)) {
			r->counters = xgrow(r->counters, r->n_counters,
			    &r->cap_counters, sizeof(*r->counters));
			r->counters[r->n_counters++] = v;
		}
		return true;
	}
	if (span_is(key, "spans")) {
		if (!jsn_enter(j, '['))
			return false;
		while (jsn_element(j) && read_count(j, &v)) {
			r->spans = xgrow(r->spans, r->n_spans, &r->cap_spans,
			    sizeof(*r->spans));
			r->spans[r->n_spans++] = v > HIST_MAX_INDEX + 1
			    ? HIST_MAX_INDEX + 1 : (uint32_t)v;
		}
		return true;
	}
	return false;
}

int
hist_fill(struct hist *h, const uint64_t *counters, size_t n_counters,
    const uint32_t *spans, size_t n_spans, struct why *why)
{
	uint64_t index = 0;
	size_t i, used = 0;
	uint32_t k;
	bool is_good = n_spans % 2 == 0;

	for (i = 0; i < n_spans && is_good; i += 2) {
		index += spans[i];
		for (k = 0; k < spans[i + 1] && is_good; k++, index++) {
			is_good = used < n_counters && index <= HIST_MAX_INDEX;
			if (is_good && counters[used] > 0)
				hist_add_bucket(h, (uint32_t)index,
				    counters[used]);
			used++;
		}
	}
	return is_good && used == n_counters ? 0 : why_set(why,
	    "histogram: counters and spans do not fit");
}

int
hist_read_end(struct hist_reader *r, struct why *why)
{
	int status = hist_fill(r->to, r->counters, r->n_counters, r->spans,
	    r->n_spans, why);

	free(r->counters);
	free(r->spans);
	*r = (struct hist_reader){ 0 };
	return status;
}
