/* SPDX-License-Identifier: MIT */
/*
 * json: a strict RFC 8259 cursor over bytes in memory, and a writer. For the
 * stream and the wire, where speed counts; the config file is jansson's, whose
 * names are json_ too: check with nm before adding one.
 */
#ifndef K6PIPE_DATA_JSON_H
#define K6PIPE_DATA_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"

#define JSON_DEPTH 64	/* deepest nesting taken */

/*
 * The cursor keeps a sticky error: after the first fault all calls do nothing
 * and say false, so a reader checks `error` once, at the end. Strings must be
 * valid UTF-8 without raw control bytes; NUL only as \u0000.
 */
enum { JSON_NAME = 32 };	/* bytes of the longest name looked for */

struct json {
	const char *p, *end, *start;
	const char *error;	/* NULL, or what is wrong at p */
	int depth;
	bool is_first;		/* just behind a '{' or '[' */
	char name[JSON_NAME];	/* of a member, if it had escapes */
};

struct json json_of(struct span text);

/* The first byte of the next value: one of {["-0..9tfn; 0 at the end. */
char json_peek(struct json *j);

/* Enter an object or array; then json_member or json_element steps through it
 * and says false once, behind its end (or on an error). The value of a member
 * must be taken (or skipped) before the next call. Keys and strings come raw:
 * without quotes, escapes still in them. json_plain_member is for keys that
 * are only compared with names: a short one that had escapes comes without
 * them, and dies at the next call. */
bool json_enter(struct json *j, char bracket);
bool json_member(struct json *j, struct span *key);
bool json_plain_member(struct json *j, struct span *key);
bool json_element(struct json *j);

/* As json_element, to the next string of an array, which is taken; what is no
 * string is passed over. */
bool json_element_text(struct json *j, struct span *raw);

bool json_text(struct json *j, struct span *raw);
bool json_number(struct json *j, double *value);
bool json_skip(struct json *j);		/* any value, checked in full */
bool json_value(struct json *j, struct span *text);	/* as above: its text */

/* Note an error of the reader's own, unless there was one. Returns false. */
bool json_fail(struct json *j, const char *error);

/* No error so far and only white space left. */
bool json_done(struct json *j);

/* Byte offset of the cursor, for messages; 1 is the first. */
size_t json_column(const struct json *j);

/* A raw string without its escapes: itself, or else in scratch. */
struct span json_plain(struct buf *scratch, struct span raw);

/* Append the characters of a raw string to out; a lone surrogate becomes
 * U+FFFD. */
void json_unescape(struct buf *out, struct span raw);

/* True if a raw string stands for text. */
bool json_same(struct span raw, const char *text);

/* Writer: values and keys in order, commas are put in between. */
struct json_out {
	struct buf *to;
	bool need_comma;
};

void json_open(struct json_out *o, char bracket);	/* '{' or '[' */
void json_close(struct json_out *o, char bracket);	/* '}' or ']' */
void json_key(struct json_out *o, const char *key);
void json_put_text(struct json_out *o, struct span text);
void json_put_number(struct json_out *o, double value);	/* not finite: null */
void json_put_int(struct json_out *o, int64_t value);
void json_put_ms(struct json_out *o, int64_t ns);	/* as milliseconds */
void json_put_bool(struct json_out *o, bool value);
void json_put_raw(struct json_out *o, struct span json);

/* A key and its value. */
void json_member_text(struct json_out *o, const char *key, struct span text);
void json_member_number(struct json_out *o, const char *key, double value);
void json_member_int(struct json_out *o, const char *key, int64_t value);
void json_member_raw(struct json_out *o, const char *key, struct span json);

/* Append text to out as the inside of a JSON string (k6's escapes). */
void json_escape(struct buf *out, struct span text);

#endif
