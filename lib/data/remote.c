/* SPDX-License-Identifier: MIT */
/* Series of Prometheus' remote write: labels, samples, and their reading. */
#include "data/remote.h"

#include <stdlib.h>

#include "base/varint.h"

enum { LABEL_NAME = 1, LABEL_VALUE, SAMPLE_VALUE = 1, SAMPLE_TIME,
	SAMPLE_START };

#define METRIC_LABEL "__name__"
#define STALE_BITS UINT64_C(0x7ff0000000000002)

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void
put_valid_name(struct span name, const char *also, struct buf *out)
{
	size_t i;
	char c;

	for (i = 0; i < name.n && i < REMOTE_NAME_MAX - 8; i++) {
		c = name.p[i];
		buf_char(out, is_letter(c) || (c >= '0' && c <= '9') ||
		    (also[0] != '\0' && c == also[0]) ? c : '_');
	}
}

void
remote_name(struct span metric, struct buf *out)
{
	buf_text(out, "k6_");
	put_valid_name(metric, ":", out);
}

/* How many bytes the UTF-8 character at p has; 0: it is none. */
static size_t
character(const unsigned char *p, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 :
	    p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
	    : 0;
	uint32_t code = length > 1 ? p[0] & (0xffu >> (length + 1)) : 0;
	size_t i;

	if (length > n)
		return 0;
	for (i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	return length > 1 && (code < least[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000)) ? 0 : length;
}

/* What is no character becomes U+FFFD. */
static void
put_valid_value(struct span value, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)value.p;
	size_t begin = out->n, i, n;

	for (i = 0; i < value.n; i += n != 0 ? n : 1) {
		n = character(p + i, value.n - i);
		if (out->n - begin + (n != 0 ? n : 3) > REMOTE_VALUE_MAX)
			return;
		buf_add(out, n != 0 ? (const char *)p + i : "\xef\xbf\xbd",
		    n != 0 ? n : 3);
	}
}

static int
by_bytes(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n != 0 ? memcmp(a.p, b.p, n) : 0;

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* A label whose texts stand in a buffer that may still move. */
struct placed {
	size_t name, name_n, value, value_n;
	size_t rank;		/* among those given */
	const struct buf *text;
};

static int
by_name(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int order = by_bytes((struct span){ x->text->p + x->name, x->name_n },
	    (struct span){ y->text->p + y->name, y->name_n });

	return order != 0 ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

static void
put_varint(struct buf *out, uint64_t v)
{
	unsigned char bytes[VARINT_BYTES];

	buf_add(out, bytes, varint_put(bytes, v));
}

static size_t
varint_length(uint64_t v)
{
	unsigned char bytes[VARINT_BYTES];

	return varint_put(bytes, v);
}

static void
put_label(struct buf *out, struct span name, struct span value)
{
	buf_char(out, REMOTE_LABEL << 3 | PB_BYTES);
	put_varint(out, 2 + varint_length(name.n) + name.n +
	    varint_length(value.n) + value.n);
	buf_char(out, LABEL_NAME << 3 | PB_BYTES);
	put_varint(out, name.n);
	buf_span(out, name);
	buf_char(out, LABEL_VALUE << 3 | PB_BYTES);
	put_varint(out, value.n);
	buf_span(out, value);
}

/* Texts of the pairs, valid; how many there are. */
static size_t
place_pairs(const struct remote_label *pairs, size_t n, struct placed *at,
    struct buf *text)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (pairs[i].name.n == 0 || pairs[i].value.n == 0 ||
		    span_is(pairs[i].name, METRIC_LABEL))
			continue;
		at[kept] = (struct placed){ .name = text->n, .rank = i,
		    .text = text };
		if (pairs[i].name.p[0] >= '0' && pairs[i].name.p[0] <= '9')
			buf_char(text, '_');
		put_valid_name(pairs[i].name, "", text);
		at[kept].name_n = text->n - at[kept].name;
		at[kept].value = text->n;
		put_valid_value(pairs[i].value, text);
		at[kept].value_n = text->n - at[kept].value;
		kept++;
	}
	return kept;
}

struct remote_labels
remote_labels_make(struct remote_label *pairs, size_t n, struct buf *out)
{
	struct placed *at = xmalloc((n + 1) * sizeof(*at));
	struct span name, value, last = SPAN("");
	struct remote_labels made = { .name_at = SIZE_MAX };
	struct buf text = { 0 };
	size_t i, kept = place_pairs(pairs, n, at, &text);

	if (kept > 0)
		qsort(at, kept, sizeof(*at), by_name);
	for (i = 0; i < kept; i++) {
		name = (struct span){ text.p + at[i].name, at[i].name_n };
		value = (struct span){ text.p + at[i].value, at[i].value_n };
		if (span_equal(name, last))
			continue;
		if (made.name_at == SIZE_MAX &&
		    by_bytes(name, SPAN(METRIC_LABEL)) > 0)
			made.name_at = out->n;
		put_label(out, name, value);
		last = name;
	}
	if (made.name_at == SIZE_MAX)
		made.name_at = out->n;
	made.bytes = buf_whole(out);
	buf_release(&text);
	free(at);
	return made;
}

static void
put_label_back(struct pb_out *out, struct span name, struct span value)
{
	size_t since = out->n;

	pb_put_bytes(out, LABEL_VALUE, value);
	pb_put_bytes(out, LABEL_NAME, name);
	pb_put_message(out, REMOTE_LABEL, since);
}

/* Where a label of this name belongs. */
static size_t
place_of(const struct remote_labels *labels, struct span name)
{
	struct pb r = pb_of(labels->bytes);
	struct pb_field f;
	size_t at = 0;

	while (pb_next(&r, &f)) {
		if (by_bytes(remote_read_label(&r, &f).name, name) > 0)
			break;
		at = (size_t)((const char *)r.p - labels->bytes.p);
	}
	return at;
}

void
remote_put_labels(const struct remote_labels *labels, struct span name,
    const struct remote_label *extra, struct pb_out *out)
{
	struct span b = labels->bytes;
	size_t at = labels->name_at, end = b.n;
	bool is_behind = false;

	if (extra->name.n > 0) {
		end = place_of(labels, extra->name);
		is_behind = by_bytes(extra->name, SPAN(METRIC_LABEL)) > 0;
	}
	if (extra->name.n == 0 || !is_behind) {
		pb_put_raw(out, (struct span){ b.p + at, b.n - at });
		put_label_back(out, SPAN(METRIC_LABEL), name);
		b.n = at;
	}
	if (extra->name.n > 0) {
		pb_put_raw(out, (struct span){ b.p + end, b.n - end });
		put_label_back(out, extra->name, extra->value);
		b.n = end;
	}
	if (extra->name.n > 0 && is_behind) {
		pb_put_raw(out, (struct span){ b.p + at, b.n - at });
		put_label_back(out, SPAN(METRIC_LABEL), name);
		b.n = at;
	}
	pb_put_raw(out, b);
}

void
remote_put_sample(double value, int64_t time_ms, int64_t start_ms,
    struct pb_out *out)
{
	size_t since = out->n;

	if (start_ms != 0)
		pb_put_varint(out, SAMPLE_START, (uint64_t)start_ms);
	pb_put_varint(out, SAMPLE_TIME, (uint64_t)time_ms);
	pb_put_double(out, SAMPLE_VALUE, value);
	pb_put_message(out, REMOTE_SAMPLE, since);
}

double
remote_stale(void)
{
	const uint64_t bits = STALE_BITS;
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

bool
remote_is_stale(double value)
{
	const uint64_t bits = STALE_BITS;

	return memcmp(&bits, &value, sizeof(value)) == 0;
}

struct remote_label
remote_read_label(struct pb *r, const struct pb_field *f)
{
	struct remote_label label = { SPAN(""), SPAN("") };
	struct pb in = pb_of(pb_bytes(r, f));
	struct pb_field field;

	while (pb_next(&in, &field))
		if (field.number == LABEL_NAME)
			label.name = pb_bytes(&in, &field);
		else if (field.number == LABEL_VALUE)
			label.value = pb_bytes(&in, &field);
	if (in.error != NULL)
		(void)pb_fail(r, in.error);
	return label;
}

double
remote_read_sample(struct pb *r, const struct pb_field *f, int64_t *time_ms,
    int64_t *start_ms)
{
	struct pb in = pb_of(pb_bytes(r, f));
	struct pb_field field;
	double value = 0;

	*time_ms = *start_ms = 0;
	while (pb_next(&in, &field))
		if (field.number == SAMPLE_VALUE)
			value = pb_double(&in, &field);
		else if (field.number == SAMPLE_TIME)
			*time_ms = (int64_t)pb_varint(&in, &field);
		else if (field.number == SAMPLE_START)
			*start_ms = (int64_t)pb_varint(&in, &field);
	if (in.error != NULL)
		(void)pb_fail(r, in.error);
	return value;
}

int
remote_read_labels(struct span series, struct span *name,
    struct remote_labels *labels, struct buf *out, struct why *why)
{
	struct pb r = pb_of(series);
	struct remote_label label;
	struct pb_field f;

	*name = SPAN("");
	*labels = (struct remote_labels){ 0 };
	while (pb_next(&r, &f)) {
		if (f.number != REMOTE_LABEL)
			continue;
		label = remote_read_label(&r, &f);
		if (span_is(label.name, METRIC_LABEL)) {
			*name = label.value;
			labels->name_at = out->n;
		} else {
			put_label(out, label.name, label.value);
		}
	}
	labels->bytes = buf_whole(out);
	return r.error == NULL ? 0 : why_set(why, "%s", r.error);
}
