/* SPDX-License-Identifier: MIT */
/* Texts with {{placeholders}}, parsed once and filled in often. */
#include "k6gen/targets/text.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"

enum kind { LITERAL, VU, ITER, SEQ, UUID, RAND, ROW };

struct text_part {
	enum kind kind;
	struct span literal;
	int64_t lo, hi;		/* RAND */
	int column;		/* ROW */
};

static void
add_part(struct text *t, struct text_part part)
{
	t->parts = xgrow(t->parts, t->n, &t->cap, sizeof(part));
	t->parts[t->n++] = part;
}

static void
add_literal(struct text *t, const char *p, size_t n)
{
	if (n > 0)
		add_part(t, (struct text_part){ .literal = { p, n } });
}

/* "rand 1 100" */
static bool
parse_rand(const char *inside, struct text_part *part)
{
	char lo[32], hi[32];
	int end = 0;

	return sscanf(inside, "rand %31s %31s%n", lo, hi, &end) == 2 &&
	    inside[end + (int)strspn(inside + end, " ")] == '\0' &&
	    num_parse_int(lo, INT64_MIN + 1, INT64_MAX, &part->lo) &&
	    num_parse_int(hi, part->lo, INT64_MAX, &part->hi);
}

static int
parse_part(const char *inside, const struct rows *rows,
    struct text_part *part, struct why *why)
{
	static const char *const names[] = { [VU] = "vu", [ITER] = "iter",
		[SEQ] = "seq", [UUID] = "uuid" };
	int i;

	for (i = VU; i <= UUID; i++)
		if (strcmp(inside, names[i]) == 0) {
			part->kind = (enum kind)i;
			return 0;
		}
	if (parse_rand(inside, part)) {
		part->kind = RAND;
		return 0;
	}
	if (strncmp(inside, "row.", 4) != 0)
		return why_set(why, "not a placeholder: {{%s}} (vu, iter, "
		    "seq, uuid, rand LO HI, row.NAME)", inside);
	if (rows == NULL || rows->n == 0)
		return why_set(why, "{{%s}} needs --data", inside);
	part->kind = ROW;
	part->column = rows_column(rows, span_of(inside + 4));
	if (part->column < 0)
		return why_set(why, "no column \"%s\" in the data",
		    inside + 4);
	return 0;
}

int
text_compile(struct text *t, struct span source, const struct rows *rows,
    struct why *why)
{
	const char *p = source.p, *end = source.p + source.n, *open, *close;
	struct text_part part;
	char inside[128];
	size_t n;

	*t = (struct text){ .source = source };
	while (p < end && (open = memmem(p, (size_t)(end - p), "{{", 2)) !=
	    NULL) {
		close = memmem(open, (size_t)(end - open), "}}", 2);
		if (close == NULL)
			return why_set(why, "{{ without }}");
		for (open += 2; open < close && *open == ' '; open++)
			;
		for (n = (size_t)(close - open); n > 0 &&
		    open[n - 1] == ' '; n--)
			;
		if (n >= sizeof(inside))
			return why_set(why, "a placeholder is longer than %zu "
			    "bytes", sizeof(inside) - 1);
		memcpy(inside, open, n);
		inside[n] = '\0';
		part = (struct text_part){ .kind = LITERAL };
		if (parse_part(inside, rows, &part, why) < 0)
			return -1;
		while (*--open != '{')
			;
		add_literal(t, p, (size_t)(open - 1 - p));
		add_part(t, part);
		p = close + 2;
	}
	if (t->parts != NULL)
		add_literal(t, p, (size_t)(end - p));
	return 0;
}

void
text_release(struct text *t)
{
	free(t->parts);
	*t = (struct text){ .n = 0 };
}

/* RFC 4122 version 4. */
static void
add_uuid(struct dice *d, struct buf *out)
{
	uint64_t a = dice_next(d), b = dice_next(d);

	buf_printf(out, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
	    (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
	    (unsigned)(b >> 48 & 0x3fff) | 0x8000,
	    (unsigned long long)(b & UINT64_C(0xffffffffffff)));
}

static void
add_int(struct buf *out, int64_t n)
{
	buf_printf(out, "%lld", (long long)n);
}

void
text_fill(const struct text *t, const struct text_values *v, struct buf *out)
{
	const struct text_part *p;
	size_t i;

	if (t->parts == NULL)
		buf_span(out, t->source);
	for (i = 0; i < t->n; i++) {
		p = &t->parts[i];
		switch (p->kind) {
		case LITERAL:
			buf_span(out, p->literal);
			break;
		case VU:
			add_int(out, v->vu);
			break;
		case ITER:
			add_int(out, v->iter);
			break;
		case SEQ:
			add_int(out, v->seq);
			break;
		case UUID:
			add_uuid(v->dice, out);
			break;
		case RAND:
			add_int(out, dice_range(v->dice, p->lo, p->hi));
			break;
		case ROW:
			buf_span(out, rows_cell(v->rows, v->row, p->column));
			break;
		}
	}
}
