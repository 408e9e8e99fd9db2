/* SPDX-License-Identifier: MIT */
/* The headers of a request, as HTTP/2 has them. */
#include <ctype.h>
#include <string.h>

#include "k6gen/http/header.h"
#include "k6gen/http/http2_priv.h"

static void
add_header(struct http2 *h, const char *name, size_t n_name,
    struct span value)
{
	h->headers = xgrow(h->headers, h->n_headers, &h->cap,
	    sizeof(*h->headers));
	/* nghttp2 reads, and does not write, through these pointers. */
	h->headers[h->n_headers++] = (nghttp2_nv){ (uint8_t *)(uintptr_t)name,
		(uint8_t *)(uintptr_t)value.p, n_name, value.n,
		NGHTTP2_NV_FLAG_NONE };
}

#define ADD(h, name, value) add_header(h, name, sizeof(name) - 1, value)

/* The lines of the request's headers, but for those that the other list has,
 * and those that have no place in HTTP/2. The names go to h->names, which has
 * room: it must not move. */
static void
add_lines(struct http2 *h, const struct http_texts *t,
    const struct http_texts *instead, unsigned leave_out)
{
	const char *line, *colon;
	struct span value;
	char *name;
	size_t i, j, n;

	for (i = 0; i < t->n; i++) {
		line = t->items[i];
		colon = strchr(line, ':');
		n = (size_t)(colon - line);
		value = span_of(colon + 1);
		while (value.n > 0 && (value.p[0] == ' ' ||
		    value.p[0] == '\t')) {
			value.p++;
			value.n--;
		}
		if (header_is_left_out(line, leave_out) ||
		    header_is_in(instead, line) || !header_has_value(line) ||
		    header_is(line, "Host") || header_is(line, "Cookie"))
			continue;
		name = h->names.p + h->names.n;
		for (j = 0; j < n; j++)
			name[j] = (char)tolower((unsigned char)line[j]);
		h->names.n += n;
		add_header(h, name, n, value);
	}
}

/* A Host header of the request or the options is the authority. */
static struct span
authority_of(const struct http_options *o, const struct http2_request *q)
{
	const struct http_texts *lists[] = { &q->r->headers, &o->headers };
	const char *value;
	size_t i, k;

	for (k = 0; k < 2; k++)
		for (i = 0; i < lists[k]->n; i++) {
			if (!header_is(lists[k]->items[i], "Host"))
				continue;
			value = lists[k]->items[i] + sizeof("Host:") - 1;
			return span_of(value + strspn(value, " \t"));
		}
	return q->authority;
}

void
http2_make_headers(struct http2 *h, const struct http2_request *q,
    char length[NUM_TEXT])
{
	static const struct http_texts none;
	const struct http_options *o = h->options;
	const struct http_texts *own = &q->r->headers;
	size_t i, room = 0;

	for (i = 0; i < o->headers.n; i++)
		room += strlen(o->headers.items[i]);
	for (i = 0; i < own->n; i++)
		room += strlen(own->items[i]);
	buf_reset(&h->names);
	(void)buf_room(&h->names, room + 1);
	h->n_headers = 0;
	ADD(h, ":method", span_of(q->r->method));
	ADD(h, ":path", span_of(q->path));
	ADD(h, ":scheme", span_of(q->scheme));
	ADD(h, ":authority", authority_of(o, q));
	if (!header_is_in(&o->headers, "User-Agent:") &&
	    !header_is_in(own, "User-Agent:"))
		ADD(h, "user-agent", span_of(o->user_agent));
	if (!header_is_in(&o->headers, "Accept:") &&
	    !header_is_in(own, "Accept:"))
		ADD(h, "accept", SPAN("*/*"));
	add_lines(h, &o->headers, own, q->r->leave_out);
	add_lines(h, own, &none, q->r->leave_out);
	if (q->cookies.n > 0)
		ADD(h, "cookie", q->cookies);
	if (header_wants_body(q->r)) {
		i = num_print_int(length, (int64_t)q->r->body.n);
		ADD(h, "content-length", ((struct span){ length, i }));
	}
}
