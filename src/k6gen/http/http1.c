/* SPDX-License-Identifier: MIT */
/* Heads of requests of HTTP/1.1. */
#include "k6gen/http/http1_priv.h"

#include "base/num.h"

static void
add_lines(const struct http_texts *t, const struct http_texts *instead,
    unsigned leave_out, struct buf *out)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (header_is_left_out(t->items[i], leave_out) ||
		    header_is_in(instead, t->items[i]) ||
		    header_is(t->items[i], "Cookie") ||
		    !header_has_value(t->items[i]))
			continue;
		buf_text(out, t->items[i]);
		buf_text(out, "\r\n");
	}
}

/* The lines of a value of leave_out. own: the request's, instead of the
 * options' of the same name. */
static void
write_lines(const struct http_options *o, const struct http_texts *own,
    unsigned leave_out, struct buf *out)
{
	static const struct http_texts none;

	if (!header_is_in(&o->headers, "User-Agent:") &&
	    !header_is_in(own, "User-Agent:"))
		buf_printf(out, "User-Agent: %s\r\n", o->user_agent);
	if (!header_is_in(&o->headers, "Accept:") &&
	    !header_is_in(own, "Accept:"))
		buf_text(out, "Accept: */*\r\n");
	add_lines(&o->headers, own, leave_out, out);
	add_lines(own, &none, leave_out, out);
	if (o->keep == HTTP_KEEP_NONE)
		buf_text(out, "Connection: close\r\n");
}

void
http1_init_heads(struct http1_heads *h, const struct http_options *o)
{
	static const struct http_texts none;
	unsigned i;

	*h = (struct http1_heads){ .options = o,
		.has_host = header_is_in(&o->headers, "Host:") };
	for (i = 0; i < HEADER_SETS; i++)
		write_lines(o, &none, i, &h->lines[i]);
}

void
http1_release_heads(struct http1_heads *h)
{
	unsigned i;

	for (i = 0; i < HEADER_SETS; i++)
		buf_release(&h->lines[i]);
}

bool
http1_is_special(const struct http_texts *t)
{
	static const char *const names[] = { "Connection", "Content-Length",
		"Transfer-Encoding", "Expect", "Upgrade", "TE" };
	size_t i, j;

	for (i = 0; i < t->n; i++)
		for (j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			if (header_is(t->items[i], names[j]))
				return true;
	return false;
}

void
http1_write_head(const struct http1_heads *h, const struct http1_request *q,
    struct buf *head)
{
	const struct http_request *r = q->r;
	char text[NUM_TEXT];
	size_t n;

	buf_reset(head);
	buf_text(head, r->method);
	buf_char(head, ' ');
	if (q->path[0] != '/')
		buf_char(head, '/');
	buf_text(head, q->path);
	buf_add(head, " HTTP/1.1\r\n", 11);
	if (!h->has_host && !header_is_in(&r->headers, "Host:")) {
		buf_add(head, "Host: ", 6);
		buf_span(head, q->host);
		buf_add(head, "\r\n", 2);
	}
	if (r->headers.n == 0)
		buf_span(head, buf_whole(&h->lines[r->leave_out]));
	else
		write_lines(h->options, &r->headers, r->leave_out, head);
	if (q->cookies.n > 0) {
		buf_add(head, "Cookie: ", 8);
		buf_span(head, q->cookies);
		buf_add(head, "\r\n", 2);
	}
	if (header_wants_body(r)) {
		n = num_print_int(text, (int64_t)r->body.n);
		buf_add(head, "Content-Length: ", 16);
		buf_add(head, text, n);
		buf_add(head, "\r\n", 2);
	}
	buf_add(head, "\r\n", 2);
}
