/* SPDX-License-Identifier: MIT */
/* Texts with {{placeholders}}, parsed once and filled in often. */
#include "k6gen/targets/text.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "data/jsn.h"
#include "k6gen/targets/base64.h"

enum kind { LITERAL, VU, ITER, SEQ, UUID, RAND, ROW };

/* How a cell is escaped. */
enum escape { AS_IS, IN_PATH, IN_QUERY, IN_STRING };

/* Where the text that was taken so far ends. */
struct position {
	enum text_place place;
	bool is_json;
	enum escape escape;
};

struct text_part {
	enum kind kind;
	struct span literal;
	int64_t lo, hi;		/* RAND */
	int column;		/* ROW */
	enum escape escape;	/* of its cells */
};

/* JSON is an object or an array; a placeholder alone may be anything. */
static struct position
begin_position(enum text_place place, struct span source)
{
	struct position at = { .place = place };
	size_t i = 0;

	while (i < source.n && strchr(" \t\r\n", source.p[i]) != NULL &&
	    source.p[i] != '\0')
		i++;
	at.is_json = place == TEXT_BODY && i < source.n &&
	    (source.p[i] == '[' || (source.p[i] == '{' && !(i + 1 < source.n &&
	    source.p[i + 1] == '{')));
	return at;
}

/* Step over literal text. */
static void
pass_literal(struct position *at, const char *p, size_t n)
{
	const char *end;

	if (n == 0)
		return;
	end = p + n;
	if (at->place == TEXT_URL && at->escape == AS_IS &&
	    memmem(p, n, "://", 3) != NULL)
		p = (const char *)memmem(p, n, "://", 3) + 3;
	for (; p < end; p++) {
		if (at->place == TEXT_URL) {
			if (*p == '?' || *p == '#')
				at->escape = IN_QUERY;
			else if (*p == '/' && at->escape == AS_IS)
				at->escape = IN_PATH;
		} else if (at->is_json) {
			if (*p == '"')
				at->escape = at->escape == IN_STRING ? AS_IS :
				    IN_STRING;
			else if (*p == '\\' && at->escape == IN_STRING)
				p++;
		}
	}
}

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
parse_part(const char *inside, const struct text_rules *rules,
    struct text_part *part, struct why *why)
{
	static const char *const names[] = { [VU] = "vu", [ITER] = "iter",
		[SEQ] = "seq", [UUID] = "uuid" };
	const struct rows *rows = rules->rows;
	bool is_raw = strncmp(inside, "raw.", 4) == 0;
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
	if (!is_raw && strncmp(inside, "row.", 4) != 0)
		return why_set(why, "not a placeholder: {{%s}} (vu, iter, "
		    "seq, uuid, rand LO HI, row.NAME, raw.NAME)", inside);
	if (rows == NULL || rows->n == 0)
		return why_set(why, "{{%s}} needs --data", inside);
	part->kind = ROW;
	if (is_raw)
		part->escape = AS_IS;
	part->column = rows_column(rows, span_of(inside + 4), why);
	return part->column < 0 ? -1 : 0;
}

/* Take one piece of the source, which has no files in it. */
static int
compile_piece(struct text *t, struct position *at, struct span piece,
    const struct text_rules *rules, struct why *why)
{
	const char *p = piece.p, *end = piece.p + piece.n, *open, *close;
	struct text_part part;
	char inside[128];
	size_t n;

	while (p < end && (open = memmem(p, (size_t)(end - p), "{{", 2)) !=
	    NULL) {
		close = memmem(open, (size_t)(end - open), "}}", 2);
		if (close == NULL)
			return why_set(why, "{{ without }}");
		add_literal(t, p, (size_t)(open - p));
		pass_literal(at, p, (size_t)(open - p));
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
		part = (struct text_part){ .kind = LITERAL,
			.escape = at->escape };
		if (parse_part(inside, rules, &part, why) < 0)
			return -1;
		add_part(t, part);
		p = close + 2;
	}
	add_literal(t, p, (size_t)(end - p));
	pass_literal(at, p, (size_t)(end - p));
	return 0;
}

/* Literals alone are the source itself. */
static void
simplify(struct text *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->parts[i].kind != LITERAL)
			return;
	free(t->parts);
	t->parts = NULL;
	t->n = t->cap = 0;
}

int
text_compile(struct text *t, struct span source,
    const struct text_rules *rules, struct why *why)
{
	struct position at = begin_position(rules->place, source);
	const struct text_range *file;
	size_t i, from = 0;

	*t = (struct text){ .source = source };
	for (i = 0; i < rules->n_files; i++) {
		file = &rules->files[i];
		if (compile_piece(t, &at, (struct span){ source.p + from,
		    file->from - from }, rules, why) < 0)
			return -1;
		add_literal(t, source.p + file->from, file->n);
		from = file->from + file->n;
	}
	if (compile_piece(t, &at, (struct span){ source.p + from,
	    source.n - from }, rules, why) < 0)
		return -1;
	simplify(t);
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

/* All but what RFC 3986 leaves unreserved; in a path its slashes, and what
 * else may stand there, mean what they say. */
static void
add_encoded(struct span cell, const char *others, struct buf *out)
{
	unsigned char c;
	size_t i;

	for (i = 0; i < cell.n; i++) {
		c = (unsigned char)cell.p[i];
		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || (c != '\0' &&
		    strchr(others, c) != NULL))
			buf_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void
add_cell(struct span cell, enum escape escape, struct buf *out)
{
	switch (escape) {
	case AS_IS:
		buf_span(out, cell);
		break;
	case IN_PATH:
		add_encoded(cell, "-._~/:@!$&'()*+,;=", out);
		break;
	case IN_QUERY:
		add_encoded(cell, "-._~", out);
		break;
	case IN_STRING:
		jsn_escape(out, cell);
		break;
	}
}

static void
fill_parts(const struct text *t, const struct text_values *v, struct buf *out)
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
			add_cell(rows_cell(v->rows, v->row, p->column),
			    p->escape, out);
			break;
		}
	}
}

void
text_fill(const struct text *t, const struct text_values *v, struct buf *out)
{
	struct buf secret = { 0 };

	if (!t->is_basic) {
		fill_parts(t, v, out);
		return;
	}
	fill_parts(t, v, &secret);
	buf_text(out, "Authorization: Basic ");
	base64_encode(buf_whole(&secret), out);
	buf_release(&secret);
}
