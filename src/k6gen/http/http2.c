/* SPDX-License-Identifier: MIT */
/* HTTP/2 by libnghttp2: headers of requests, answers, flow control. */
#include "k6gen/http/http2.h"

#include <ctype.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <strings.h>

#include "base/num.h"
#include "k6gen/http/header.h"

enum {
	WINDOW = 1 << 20,	/* of a stream, as Go's */
	CONNECTION_WINDOW = 1 << 24,
	OUTPUT = 1 << 16,	/* bytes made at a time */
};

struct http2 {
	nghttp2_session *session;
	struct user *user;
	int32_t stream;		/* of the request; 0: none is under way */
	struct span body;	/* what is left of it to be sent */
	struct buf output;	/* made, from sent on not sent yet */
	size_t sent;
	struct buf names;	/* of the request's headers, in lower case */
	nghttp2_nv *headers;
	size_t n_headers, cap;
	int64_t read_ns;
	/* The answer. */
	int status;
	size_t head_bytes;
	bool is_trailer;
	bool is_complete, is_refused, is_closed;
	bool is_going_away;
	enum http_failure failure;
};

static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
    void *ctx)
{
	struct http2 *h = ctx;

	(void)session;
	if (frame->hd.stream_id != h->stream)
		return 0;
	if (h->user->first_ns == 0)
		h->user->first_ns = h->read_ns;
	h->is_trailer = h->status >= 200;
	if (!h->is_trailer)
		buf_reset(&h->user->headers);
	return 0;
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame,
    const uint8_t *name, size_t n_name, const uint8_t *value, size_t n_value,
    uint8_t flags, void *ctx)
{
	struct http2 *h = ctx;
	struct buf *headers = &h->user->headers;

	(void)session, (void)flags;
	if (frame->hd.stream_id != h->stream || h->is_trailer)
		return 0;
	h->head_bytes += n_name + n_value + 4;
	if (h->head_bytes > HEAD_MAX) {
		h->failure = FAILURE_LONG_HEADER;
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	if (n_name > 0 && name[0] == ':') {
		/* nghttp2 has seen to it that these are three digits. */
		if (n_name == 7 && memcmp(name, ":status", 7) == 0)
			h->status = 100 * (value[0] - '0') +
			    10 * (value[1] - '0') + value[2] - '0';
		return 0;
	}
	buf_add(headers, name, n_name);
	buf_add(headers, ": ", 2);
	buf_add(headers, value, n_value);
	buf_char(headers, '\n');
	return 0;
}

static int
on_data(nghttp2_session *session, uint8_t flags, int32_t stream,
    const uint8_t *data, size_t n, void *ctx)
{
	struct http2 *h = ctx;

	(void)session, (void)flags;
	if (stream == h->stream && !user_add_body(h->user,
	    (const char *)data, n))
		h->failure = FAILURE_LONG_BODY;
	return 0;
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct http2 *h = ctx;

	if (frame->hd.type == NGHTTP2_GOAWAY)
		h->is_going_away = true;
	if (frame->hd.stream_id != h->stream || h->stream == 0 ||
	    (frame->hd.type != NGHTTP2_HEADERS &&
	    frame->hd.type != NGHTTP2_DATA) ||
	    !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	h->is_complete = h->failure == FAILURE_NONE;
	/* Answered early: the rest of the body is nobody's. */
	if (nghttp2_session_get_stream_local_close(session, h->stream) == 0)
		(void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE,
		    h->stream, NGHTTP2_CANCEL);
	return 0;
}

static int
on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *ctx)
{
	struct http2 *h = ctx;

	(void)session;
	if (stream != h->stream || h->is_complete)
		return 0;
	h->is_closed = true;
	h->is_refused = error == NGHTTP2_REFUSED_STREAM;
	if (h->failure == FAILURE_NONE)
		h->failure = FAILURE_HTTP2_STREAM;
	return 0;
}

static ssize_t
read_body(nghttp2_session *session, int32_t stream, uint8_t *to, size_t n,
    uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
	struct http2 *h = ctx;

	(void)session, (void)stream, (void)source;
	if (n > h->body.n)
		n = h->body.n;
	memcpy(to, h->body.p, n);
	h->body.p += n;
	h->body.n -= n;
	if (h->body.n == 0)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static nghttp2_session *
make_session(struct http2 *h)
{
	nghttp2_session_callbacks *c;
	nghttp2_option *o;
	nghttp2_session *session = NULL;

	if (nghttp2_session_callbacks_new(&c) != 0)
		return NULL;
	if (nghttp2_option_new(&o) != 0) {
		nghttp2_session_callbacks_del(c);
		return NULL;
	}
	nghttp2_session_callbacks_set_on_begin_headers_callback(c,
	    on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
	/* Closed streams are not needed for priorities. */
	nghttp2_option_set_no_closed_streams(o, 1);
	if (nghttp2_session_client_new2(&session, c, h, o) != 0)
		session = NULL;
	nghttp2_option_del(o);
	nghttp2_session_callbacks_del(c);
	return session;
}

struct http2 *
http2_new(struct user *u)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW },
	};
	struct http2 *h = xcalloc(1, sizeof(*h));

	h->user = u;
	h->session = make_session(h);
	if (h->session != NULL && nghttp2_submit_settings(h->session,
	    NGHTTP2_FLAG_NONE, settings, 2) == 0 &&
	    nghttp2_session_set_local_window_size(h->session,
	    NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) == 0)
		return h;
	http2_free(h);
	return NULL;
}

void
http2_free(struct http2 *h)
{
	if (h == NULL)
		return;
	nghttp2_session_del(h->session);
	buf_release(&h->output);
	buf_release(&h->names);
	free(h->headers);
	free(h);
}

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
		    header_is_in(instead, line) || value.n == 0 ||
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

static void
make_headers(struct http2 *h, const struct http2_request *q,
    char length[NUM_TEXT])
{
	static const struct http_texts none;
	const struct http_options *o = h->user->engine->options;
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

bool
http2_begin(struct http2 *h, const struct http2_request *q)
{
	nghttp2_data_provider body = { .read_callback = read_body };
	char length[NUM_TEXT];

	if (!http2_keeps_connection(h))
		return false;
	make_headers(h, q, length);
	h->body = q->r->body.p != NULL ? q->r->body : (struct span){ "", 0 };
	h->status = 0;
	h->head_bytes = 0;
	h->is_trailer = h->is_complete = h->is_refused = h->is_closed = false;
	h->failure = FAILURE_NONE;
	buf_reset(&h->user->headers);
	h->stream = nghttp2_submit_request(h->session, NULL, h->headers,
	    h->n_headers, h->body.n > 0 ? &body : NULL, NULL);
	if (h->stream > 0)
		return true;
	h->stream = 0;
	h->is_going_away = true;
	return false;
}

void
http2_cancel(struct http2 *h)
{
	if (h->stream > 0 && !h->is_closed && !h->is_complete)
		(void)nghttp2_submit_rst_stream(h->session,
		    NGHTTP2_FLAG_NONE, h->stream, NGHTTP2_CANCEL);
	h->stream = 0;
}

struct span
http2_output(struct http2 *h)
{
	const uint8_t *bytes;
	ssize_t n = 1;

	if (h->sent < h->output.n)
		return (struct span){ h->output.p + h->sent,
			h->output.n - h->sent };
	buf_reset(&h->output);
	h->sent = 0;
	while (h->output.n < OUTPUT && n > 0) {
		n = nghttp2_session_mem_send(h->session, &bytes);
		if (n > 0)
			buf_add(&h->output, bytes, (size_t)n);
	}
	return buf_whole(&h->output);
}

void
http2_sent(struct http2 *h, size_t n)
{
	h->sent += n;
}

bool
http2_is_sent(const struct http2 *h)
{
	return h->sent == h->output.n && (h->is_closed ||
	    nghttp2_session_get_stream_local_close(h->session, h->stream) !=
	    0);
}

enum http_failure
http2_take_bytes(struct http2 *h, const char *bytes, size_t n,
    int64_t read_ns)
{
	h->read_ns = read_ns;
	if (nghttp2_session_mem_recv(h->session, (const uint8_t *)bytes, n) <
	    0) {
		h->is_going_away = true;
		return FAILURE_HTTP2;
	}
	if (!nghttp2_session_want_read(h->session))
		h->is_going_away = true;
	return h->failure;
}

bool
http2_is_complete(const struct http2 *h)
{
	return h->is_complete;
}

bool
http2_is_refused(const struct http2 *h)
{
	return h->is_refused;
}

bool
http2_keeps_connection(const struct http2 *h)
{
	return !h->is_going_away &&
	    nghttp2_session_check_request_allowed(h->session) != 0;
}

void
http2_fill_reply(const struct http2 *h, struct http_reply *r)
{
	r->status = h->status;
	r->proto = "HTTP/2.0";
}
