/* SPDX-License-Identifier: MIT */
/* Answers of HTTP/1.1, taken apart as their bytes come (RFC 9112). */
#include <strings.h>

#include "k6gen/http/http1_priv.h"

enum {
	CHUNK_DIGITS = 15,	/* of a longest chunk's length */
};

/* What is read next. */
enum http1_state { STATUS_LINE, HEADER_LINE, BODY_LENGTH, BODY_TO_END,
	CHUNK_LENGTH, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_END, TRAILER_LINE,
	COMPLETE };

void
http1_begin_answer(struct http1_answer *a, struct user *u,
    struct http1_known *known, bool is_head)
{
	struct buf line = a->line;

	*a = (struct http1_answer){ .user = u, .known = known,
		.is_head = is_head, .line = line, .length = -1 };
	buf_reset(&a->line);
	buf_reset(&u->headers);
}

void
http1_release_answer(struct http1_answer *a)
{
	buf_release(&a->line);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span
trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	return s;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* HTTP/1.1 200 OK */
static enum http_failure
take_status(struct http1_answer *a, struct span line)
{
	const char *p = line.p;

	if (line.n < 12 || memcmp(p, "HTTP/1.", 7) != 0 ||
	    !is_digit(p[7]) || p[8] != ' ' || !is_digit(p[9]) ||
	    !is_digit(p[10]) || !is_digit(p[11]) ||
	    (line.n > 12 && p[12] != ' '))
		return FAILURE_MALFORMED;
	a->is_old = p[7] == '0';
	a->status = 100 * (p[9] - '0') + 10 * (p[10] - '0') + p[11] - '0';
	a->state = HEADER_LINE;
	return a->status >= 100 ? FAILURE_NONE : FAILURE_MALFORMED;
}

/* Whether a list, "close, TE", has that word. */
static bool
has_word(struct span list, const char *word)
{
	const char *p = list.p, *end = list.p + list.n, *stop;
	struct span one;

	for (; p < end; p = stop + 1) {
		stop = memchr(p, ',', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		one = trim((struct span){ p, (size_t)(stop - p) });
		if (one.n == strlen(word) &&
		    strncasecmp(one.p, word, one.n) == 0)
			return true;
	}
	return false;
}

static enum http_failure
take_length(struct http1_answer *a, struct span value)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < value.n; i++) {
		if (!is_digit(value.p[i]) || n > INT64_MAX / 10 - 9)
			return FAILURE_MALFORMED;
		n = 10 * n + value.p[i] - '0';
	}
	if (value.n == 0 || (a->length >= 0 && a->length != n))
		return FAILURE_MALFORMED;
	a->length = n;
	return FAILURE_NONE;
}

/* A header that says where the answer ends, or the connection, or that there
 * are cookies. */
static enum http_failure
heed_header(struct http1_answer *a, struct span name, struct span value)
{
	switch (name.n) {
	case sizeof("Connection") - 1:
		a->has_cookies |= strncasecmp(name.p, "Set-Cookie",
		    name.n) == 0;
		if (strncasecmp(name.p, "Connection", name.n) != 0)
			break;
		a->has_close |= has_word(value, "close");
		a->has_keep |= has_word(value, "keep-alive");
		break;
	case sizeof("Content-Length") - 1:
		if (strncasecmp(name.p, "Content-Length", name.n) == 0)
			return take_length(a, value);
		break;
	case sizeof("Transfer-Encoding") - 1:
		if (strncasecmp(name.p, "Transfer-Encoding", name.n) != 0)
			break;
		a->is_coded = true;
		a->is_chunked = has_word(value, "chunked");
		break;
	default:
		break;
	}
	return FAILURE_NONE;
}

/* "Name: value\n" */
static void
add_header(struct buf *headers, struct span name, struct span value)
{
	char *p = buf_room(headers, name.n + value.n + 3);

	memcpy(p, name.p, name.n);
	p += name.n;
	*p++ = ':';
	*p++ = ' ';
	if (value.n > 0)
		memcpy(p, value.p, value.n);
	p += value.n;
	*p++ = '\n';
	*p = '\0';
	headers->n += name.n + value.n + 3;
}

static enum http_failure
take_header(struct http1_answer *a, struct span line)
{
	struct buf *headers = &a->user->headers;
	const char *colon;
	struct span name, value;

	if (memchr(line.p, '\0', line.n) != NULL)
		return FAILURE_MALFORMED;
	if (is_blank(line.p[0])) {
		/* It goes on with the value of the last one. */
		if (headers->n == 0)
			return FAILURE_MALFORMED;
		headers->p[headers->n - 1] = ' ';
		buf_span(headers, trim(line));
		buf_char(headers, '\n');
		return FAILURE_NONE;
	}
	colon = memchr(line.p, ':', line.n);
	if (colon == NULL || colon == line.p)
		return FAILURE_MALFORMED;
	name = trim((struct span){ line.p, (size_t)(colon - line.p) });
	value = trim((struct span){ colon + 1,
	    (size_t)(line.p + line.n - colon - 1) });
	add_header(headers, name, value);
	return heed_header(a, name, value);
}

/* RFC 9112 6.3. */
static enum http_failure
end_head(struct http1_answer *a)
{
	/* Nobody asked for another protocol. */
	if (a->status == 101)
		return FAILURE_MALFORMED;
	if (a->status < 200) {
		http1_begin_answer(a, a->user, a->known, a->is_head);
		a->state = STATUS_LINE;
		return FAILURE_NONE;
	}
	if (a->is_head || a->status == 204 || a->status == 304) {
		a->state = COMPLETE;
	} else if (a->is_chunked) {
		a->state = CHUNK_LENGTH;
	} else if (a->length >= 0 && !a->is_coded) {
		a->left = a->length;
		a->state = a->left > 0 ? BODY_LENGTH : COMPLETE;
	} else {
		a->state = BODY_TO_END;
		a->has_close = true;
	}
	return FAILURE_NONE;
}

static enum http_failure
take_line(struct http1_answer *a, struct span line)
{
	a->head_bytes += line.n + 1;
	if (a->head_bytes > HEAD_MAX)
		return FAILURE_LONG_HEADER;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (a->state == STATUS_LINE)
		return take_status(a, line);
	if (a->state == TRAILER_LINE) {
		if (line.n == 0)
			a->state = COMPLETE;
		return FAILURE_NONE;
	}
	return line.n > 0 ? take_header(a, line) : end_head(a);
}

/* Take a line or a part of it. Returns how many bytes. */
static size_t
take_part_of_line(struct http1_answer *a, struct span s,
    enum http_failure *failure)
{
	const char *end = memchr(s.p, '\n', s.n);
	size_t n = end != NULL ? (size_t)(end - s.p) : s.n;

	if (end == NULL || a->line.n > 0)
		buf_add(&a->line, s.p, n);
	if (end == NULL) {
		if (a->line.n + a->head_bytes > HEAD_MAX)
			*failure = FAILURE_LONG_HEADER;
		else if (a->state == STATUS_LINE && memcmp(a->line.p, "HTTP/",
		    a->line.n < 5 ? a->line.n : 5) != 0)
			*failure = FAILURE_MALFORMED;
		return s.n;
	}
	if (a->line.n > 0) {
		*failure = take_line(a, buf_whole(&a->line));
		buf_reset(&a->line);
	} else {
		*failure = take_line(a, (struct span){ s.p, n });
	}
	return n + 1;
}

static size_t
take_body(struct http1_answer *a, struct span s, enum http_failure *failure)
{
	size_t n = s.n;

	if (a->state != BODY_TO_END && (int64_t)n > a->left)
		n = (size_t)a->left;
	if (!user_add_body(a->user, s.p, n))
		*failure = FAILURE_LONG_BODY;
	if (a->state == BODY_TO_END)
		return n;
	a->left -= (int64_t)n;
	if (a->left == 0)
		a->state = a->state == BODY_LENGTH ? COMPLETE : CHUNK_END;
	return n;
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of what stands around the data of a chunk. */
static enum http_failure
take_chunk_byte(struct http1_answer *a, char c)
{
	int digit = hex_digit(c);

	if (a->state == CHUNK_LENGTH && digit >= 0) {
		if (++a->n_digits > CHUNK_DIGITS)
			return FAILURE_MALFORMED;
		a->left = a->left * 16 + digit;
		return FAILURE_NONE;
	}
	if (a->state == CHUNK_LENGTH && a->n_digits == 0)
		return FAILURE_MALFORMED;
	if (a->state == CHUNK_LENGTH && c != '\n' && c != '\r' && c != ';' &&
	    !is_blank(c))
		return FAILURE_MALFORMED;
	if (a->state == CHUNK_END && c != '\r' && c != '\n')
		return FAILURE_MALFORMED;
	if (c != '\n') {
		if (a->state == CHUNK_LENGTH)
			a->state = CHUNK_EXTENSION;
		return FAILURE_NONE;
	}
	if (a->state == CHUNK_END) {
		a->left = 0;
		a->n_digits = 0;
		a->state = CHUNK_LENGTH;
	} else {
		a->state = a->left > 0 ? CHUNK_DATA : TRAILER_LINE;
	}
	return FAILURE_NONE;
}

/* Take a line of the head, or a part of it; all of a head that is known. *head
 * is where it began; NULL: not in these bytes. */
static size_t
take_head(struct http1_answer *a, struct span s, const char **head,
    enum http_failure *failure)
{
	size_t taken;

	if (a->state == STATUS_LINE) {
		*head = a->line.n == 0 ? s.p : NULL;
		taken = *head != NULL ? http1_recall(a, s) : 0;
		if (taken > 0)
			return taken;
	}
	taken = take_part_of_line(a, s, failure);
	if (*head != NULL && *failure == FAILURE_NONE &&
	    a->state != STATUS_LINE && a->state != HEADER_LINE)
		http1_remember(a, (struct span){ *head,
		    (size_t)(s.p + taken - *head) });
	return taken;
}

enum http_failure
http1_take_bytes(struct http1_answer *a, const char *bytes, size_t n)
{
	enum http_failure failure = FAILURE_NONE;
	struct span s = { bytes, n };
	const char *head = NULL;
	size_t taken;

	if (n == 0) {
		if (a->state != BODY_TO_END)
			return FAILURE_CUT;
		a->state = COMPLETE;
	}
	while (s.n > 0 && a->state != COMPLETE && failure == FAILURE_NONE) {
		taken = 1;
		switch (a->state) {
		case STATUS_LINE:
		case HEADER_LINE:
			taken = take_head(a, s, &head, &failure);
			break;
		case TRAILER_LINE:
			taken = take_part_of_line(a, s, &failure);
			break;
		case BODY_LENGTH:
		case BODY_TO_END:
		case CHUNK_DATA:
			taken = take_body(a, s, &failure);
			break;
		default:
			failure = take_chunk_byte(a, *s.p);
			break;
		}
		s.p += taken;
		s.n -= taken;
	}
	a->is_complete = a->state == COMPLETE && failure == FAILURE_NONE;
	/* Bytes that nobody asked for: not to be used again. */
	if (a->is_complete && s.n > 0)
		a->has_close = true;
	return failure;
}

size_t
http1_unwanted(const struct http1_answer *a)
{
	if (a->user->body.n < a->user->engine->options->keep_body)
		return 0;
	switch (a->state) {
	case BODY_LENGTH:
		return (size_t)a->left + 1;
	case CHUNK_DATA:
		return (size_t)a->left;
	case BODY_TO_END:
		return SIZE_MAX;
	default:
		return 0;
	}
}

bool
http1_keeps_connection(const struct http1_answer *a)
{
	return !a->has_close && (!a->is_old || a->has_keep);
}

void
http1_fill_reply(const struct http1_answer *a, struct http_reply *r)
{
	r->status = a->status;
	r->proto = a->is_old ? "HTTP/1.0" : "HTTP/1.1";
}
