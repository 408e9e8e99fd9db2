/* SPDX-License-Identifier: MIT */
/*
 * jsn: a strict RFC 8259 cursor over JSON text in memory, and a writer. For
 * the stream and the wire, where speed counts. The config file is read with
 * jansson, whose names begin with json_; hence ours do not.
 */
#ifndef K6PIPE_DATA_JSN_H
#define K6PIPE_DATA_JSN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"

#define JSN_DEPTH 64	/* deepest nesting taken */

/*
 * The cursor keeps a sticky error: after the first fault all calls do nothing
 * and say false, so a reader checks `error` once, at the end. Strings must be
 * valid UTF-8 without raw control bytes; NUL only as \u0000.
 */
enum { JSN_NAME = 32 };	/* bytes of the longest name looked for */

struct jsn {
	const char *p, *end, *start;
	const char *error;	/* NULL, or what is wrong at p */
	int depth;
	bool is_first;		/* just behind a '{' or '[' */
	char name[JSN_NAME];	/* of a member, if it had escapes */
};

struct jsn jsn_of(struct span text);

/* The first byte of the next value: one of {["-0..9tfn; 0 at the end. */
char jsn_peek(struct jsn *j);

/* Enter an object or array; then jsn_member or jsn_element steps through it
 * and says false once, behind its end (or on an error). The value of a member
 * must be taken (or skipped) before the next call. Keys and strings come raw:
 * without quotes, escapes still in them. jsn_plain_member is for keys that
 * are only compared with names: a short one that had escapes comes without
 * them, and dies at the next call. */
bool jsn_enter(struct jsn *j, char bracket);
bool jsn_member(struct jsn *j, struct span *key);
bool jsn_plain_member(struct jsn *j, struct span *key);
bool jsn_element(struct jsn *j);

/* As jsn_element, to the next string of an array, which is taken; what is no
 * string is passed over. */
bool jsn_element_text(struct jsn *j, struct span *raw);

bool jsn_text(struct jsn *j, struct span *raw);
bool jsn_number(struct jsn *j, double *value);
bool jsn_skip(struct jsn *j);		/* any value, checked in full */
bool jsn_value(struct jsn *j, struct span *text);	/* as above: its text */

/* Note an error of the reader's own, unless there was one. Returns false. */
bool jsn_fail(struct jsn *j, const char *error);

/* No error so far and only white space left. */
bool jsn_done(struct jsn *j);

/* Byte offset of the cursor, for messages; 1 is the first. */
size_t jsn_column(const struct jsn *j);

/* A raw string without its escapes: itself, or else in scratch. */
struct span jsn_plain(struct buf *scratch, struct span raw);

/* Append the characters of a raw string to out; a lone surrogate becomes
 * U+FFFD. */
void jsn_unescape(struct buf *out, struct span raw);

/* True if a raw string stands for text. */
bool jsn_same(struct span raw, const char *text);

/* Writer: values and keys in order, commas are put in between. */
struct jsn_out {
	struct buf *to;
	bool need_comma;
};

void jsn_open(struct jsn_out *o, char bracket);	/* '{' or '[' */
void jsn_close(struct jsn_out *o, char bracket);	/* '}' or ']' */
void jsn_key(struct jsn_out *o, const char *key);
void jsn_put_text(struct jsn_out *o, struct span text);
void jsn_put_number(struct jsn_out *o, double value);	/* not finite: null */
void jsn_put_int(struct jsn_out *o, int64_t value);
void jsn_put_ms(struct jsn_out *o, int64_t ns);	/* as milliseconds */
void jsn_put_bool(struct jsn_out *o, bool value);
void jsn_put_raw(struct jsn_out *o, struct span json);

/* A key and its value. */
void jsn_member_text(struct jsn_out *o, const char *key, struct span text);
void jsn_member_number(struct jsn_out *o, const char *key, double value);
void jsn_member_int(struct jsn_out *o, const char *key, int64_t value);
void jsn_member_raw(struct jsn_out *o, const char *key, struct span json);
void jsn_member_time(struct jsn_out *o, const char *key, int64_t unix_ns);

/* The same, where 0 says that there is no such time: null. */
void jsn_member_time_or_null(struct jsn_out *o, const char *key,
    int64_t unix_ns);

/* Append text to out as the inside of a JSON string (k6's escapes). */
void jsn_escape(struct buf *out, struct span text);

#endif
