/* SPDX-License-Identifier: MIT */
/* JSON that is read: a cursor that checks what it passes. */
#include "data/jsn.h"

#include <string.h>

#include "base/num.h"
#include "data/jsn_priv.h"

bool
jsn_fail(struct jsn *j, const char *error)
{
	if (j->error == NULL)
		j->error = error;
	return false;
}

struct jsn
jsn_of(struct span text)
{
	const char *p = text.n != 0 ? text.p : "";

	return (struct jsn){ .p = p, .start = p, .end = p + text.n };
}

size_t
jsn_column(const struct jsn *j)
{
	return (size_t)(j->p - j->start) + 1;
}

char
jsn_peek(struct jsn *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' ||
	    *j->p == '\r' || *j->p == '\n'))
		j->p++;
	return j->p < j->end && j->error == NULL ? *j->p : '\0';
}

static bool
take(struct jsn *j, char c)
{
	if (jsn_peek(j) != c)
		return false;
	j->p++;
	return true;
}

bool
jsn_enter(struct jsn *j, char bracket)
{
	if (!take(j, bracket))
		return jsn_fail(j, bracket == '{' ? "not an object"
		    : "not an array");
	if (++j->depth > JSN_DEPTH)
		return jsn_fail(j, "nested too deeply");
	j->is_first = true;
	return true;
}

/* The next item of an object or array, or its end: false. */
static bool
step(struct jsn *j, char bracket)
{
	if (j->error != NULL)
		return false;
	if (take(j, bracket)) {
		j->depth--;
		j->is_first = false;
		return false;
	}
	if (!j->is_first && !take(j, ','))
		return jsn_fail(j, j->p < j->end ? "a comma is missing"
		    : "cut off");
	j->is_first = false;
	return true;
}

bool
jsn_member(struct jsn *j, struct span *key)
{
	return step(j, '}') && jsn_text(j, key) &&
	    (take(j, ':') || jsn_fail(j, "a colon is missing"));
}

/* The name without its escapes, if it may be one that somebody looks for. */
static void
name_member(struct jsn *j, struct span *key)
{
	struct buf plain = { .max = JSN_NAME };

	jsn_unescape(&plain, *key);
	if (!plain.is_full && plain.n > 0) {
		memcpy(j->name, plain.p, plain.n);
		*key = (struct span){ j->name, plain.n };
	}
	buf_release(&plain);
}

bool
jsn_plain_member(struct jsn *j, struct span *key)
{
	if (!jsn_member(j, key))
		return false;
	if (key->n > 0 && memchr(key->p, '\\', key->n) != NULL)
		name_member(j, key);
	return true;
}

bool
jsn_element(struct jsn *j)
{
	return step(j, ']');
}

static bool
is_hex(const char *p)
{
	return strspn(p, "0123456789abcdefABCDEF") >= 4;
}

static bool
string_escape(struct jsn *j)
{
	char digits[5] = "";

	if (j->end - j->p < 2)
		return jsn_fail(j, "cut off inside a string");
	if (j->p[1] != 'u') {
		if (j->p[1] == '\0' || strchr("\"\\/bfnrt", j->p[1]) == NULL)
			return jsn_fail(j, "unknown escape in a string");
		j->p += 2;
		return true;
	}
	if (j->end - j->p < 6)
		return jsn_fail(j, "cut off inside a string");
	memcpy(digits, j->p + 2, 4);
	if (!is_hex(digits))
		return jsn_fail(j, "bad \\u escape in a string");
	j->p += 6;
	return true;
}

bool
jsn_text(struct jsn *j, struct span *raw)
{
	unsigned char c;
	size_t n;

	if (!take(j, '"'))
		return jsn_fail(j, j->p < j->end ? "not a string" : "cut off");
	raw->p = j->p;
	while (j->p < j->end) {
		c = (unsigned char)*j->p;
		if (c == '"') {
			raw->n = (size_t)(j->p++ - raw->p);
			return true;
		}
		if (c == '\\') {
			if (!string_escape(j))
				return false;
		} else if (c < 0x20) {
			return jsn_fail(j, "control byte in a string");
		} else if (c < 0x80) {
			j->p++;
		} else {
			n = utf8_length((const unsigned char *)j->p,
			    (size_t)(j->end - j->p));
			if (n == 0)
				return jsn_fail(j, "invalid UTF-8");
			j->p += n;
		}
	}
	return jsn_fail(j, "cut off inside a string");
}

bool
jsn_number(struct jsn *j, double *value)
{
	size_t n;

	(void)jsn_peek(j);
	if (j->error != NULL)
		return false;
	n = num_parse(j->p, (size_t)(j->end - j->p), value);
	if (n == 0)
		return jsn_fail(j, "not a number");
	j->p += n;
	return true;
}

bool
jsn_element_text(struct jsn *j, struct span *raw)
{
	while (jsn_element(j)) {
		if (jsn_peek(j) == '"')
			return jsn_text(j, raw);
		if (!jsn_skip(j))
			return false;
	}
	return false;
}

static bool
literal(struct jsn *j, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n) != 0)
		return jsn_fail(j, "not a JSON value");
	j->p += n;
	return true;
}

bool
jsn_skip(struct jsn *j)
{
	struct span s;
	double d;

	switch (jsn_peek(j)) {
	case '{':
		if (!jsn_enter(j, '{'))
			return false;
		while (jsn_member(j, &s))
			if (!jsn_skip(j))
				return false;
		return j->error == NULL;
	case '[':
		if (!jsn_enter(j, '['))
			return false;
		while (jsn_element(j))
			if (!jsn_skip(j))
				return false;
		return j->error == NULL;
	case '"':
		return jsn_text(j, &s);
	case 't':
		return literal(j, "true");
	case 'f':
		return literal(j, "false");
	case 'n':
		return literal(j, "null");
	case '\0':
		return jsn_fail(j, j->p < j->end ? "NUL byte" : "cut off");
	default:
		return jsn_number(j, &d) || (j->error = "not a JSON value",
		    false);
	}
}

bool
jsn_value(struct jsn *j, struct span *text)
{
	(void)jsn_peek(j);
	text->p = j->p;
	if (!jsn_skip(j))
		return false;
	text->n = (size_t)(j->p - text->p);
	return true;
}

bool
jsn_done(struct jsn *j)
{
	(void)jsn_peek(j);
	if (j->error == NULL && j->p != j->end)
		return jsn_fail(j, "text after the value");
	return j->error == NULL;
}

static unsigned
hex4(const char *p)
{
	unsigned v = 0;
	int i;

	for (i = 0; i < 4; i++)
		v = v << 4 | (unsigned)(p[i] <= '9' ? p[i] - '0'
		    : (p[i] | 0x20) - 'a' + 10);
	return v;
}

static void
put_utf8(struct buf *out, unsigned cp)
{
	if (cp < 0x80) {
		buf_char(out, (char)cp);
	} else if (cp < 0x800) {
		buf_char(out, (char)(0xc0 | cp >> 6));
		buf_char(out, (char)(0x80 | (cp & 0x3f)));
	} else if (cp < 0x10000) {
		buf_char(out, (char)(0xe0 | cp >> 12));
		buf_char(out, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (cp & 0x3f)));
	} else {
		buf_char(out, (char)(0xf0 | cp >> 18));
		buf_char(out, (char)(0x80 | (cp >> 12 & 0x3f)));
		buf_char(out, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (cp & 0x3f)));
	}
}

/* The \uXXXX at raw.p[i], or the surrogate pair there; returns its length. */
static size_t
unescape_u(struct buf *out, struct span raw, size_t i)
{
	unsigned hi = hex4(raw.p + i + 2), lo;

	if (hi >= 0xd800 && hi < 0xdc00 && i + 12 <= raw.n &&
	    raw.p[i + 6] == '\\' && raw.p[i + 7] == 'u') {
		lo = hex4(raw.p + i + 8);
		if (lo >= 0xdc00 && lo < 0xe000) {
			put_utf8(out, 0x10000 + ((hi - 0xd800) << 10) +
			    (lo - 0xdc00));
			return 12;
		}
	}
	put_utf8(out, hi >= 0xd800 && hi < 0xe000 ? 0xfffd : hi);
	return 6;
}

void
jsn_unescape(struct buf *out, struct span raw)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *at;
	size_t i = 0, plain;

	while (i < raw.n) {
		at = memchr(raw.p + i, '\\', raw.n - i);
		plain = at != NULL ? (size_t)(at - raw.p) - i : raw.n - i;
		buf_add(out, raw.p + i, plain);
		i += plain;
		if (i >= raw.n)
			break;
		if (raw.p[i + 1] == 'u') {
			i += unescape_u(out, raw, i);
			continue;
		}
		at = strchr(from, raw.p[i + 1]);
		buf_char(out, at != NULL ? to[at - from] : raw.p[i + 1]);
		i += 2;
	}
}

struct span
jsn_plain(struct buf *scratch, struct span raw)
{
	if (raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL)
		return raw;
	buf_reset(scratch);
	jsn_unescape(scratch, raw);
	return buf_whole(scratch);
}

bool
jsn_same(struct span raw, const char *text)
{
	struct buf plain = { 0 };
	bool is_same;

	if (memchr(raw.p, '\\', raw.n) == NULL)
		return span_is(raw, text);
	jsn_unescape(&plain, raw);
	is_same = span_is((struct span){ plain.p, plain.n }, text);
	buf_release(&plain);
	return is_same;
}
