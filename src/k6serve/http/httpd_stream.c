/* SPDX-License-Identifier: MIT */
/* Streams of events: replies that go on as long as there is news. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "k6serve/http/httpd_priv.h"

enum {
	BLOCK = 16 * 1024,	/* bytes handed over at a time */
	PING_S = 10,		/* silence before a comment is sent */
};

/* A stream of events that goes out on a connection. */
struct stream {
	struct httpd *h;
	struct stream *next_idle;	/* in h->idle while suspended */
	bool is_idle;
	struct MHD_Connection *connection;
	struct peer *peer;
	httpd_next *next;
	void *data;
	struct buf out;
	size_t sent;
	int64_t ping_ns;
	bool is_over;
};

static void
stream_free(void *ctx)
{
	struct stream *s = ctx;

	s->h->n_streams--;
	buf_release(&s->out);
	free(s->data);
	free(s);
}

/* Ask for news, and see to it that something is sent now and then, so that a
 * reader who went away is found out. */
static void
stream_fill(struct stream *s)
{
	buf_reset(&s->out);
	s->sent = 0;
	s->is_over = s->next(s->data, &s->out) < 0;
	if (s->out.n == 0 && !s->is_over && now_monotonic_ns() > s->ping_ns)
		buf_text(&s->out, ":\n\n");
	if (s->out.n != 0)
		s->ping_ns = now_monotonic_ns() + PING_S * NS_PER_S;
}

/* Without news the connection is suspended until the next tick. */
static ssize_t
stream_read(void *ctx, uint64_t at, char *to, size_t max)
{
	struct stream *s = ctx;
	struct httpd *h = s->h;
	bool is_ending;
	size_t n;

	(void)at;
	if (s->sent == s->out.n && !s->is_over)
		stream_fill(s);
	n = s->out.n - s->sent < max ? s->out.n - s->sent : max;
	if (n != 0) {
		memcpy(to, s->out.p + s->sent, n);
		s->sent += n;
		return (ssize_t)n;
	}
	if (s->is_over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	(void)pthread_mutex_lock(&h->lock);
	is_ending = h->is_stopping || (s->peer != NULL && s->peer->is_cut);
	if (!is_ending) {
		MHD_suspend_connection(s->connection);
		s->next_idle = h->idle;
		s->is_idle = true;
		h->idle = s;
	}
	(void)pthread_mutex_unlock(&h->lock);
	return is_ending ? MHD_CONTENT_READER_END_OF_STREAM : 0;
}

struct MHD_Response *
stream_start(struct httpd *h, struct MHD_Connection *connection,
    struct httpd_reply *reply)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	h->n_streams++;
	s->h = h;
	s->connection = connection;
	s->next = reply->next;
	s->data = reply->stream;
	s->ping_ns = now_monotonic_ns() + PING_S * NS_PER_S;
	reply->stream = NULL;
	s->peer = peers_enter_stream(h, s->connection, s);
	(void)MHD_set_connection_option(s->connection,
	    MHD_CONNECTION_OPTION_TIMEOUT, 0U);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK,
	    stream_read, s, stream_free);
}

void
streams_wake(struct httpd *h)
{
	struct stream *s;

	while ((s = h->idle) != NULL) {
		h->idle = s->next_idle;
		s->is_idle = false;
		MHD_resume_connection(s->connection);
	}
}

void
stream_wake(struct stream *s)
{
	struct stream **at = &s->h->idle;

	if (!s->is_idle)
		return;
	while (*at != s)
		at = &(*at)->next_idle;
	*at = s->next_idle;
	s->is_idle = false;
	MHD_resume_connection(s->connection);
}
