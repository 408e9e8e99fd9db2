/* SPDX-License-Identifier: MIT */
/* HTTP/2 by libnghttp2: requests, answers, flow control. */
#include "k6gen/http/http2.h"

#include <stdlib.h>
#include <string.h>

#include "k6gen/http/http2_priv.h"

enum {
	WINDOW = 1 << 20,	/* of a stream, as Go's */
	CONNECTION_WINDOW = 1 << 24,
	OUTPUT = 1 << 16,	/* bytes made at a time */
};

static struct http2_stream *
stream_of(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

static void
finish(struct http2 *h, struct http2_stream *s, enum http_failure failure)
{
	if (s->is_finished)
		return;
	s->is_finished = true;
	s->failure = failure;
	s->user->last_ns = h->read_ns;
	h->n_finished++;
}

static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
    void *ctx)
{
	struct http2_stream *s = stream_of(session, frame->hd.stream_id);
	struct http2 *h = ctx;

	if (s == NULL)
		return 0;
	if (s->user->first_ns == 0)
		s->user->first_ns = h->read_ns;
	s->is_trailer = s->status >= 200;
	if (!s->is_trailer)
		buf_reset(&s->user->headers);
	return 0;
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame,
    const uint8_t *name, size_t n_name, const uint8_t *value, size_t n_value,
    uint8_t flags, void *ctx)
{
	struct http2_stream *s = stream_of(session, frame->hd.stream_id);
	struct buf *headers;

	(void)flags;
	if (s == NULL || s->is_finished || s->is_trailer)
		return 0;
	s->head_bytes += n_name + n_value + 4;
	if (s->head_bytes > HEAD_MAX) {
		finish(ctx, s, FAILURE_LONG_HEADER);
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	if (n_name > 0 && name[0] == ':') {
		/* nghttp2 has seen to it that these are three digits. */
		if (n_name == 7 && memcmp(name, ":status", 7) == 0)
			s->status = 100 * (value[0] - '0') +
			    10 * (value[1] - '0') + value[2] - '0';
		if (s->status >= 100)
			return 0;
		finish(ctx, s, FAILURE_HTTP2_STREAM);
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	headers = &s->user->headers;
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
	struct http2_stream *s = stream_of(session, stream);

	(void)flags;
	if (s != NULL && !s->is_finished && !user_add_body(s->user,
	    (const char *)data, n))
		finish(ctx, s, FAILURE_LONG_BODY);
	return 0;
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct http2 *h = ctx;
	struct http2_stream *s;

	if (frame->hd.type == NGHTTP2_GOAWAY)
		h->is_going_away = true;
	if (frame->hd.type == NGHTTP2_SETTINGS)
		h->is_settled = true;
	if ((frame->hd.type != NGHTTP2_HEADERS &&
	    frame->hd.type != NGHTTP2_DATA) ||
	    !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	s = stream_of(session, frame->hd.stream_id);
	if (s == NULL)
		return 0;
	finish(h, s, FAILURE_NONE);
	/* Answered early: the rest of the body is nobody's. */
	if (nghttp2_session_get_stream_local_close(session, s->id) == 0)
		(void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE,
		    s->id, NGHTTP2_CANCEL);
	return 0;
}

static int
on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *ctx)
{
	struct http2_stream *s = stream_of(session, stream);

	if (s == NULL || s->is_finished)
		return 0;
	s->is_refused = error == NGHTTP2_REFUSED_STREAM;
	finish(ctx, s, FAILURE_HTTP2_STREAM);
	return 0;
}

/* A frame of a request was put into the output. */
static int
on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct http2_stream *s;

	(void)ctx;
	if ((frame->hd.type != NGHTTP2_HEADERS &&
	    frame->hd.type != NGHTTP2_DATA) ||
	    !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	s = stream_of(session, frame->hd.stream_id);
	if (s != NULL)
		s->is_put = true;
	return 0;
}

static ssize_t
read_body(nghttp2_session *session, int32_t stream, uint8_t *to, size_t n,
    uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
	struct http2_stream *s = stream_of(session, stream);

	(void)source, (void)ctx;
	/* It was given up: what resets it is on its way. */
	if (s == NULL)
		return NGHTTP2_ERR_DEFERRED;
	if (n > s->body.n)
		n = s->body.n;
	memcpy(to, s->body.p, n);
	s->body.p += n;
	s->body.n -= n;
	if (s->body.n == 0)
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
	nghttp2_session_callbacks_set_on_frame_send_callback(c, on_sent);
	/* Closed streams are not needed for priorities. */
	nghttp2_option_set_no_closed_streams(o, 1);
	if (nghttp2_session_client_new2(&session, c, h, o) != 0)
		session = NULL;
	nghttp2_option_del(o);
	nghttp2_session_callbacks_del(c);
	return session;
}

struct http2 *
http2_new(const struct http_options *options)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW },
	};
	struct http2 *h = xcalloc(1, sizeof(*h));

	h->options = options;
	h->streams.next = h->streams.previous = &h->streams;
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

bool
http2_take_bytes(struct http2 *h, const char *bytes, size_t n,
    int64_t read_ns)
{
	h->read_ns = read_ns;
	if (nghttp2_session_mem_recv(h->session, (const uint8_t *)bytes, n) <
	    0) {
		h->is_going_away = true;
		return false;
	}
	return true;
}

bool
http2_has_given_up(struct http2 *h)
{
	if (nghttp2_session_want_read(h->session))
		return false;
	h->is_going_away = true;
	return true;
}

struct http2_stream *
http2_finished(const struct http2 *h)
{
	struct http2_stream *s;

	if (h->n_finished == 0)
		return NULL;
	for (s = h->streams.next; !s->is_finished; s = s->next)
		;
	return s;
}

struct http2_stream *
http2_any(const struct http2 *h)
{
	return h->n_streams > 0 ? h->streams.next : NULL;
}

bool
http2_keeps_connection(const struct http2 *h)
{
	return !h->is_going_away &&
	    nghttp2_session_check_request_allowed(h->session) != 0;
}

bool
http2_has_room(const struct http2 *h)
{
	return http2_keeps_connection(h) && (h->n_streams == 0 ||
	    h->n_streams < nghttp2_session_get_remote_settings(h->session,
	    NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
}

bool
http2_is_settled(const struct http2 *h)
{
	return h->is_settled;
}

void
http2_retire(struct http2 *h)
{
	h->is_going_away = true;
}

void
http2_fill_reply(const struct http2_stream *s, struct http_reply *r)
{
	r->status = s->status;
	r->proto = "HTTP/2.0";
}

static void
unlink_stream(struct http2 *h, struct http2_stream *s)
{
	s->next->previous = s->previous;
	s->previous->next = s->next;
	h->n_streams--;
	h->n_finished -= s->is_finished;
	h->n_unsent -= !s->is_sent;
	s->user = NULL;
}

bool
http2_begin(struct http2 *h, struct http2_stream *s, struct user *u,
    const struct http2_request *q)
{
	nghttp2_data_provider body = { .read_callback = read_body };
	struct http2_stream *last = h->streams.previous;
	char length[NUM_TEXT];

	if (!http2_keeps_connection(h))
		return false;
	http2_make_headers(h, q, length);
	*s = (struct http2_stream){ .user = u, .next = &h->streams,
		.previous = last };
	if (q->r->body.p != NULL)
		s->body = q->r->body;
	buf_reset(&u->headers);
	s->id = nghttp2_submit_request(h->session, NULL, h->headers,
	    h->n_headers, s->body.n > 0 ? &body : NULL, s);
	if (s->id < 0) {
		s->user = NULL;
		h->is_going_away = true;
		return false;
	}
	last->next = h->streams.previous = s;
	h->n_streams++;
	h->n_unsent++;
	return true;
}

void
http2_leave(struct http2 *h, struct http2_stream *s)
{
	if (s->user == NULL)
		return;
	(void)nghttp2_session_set_stream_user_data(h->session, s->id, NULL);
	if (!s->is_finished || s->failure == FAILURE_LONG_BODY)
		(void)nghttp2_submit_rst_stream(h->session,
		    NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
	unlink_stream(h, s);
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
http2_sent(struct http2 *h, size_t n, int64_t sent_ns)
{
	struct http2_stream *s;
	size_t left = h->n_unsent;

	h->sent += n;
	/* The newest are at the end. */
	for (s = h->streams.previous; left > 0; s = s->previous) {
		if (s->is_sent)
			continue;
		left--;
		s->user->sent_ns = sent_ns;
		s->is_sent = s->is_put && h->sent == h->output.n;
		h->n_unsent -= s->is_sent;
	}
}
