/* SPDX-License-Identifier: MIT */
/*
 * Remote write 2.0: the same series with their texts in a table, and with what
 * they are.
 */
#include <stdlib.h>

#include "base/map.h"
#include "data/remote.h"
#include "k6push/wire/wire_rw.h"

enum {	/* fields of Request, TimeSeries and Metadata */
	SYMBOLS = 4, SERIES, LABEL_REFS = 1, SAMPLES, HISTOGRAMS,
	METADATA = 5, TYPE = 1, COUNTER = 1, GAUGE, HISTOGRAM,
};

/* The table of texts. */
struct symbols {
	struct map by_text;
	struct symbol **list;
	size_t n, cap;
};

struct symbol {
	struct span text;	/* borrowed */
	uint64_t number;
};

static uint64_t
number_of(struct symbols *t, struct span text)
{
	struct symbol *s = map_get(&t->by_text, text);

	if (s != NULL)
		return s->number;
	s = xmalloc(sizeof(*s));
	*s = (struct symbol){ text, t->n + 1 };	/* 0 is the empty text */
	map_put(&t->by_text, s->text, s);
	t->list = xgrow(t->list, t->n, &t->cap, sizeof(struct symbol *));
	t->list[t->n++] = s;
	return s->number;
}

static void
symbols_release(struct symbols *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->list[i]);
	free(t->list);
	map_release(&t->by_text);
}

static bool
ends_with(struct span name, const char *end)
{
	size_t n = strlen(end);

	return name.n >= n && memcmp(name.p + name.n - n, end, n) == 0;
}

/* Samples and histograms are the same as in 1.0, under other numbers. */
static void
put_values(struct pb_out *out, struct span series, struct wire_values *count,
    struct pb *r)
{
	struct span values[8];
	uint32_t fields[8];
	struct pb in = pb_of(series);
	struct pb_field f;
	int n = 0;

	while (n < 8 && pb_next(&in, &f))
		if (f.number == REMOTE_SAMPLE || f.number == REMOTE_HISTOGRAM) {
			fields[n] = f.number == REMOTE_SAMPLE ? SAMPLES
			    : HISTOGRAMS;
			values[n++] = pb_bytes(&in, &f);
		}
	if (in.error != NULL)
		(void)pb_fail(r, in.error);
	while (n-- > 0) {
		pb_put_bytes(out, fields[n], values[n]);
		count->samples += fields[n] == SAMPLES;
		count->histograms += fields[n] == HISTOGRAMS;
	}
}

/* A series: label names and values as numbers, its values, and what it is. */
static void
put_series(struct pb_out *out, struct span series, struct symbols *t,
    struct wire_values *count, struct pb *r)
{
	struct pb in = pb_of(series);
	struct remote_label label;
	uint64_t *numbers = NULL;
	size_t n = 0, cap = 0, since = out->n;
	struct span name = SPAN("");
	bool has_histogram = false;
	struct pb_field f;

	while (pb_next(&in, &f)) {
		has_histogram |= f.number == REMOTE_HISTOGRAM;
		if (f.number != REMOTE_LABEL)
			continue;
		label = remote_read_label(&in, &f);
		if (span_is(label.name, "__name__"))
			name = label.value;
		numbers = xgrow(numbers, n, &cap, sizeof(*numbers));
		numbers[n++] = number_of(t, label.name);
		numbers = xgrow(numbers, n, &cap, sizeof(*numbers));
		numbers[n++] = number_of(t, label.value);
	}
	if (in.error != NULL)
		(void)pb_fail(r, in.error);
	pb_put_varint(out, TYPE, has_histogram ? HISTOGRAM : ends_with(name,
	    "_total") || ends_with(name, "_bucket") || ends_with(name,
	    "_count") || ends_with(name, "_sum") ? COUNTER : GAUGE);
	pb_put_message(out, METADATA, since);
	put_values(out, series, count, r);
	since = out->n;
	while (n-- > 0)
		pb_put_packed(out, numbers[n]);
	pb_put_message(out, LABEL_REFS, since);
	free(numbers);
}

int
rw_rewrite_2(struct span message, struct pb_out *out,
    struct wire_values *count, struct why *why)
{
	struct pb r = pb_of(message);
	struct pb_out series = { 0 };
	struct symbols table = { 0 };
	struct buf forward = { 0 };
	struct pb_field f;
	size_t i;

	/* Forward, so that texts are numbered as they come. */
	while (pb_next(&r, &f)) {
		if (f.number != REMOTE_SERIES)
			continue;
		series.n = 0;
		put_series(&series, pb_bytes(&r, &f), &table, count, &r);
		pb_put_message(&series, SERIES, 0);
		buf_span(&forward, pb_whole(&series));
	}
	pb_put_raw(out, buf_whole(&forward));
	for (i = table.n; i-- > 0;)
		pb_put_bytes(out, SYMBOLS, table.list[i]->text);
	pb_put_bytes(out, SYMBOLS, SPAN(""));
	symbols_release(&table);
	pb_release(&series);
	buf_release(&forward);
	return r.error == NULL ? 0 : why_set(why, "%s", r.error);
}
