/* SPDX-License-Identifier: MIT */
/* JSON that is written: commas where they belong, and texts escaped. */
#include "data/jsn.h"

#include <math.h>
#include <string.h>

#include "base/num.h"
#include "base/units.h"
#include "data/jsn_priv.h"

static void
comma(struct jsn_out *o)
{
	if (o->need_comma)
		buf_char(o->to, ',');
	o->need_comma = true;
}

void
jsn_open(struct jsn_out *o, char bracket)
{
	comma(o);
	buf_char(o->to, bracket);
	o->need_comma = false;
}

void
jsn_close(struct jsn_out *o, char bracket)
{
	buf_char(o->to, bracket);
	o->need_comma = true;
}

void
jsn_key(struct jsn_out *o, const char *key)
{
	jsn_put_text(o, span_of(key));
	buf_char(o->to, ':');
	o->need_comma = false;
}

void
jsn_put_text(struct jsn_out *o, struct span text)
{
	comma(o);
	buf_char(o->to, '"');
	jsn_escape(o->to, text);
	buf_char(o->to, '"');
}

void
jsn_put_number(struct jsn_out *o, double value)
{
	char text[NUM_TEXT];

	comma(o);
	if (isfinite(value))
		buf_add(o->to, text, num_print(text, value));
	else
		buf_text(o->to, "null");
}

void
jsn_put_int(struct jsn_out *o, int64_t value)
{
	char text[NUM_TEXT];

	comma(o);
	buf_add(o->to, text, num_print_int(text, value));
}

void
jsn_put_ms(struct jsn_out *o, int64_t ns)
{
	char text[NUM_TEXT];

	comma(o);
	buf_add(o->to, text, num_print_ms(text, ns));
}

void
jsn_put_bool(struct jsn_out *o, bool value)
{
	comma(o);
	buf_text(o->to, value ? "true" : "false");
}

void
jsn_put_raw(struct jsn_out *o, struct span json)
{
	comma(o);
	buf_span(o->to, json);
}

void
jsn_member_text(struct jsn_out *o, const char *key, struct span text)
{
	jsn_key(o, key);
	jsn_put_text(o, text);
}

void
jsn_member_number(struct jsn_out *o, const char *key, double value)
{
	jsn_key(o, key);
	jsn_put_number(o, value);
}

void
jsn_member_int(struct jsn_out *o, const char *key, int64_t value)
{
	jsn_key(o, key);
	jsn_put_int(o, value);
}

void
jsn_member_raw(struct jsn_out *o, const char *key, struct span json)
{
	jsn_key(o, key);
	jsn_put_raw(o, json);
}

void
jsn_member_time(struct jsn_out *o, const char *key, int64_t unix_ns)
{
	char text[TIME_TEXT];

	jsn_member_text(o, key, (struct span){ text,
	    time_print(text, unix_ns) });
}

void
jsn_member_time_or_null(struct jsn_out *o, const char *key, int64_t unix_ns)
{
	if (unix_ns != 0)
		jsn_member_time(o, key, unix_ns);
	else
		jsn_member_raw(o, key, SPAN("null"));
}

/* The short escape of c, or 0. */
static char
short_escape(char c)
{
	switch (c) {
	case '"': case '\\':
		return c;
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return '\0';
	}
}

/* U+2028 and U+2029 are escaped as k6 does: they end lines in JavaScript. */
static bool
is_line_separator(const char *p, size_t left)
{
	return left >= 3 && memcmp(p, "\xe2\x80", 2) == 0 &&
	    (p[2] == '\xa8' || p[2] == '\xa9');
}

/* Is one of these eight bytes none that stands in JSON as it is? */
static inline bool
has_special(const char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return ((w | (w - 0x20 * ones) | ((w ^ 0x22 * ones) - ones) |
	    ((w ^ 0x5c * ones) - ones)) & 0x80 * ones) != 0;
}

/* How many characters of ASCII come that stand in JSON as they are. */
static size_t
plain_length(const char *p, size_t n)
{
	size_t i = 0;

	while (i + 8 <= n && !has_special(p + i))
		i += 8;
	while (i < n && (unsigned char)p[i] >= 0x20 &&
	    (unsigned char)p[i] < 0x80 && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

void
jsn_escape(struct buf *out, struct span text)
{
	size_t i, start = 0, n;
	char c;

	for (i = 0; i < text.n; i += n) {
		n = plain_length(text.p + i, text.n - i);
		if (n > 0)
			continue;
		c = text.p[i];
		n = 1;
		if ((unsigned char)c >= 0x80) {
			n = utf8_length((const unsigned char *)text.p + i,
			    text.n - i);
			if (n != 0 && !is_line_separator(text.p + i,
			    text.n - i))
				continue;
		}
		buf_add(out, text.p + start, i - start);
		if (n == 0) {
			buf_text(out, "\\ufffd");
			n = 1;
		} else if (n == 3) {
			buf_printf(out, "\\u202%c", text.p[i + 2] == '\xa8'
			    ? '8' : '9');
		} else if (short_escape(c) != '\0') {
			buf_char(out, '\\');
			buf_char(out, short_escape(c));
		} else {
			buf_printf(out, "\\u%04x", (unsigned char)c);
		}
		start = i + n;
	}
	buf_add(out, text.p + start, text.n - start);
}
