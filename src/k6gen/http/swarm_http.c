/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 in bytes: heads of requests, and answers by libhttp-parser. */
#include <stdlib.h>
#include <strings.h>

#include "base/num.h"
#include "k6gen/http/swarm_priv.h"

static bool
is_header(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncasecmp(line, name, n) == 0 && line[n] == ':';
}

/* "Name:" alone leaves a header out. */
static bool
has_value(const char *line)
{
	const char *p = strchr(line, ':') + 1;

	return p[strspn(p, " \t")] != '\0';
}

static void
add_lines(const struct swarm_texts *t, const struct swarm_texts *instead,
    unsigned leave_out, struct buf *out)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (swarm_leaves_out(t->items[i], leave_out) ||
		    swarm_has_header(instead, t->items[i]) ||
		    !has_value(t->items[i]))
			continue;
		buf_text(out, t->items[i]);
		buf_text(out, "\r\n");
	}
}

void
http_lines(const struct swarm_options *o, const struct swarm_texts *own,
    unsigned leave_out, struct buf *out)
{
	static const struct swarm_texts none;

	if (!swarm_has_header(&o->headers, "User-Agent:") &&
	    !swarm_has_header(own, "User-Agent:"))
		buf_printf(out, "User-Agent: %s\r\n", o->user_agent);
	if (!swarm_has_header(&o->headers, "Accept:") &&
	    !swarm_has_header(own, "Accept:"))
		buf_text(out, "Accept: */*\r\n");
	add_lines(&o->headers, own, leave_out, out);
	add_lines(own, &none, leave_out, out);
	if (o->keep == SWARM_KEEP_NONE)
		buf_text(out, "Connection: close\r\n");
}

bool
http_is_special(const struct swarm_texts *t)
{
	static const char *const names[] = { "Connection", "Content-Length",
		"Transfer-Encoding", "Expect", "Upgrade", "TE" };
	size_t i, j;

	for (i = 0; i < t->n; i++)
		for (j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			if (is_header(t->items[i], names[j]))
				return true;
	return false;
}

/* The host as it stands in the URL. */
static void
add_host(struct buf *head, const struct swarm_request *r, const char *path)
{
	const char *from = r->url + sizeof("http://") - 1;
	size_t n = (size_t)(path - from);

	if (n > 3 && memcmp(path - 3, ":80", 3) == 0)
		n -= 3;
	buf_add(head, "Host: ", 6);
	buf_add(head, from, n);
	buf_add(head, "\r\n", 2);
}

void
http_head(struct user *u, const struct swarm_request *r)
{
	struct swarm *s = u->swarm;
	struct exchange *x = u->exchange;
	struct buf *head = &x->head;
	char text[NUM_TEXT];
	size_t n;

	buf_reset(head);
	buf_text(head, r->method);
	buf_char(head, ' ');
	if (x->path[0] != '/')
		buf_char(head, '/');
	buf_text(head, x->path);
	buf_add(head, " HTTP/1.1\r\n", 11);
	if (!s->has_host[r->leave_out] && !swarm_has_header(&r->headers,
	    "Host:"))
		add_host(head, r, x->path);
	if (r->headers.n == 0)
		buf_span(head, buf_whole(&s->heads[r->leave_out]));
	else
		http_lines(s->options, &r->headers, r->leave_out, head);
	if (swarm_wants_body(r)) {
		n = num_print_int(text, (int64_t)r->body.n);
		buf_add(head, "Content-Length: ", 16);
		buf_add(head, text, n);
		buf_add(head, "\r\n", 2);
	}
	buf_add(head, "\r\n", 2);
}

static int
on_field(http_parser *p, const char *at, size_t n)
{
	struct user *u = p->data;
	struct exchange *x = u->exchange;

	if (x->is_in_value)
		buf_char(&x->fields, '\n');
	x->is_in_value = false;
	buf_add(&x->fields, at, n);
	return 0;
}

static int
on_value(http_parser *p, const char *at, size_t n)
{
	struct user *u = p->data;
	struct exchange *x = u->exchange;

	if (!x->is_in_value)
		buf_add(&x->fields, ": ", 2);
	x->is_in_value = true;
	buf_add(&x->fields, at, n);
	return 0;
}

/* 1: no body follows, whatever the headers say. */
static int
on_headers_complete(http_parser *p)
{
	struct user *u = p->data;

	if (u->exchange->is_in_value)
		buf_char(&u->exchange->fields, '\n');
	u->exchange->is_in_value = false;
	return u->exchange->is_head;
}

static int
on_body(http_parser *p, const char *at, size_t n)
{
	struct user *u = p->data;
	const struct swarm_options *o = u->swarm->options;
	size_t room = o->keep_body - u->body.n;

	u->body_bytes += (int64_t)n;
	if (o->max_body > 0 && u->body_bytes > o->max_body) {
		u->exchange->failure = CURLE_WRITE_ERROR;
		return 1;
	}
	if (room > 0)
		buf_add(&u->body, at, n < room ? n : room);
	return 0;
}

/* What comes behind the answer is not looked at; 100 Continue and the like
 * come before it. */
static int
on_complete(http_parser *p)
{
	struct user *u = p->data;

	if (p->status_code / 100 == 1 && p->status_code != 101) {
		buf_reset(&u->exchange->fields);
		return 0;
	}
	u->exchange->is_complete = true;
	http_parser_pause(p, 1);
	return 0;
}

static const http_parser_settings settings = {
	.on_header_field = on_field, .on_header_value = on_value,
	.on_headers_complete = on_headers_complete, .on_body = on_body,
	.on_message_complete = on_complete,
};

void
http_begin(struct user *u)
{
	struct exchange *x = u->exchange;

	http_parser_init(&x->parser, HTTP_RESPONSE);
	x->parser.data = u;
	x->is_in_value = x->is_complete = false;
	x->failure = CURLE_OK;
	buf_reset(&x->fields);
}

CURLcode
http_take(struct user *u, const char *bytes, size_t n)
{
	struct exchange *x = u->exchange;
	size_t taken = http_parser_execute(&x->parser, &settings, bytes, n);

	if (x->is_complete) {
		/* Bytes that nobody asked for: not to be used again. */
		if (taken < n)
			x->parser.flags |= F_CONNECTION_CLOSE;
		return CURLE_OK;
	}
	switch (HTTP_PARSER_ERRNO(&x->parser)) {
	case HPE_OK:
		break;
	case HPE_HEADER_OVERFLOW:
		return CURLE_OUT_OF_MEMORY;
	case HPE_INVALID_EOF_STATE:
		return CURLE_PARTIAL_FILE;
	default:
		return x->failure != CURLE_OK ? x->failure :
		    CURLE_WEIRD_SERVER_REPLY;
	}
	if (n == 0)
		return CURLE_PARTIAL_FILE;
	return x->parser.upgrade ? CURLE_WEIRD_SERVER_REPLY : CURLE_OK;
}
