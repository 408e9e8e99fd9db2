/* SPDX-License-Identifier: MIT */
#include "io/httpd.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/num.h"
#include "base/units.h"

enum {
	CONNECTIONS_MAX = 512,
	HEAD_BYTES = 64 * 1024,
	IDLE_S = 30,		/* silence of the other side */
	HEAD_S = 10,		/* from connect, or the last reply */
	BODY_S = 120,		/* from head to end of body */
	SLOW_S = 10,		/* from then on, a body must come with */
	SLOW_RATE = 1024,	/* bytes a second */
	DROP_FACTOR = 2,	/* of body_max: dropped, then cut off */
	BLOCK = 16 * 1024,
	PING_S = 10,
};

/* One connection, from accept to close; in httpd's list. */
struct peer {
	struct peer *previous, *next;
	int fd;
	int64_t deadline_ns;	/* monotonic; 0: none */
};

/* A stream of events that goes out on a connection. */
struct stream {
	struct httpd *h;
	struct stream *next_idle;	/* in h->idle while suspended */
	struct MHD_Connection *connection;
	httpd_next *next;
	void *data;
	struct buf out;
	size_t sent;
	int64_t ping_ns;
	bool is_over;
};

struct request {
	struct httpd_request public;
	struct httpd_reply reply;
	struct buf body;
	char *path;
	int64_t start_ns;
	size_t dropped;
	bool is_refused;
};

struct httpd {
	struct httpd_config config;
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock;		/* of what follows */
	struct peer *peers;
	struct stream *idle;		/* suspended streams */
	bool is_stopping;
};

const char *
httpd_header(const struct httpd_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
	    name);
}

const char *
httpd_query(const struct httpd_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection,
	    MHD_GET_ARGUMENT_KIND, name);
}

void
httpd_password(const struct httpd_request *r, struct buf *out)
{
	char *password = NULL;
	char *user = MHD_basic_auth_get_username_password(r->connection,
	    &password);

	if (password != NULL)
		buf_text(out, password);
	MHD_free(user);
	MHD_free(password);
}

static int64_t
in_seconds(int seconds)
{
	return now_monotonic_ns() + seconds * NS_PER_S;
}

static struct peer *
peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

static void
set_deadline(struct httpd *h, struct MHD_Connection *connection, int64_t ns)
{
	struct peer *peer = peer_of(connection);

	if (peer == NULL)
		return;
	(void)pthread_mutex_lock(&h->lock);
	peer->deadline_ns = ns;
	(void)pthread_mutex_unlock(&h->lock);
}

/* libmicrohttpd says that a connection begins, or that it ends; in the second
 * case the descriptor is still open. */
static void
on_connection(void *ctx, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;
	struct httpd *h = ctx;
	struct peer *peer = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(connection,
		    MHD_CONNECTION_INFO_CONNECTION_FD);
		peer = xcalloc(1, sizeof(*peer));
		peer->fd = info != NULL ? info->connect_fd : -1;
		peer->deadline_ns = in_seconds(HEAD_S);
		*context = peer;
	}
	if (peer == NULL)
		return;
	(void)pthread_mutex_lock(&h->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		peer->next = h->peers;
		if (peer->next != NULL)
			peer->next->previous = peer;
		h->peers = peer;
	} else {
		if (peer->next != NULL)
			peer->next->previous = peer->previous;
		if (peer->previous != NULL)
			peer->previous->next = peer->next;
		else
			h->peers = peer->next;
	}
	(void)pthread_mutex_unlock(&h->lock);
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		free(peer);
		*context = NULL;
	}
}

static void
stream_free(void *ctx)
{
	struct stream *s = ctx;

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
		s->ping_ns = in_seconds(PING_S);
}

/* Without news the connection is suspended until the next tick. */
static ssize_t
stream_read(void *ctx, uint64_t at, char *to, size_t max)
{
	struct stream *s = ctx;
	struct httpd *h = s->h;
	bool is_stopping;
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
	is_stopping = h->is_stopping;
	if (!is_stopping) {
		MHD_suspend_connection(s->connection);
		s->next_idle = h->idle;
		h->idle = s;
	}
	(void)pthread_mutex_unlock(&h->lock);
	return is_stopping ? MHD_CONTENT_READER_END_OF_STREAM : 0;
}

static struct MHD_Response *
stream_response(struct httpd *h, struct request *r)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->h = h;
	s->connection = r->public.connection;
	s->next = r->reply.next;
	s->data = r->reply.stream;
	s->ping_ns = in_seconds(PING_S);
	r->reply.stream = NULL;
	set_deadline(h, s->connection, 0);
	(void)MHD_set_connection_option(s->connection,
	    MHD_CONNECTION_OPTION_TIMEOUT, 0U);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK,
	    stream_read, s, stream_free);
}

/* The reply's body; takes what it needs from r->reply. */
static struct MHD_Response *
response_of(struct httpd *h, struct request *r)
{
	struct httpd_reply *reply = &r->reply;
	struct MHD_Response *response;

	if (reply->next != NULL)
		return stream_response(h, r);
	if (reply->fixed.p != NULL)
		return MHD_create_response_from_buffer(reply->fixed.n,
		    (void *)(uintptr_t)reply->fixed.p,
		    MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_buffer(reply->body.n,
	    reply->body.p, MHD_RESPMEM_MUST_FREE);
	if (response != NULL)
		reply->body = (struct buf){ 0 };
	return response;
}

static void
add_fields(struct MHD_Response *response, const struct httpd_field *f,
    size_t n)
{
	for (; n > 0 && f->name != NULL; n--, f++)
		(void)MHD_add_response_header(response, f->name, f->value);
}

static enum MHD_Result
send_reply(struct httpd *h, struct request *r)
{
	struct MHD_Response *response = response_of(h, r);
	struct httpd_reply *reply = &r->reply;
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	if (reply->type != NULL)
		(void)MHD_add_response_header(response,
		    MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
	add_fields(response, reply->fields,
	    sizeof(reply->fields) / sizeof(reply->fields[0]));
	add_fields(response, h->config.fields, SIZE_MAX);
	result = MHD_queue_response(r->public.connection,
	    (unsigned)reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* Repeated slashes become one: k6 joins its host and "/v1" as texts. */
static char *
clean_path(const char *url)
{
	char *path = xmalloc(strlen(url) + 1), *to = path;

	for (; *url != '\0'; url++)
		if (url[0] != '/' || to == path || to[-1] != '/')
			*to++ = *url;
	*to = '\0';
	return path;
}

/* The size that the head promises; 0: none. */
static int64_t
promised(const struct httpd_request *r)
{
	const char *text = httpd_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
	int64_t n;

	if (text == NULL)
		return 0;
	return num_parse_int(text, 0, INT64_MAX, &n) ? n : INT64_MAX;
}

static struct request *
request_new(struct httpd *h, struct MHD_Connection *connection,
    const char *url, const char *method)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->path = clean_path(url);
	r->start_ns = now_monotonic_ns();
	r->body.max = h->config.body_max;
	r->public.connection = connection;
	r->public.method = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0
	    ? MHD_HTTP_METHOD_GET : method;
	r->public.path = r->path;
	set_deadline(h, connection, in_seconds(BODY_S));
	return r;
}

/* A piece of the body came. Refused and oversized ones are read to their end,
 * within reason, since a client reads the reply only after that. */
static enum MHD_Result
take_body(struct httpd *h, struct request *r, const char *data, size_t *n)
{
	int64_t age_s = (now_monotonic_ns() - r->start_ns) / NS_PER_S;

	if (!r->is_refused && !r->public.is_too_large) {
		buf_add(&r->body, data, *n);
		if (r->body.is_full) {
			r->public.is_too_large = true;
			r->dropped = r->body.n;
			buf_release(&r->body);
		}
	} else {
		r->dropped += *n;
	}
	*n = 0;
	if (r->dropped / DROP_FACTOR > h->config.body_max)
		return MHD_NO;
	if (age_s > SLOW_S && (r->body.n + r->dropped) / SLOW_RATE <
	    (size_t)(age_s - SLOW_S))
		return MHD_NO;
	return MHD_YES;
}

static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **context)
{
	struct httpd *h = ctx;
	struct request *r = *context;

	(void)version;
	if (r == NULL) {
		r = *context = request_new(h, connection, url, method);
		r->is_refused = h->config.admit(h->config.ctx, &r->public,
		    &r->reply) < 0;
		if (promised(&r->public) <= (int64_t)h->config.body_max)
			return MHD_YES;
		r->public.is_too_large = true;
		if (!r->is_refused)
			h->config.answer(h->config.ctx, &r->public, &r->reply);
		return send_reply(h, r);
	}
	if (*n != 0)
		return take_body(h, r, data, n);
	r->public.body = buf_whole(&r->body);
	if (!r->is_refused)
		h->config.answer(h->config.ctx, &r->public, &r->reply);
	return send_reply(h, r);
}

static void
on_completed(void *ctx, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode code)
{
	struct request *r = *context;

	(void)code;
	if (r == NULL)
		return;
	set_deadline(ctx, connection, in_seconds(IDLE_S + HEAD_S));
	buf_release(&r->body);
	buf_release(&r->reply.body);
	free(r->reply.stream);
	free(r->path);
	free(r);
	*context = NULL;
}

/* Decode a path or a query in place. One with a NUL in it stays as it came,
 * since it would be taken for the text before the NUL. */
static size_t
unescape(void *ctx, struct MHD_Connection *connection, char *text)
{
	(void)ctx;
	(void)connection;
	return strstr(text, "%00") != NULL ? strlen(text)
	    : MHD_http_unescape(text);
}

struct httpd *
httpd_start(const struct httpd_config *config, struct why *why)
{
	struct httpd *h = xcalloc(1, sizeof(*h));

	h->config = *config;
	(void)pthread_mutex_init(&h->lock, NULL);
	errno = 0;
	h->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
	    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
	    on_request, h,
	    MHD_OPTION_LISTEN_SOCKET, config->fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
	    MHD_OPTION_END);
	if (h->daemon != NULL)
		return h;
	(void)why_set(why, "cannot start the HTTP server: %s",
	    strerror(errno));
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
	return NULL;
}

/* Wake all streams; h->lock is held. */
static void
wake(struct httpd *h)
{
	struct stream *s;

	while ((s = h->idle) != NULL) {
		h->idle = s->next_idle;
		MHD_resume_connection(s->connection);
	}
}

void
httpd_tick(struct httpd *h)
{
	int64_t now = now_monotonic_ns();
	struct peer *peer;

	(void)pthread_mutex_lock(&h->lock);
	wake(h);
	for (peer = h->peers; peer != NULL; peer = peer->next)
		if (peer->deadline_ns != 0 && now > peer->deadline_ns)
			(void)shutdown(peer->fd, SHUT_RDWR);
	(void)pthread_mutex_unlock(&h->lock);
}

void
httpd_stop(struct httpd *h)
{
	if (h == NULL)
		return;
	(void)pthread_mutex_lock(&h->lock);
	h->is_stopping = true;
	wake(h);
	(void)pthread_mutex_unlock(&h->lock);
	MHD_stop_daemon(h->daemon);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}
