/* SPDX-License-Identifier: MIT */
/* Takes requests from libmicrohttpd, and gives it their replies. */
#include "k6serve/http/httpd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/num.h"
#include "base/thread.h"
#include "base/units.h"
#include "k6serve/http/httpd_priv.h"

enum {
	CONNECTIONS_MAX = 4096,
	SPARE_FILES = 64,	/* descriptors that are not connections */
	HEAD_BYTES = 64 * 1024,
	IDLE_S = 30,		/* silence between requests */
	REPLY_S = 60,		/* to take the whole reply, and longer */
	REPLY_RATE = 64 * 1024,	/* if it is large: bytes a second */
	SILENT_S = 10,		/* silence within a body */
	BODY_S = 120,		/* from head to end of body */
	SLOW_S = 5,		/* from then on, a body must come with */
	SLOW_RATE = 1024,	/* bytes a second */
	DROP_FACTOR = 2,	/* of body_max: dropped, then cut off */
	LAST_REPLIES_S = 2,	/* at the end: for what is answered */
};

/* Suites with SHA-1 are those with CBC, too. */
#define TLS_VERSIONS "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-SHA1"

struct request {
	struct httpd_request public;
	struct httpd_reply reply;
	struct buf body;
	struct peer *peer;
	char *path, *host;	/* of a whole URL; NULL: it was none */
	int64_t start_ns;
	size_t dropped;
	size_t held;		/* its part of httpd's */
	bool is_begun;		/* its head is in */
	bool is_refused;
	bool is_deferred;	/* what the next line tells will come */
	bool is_answered;	/* reply is filled in */
	bool is_unsent;		/* httpd's n_unsent counts it */
};

static ssize_t
give_nothing(void *ctx, uint64_t at, char *to, size_t n)
{
	(void)ctx;
	(void)at;
	(void)to;
	(void)n;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/* Only where the connection is closed behind it libmicrohttpd writes neither a
 * length nor that there are chunks. */
static struct MHD_Response *
without_length(void)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, 1, give_nothing, NULL, NULL);

	if (response != NULL)
		(void)MHD_set_response_options(response,
		    MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	return response;
}

/* The reply's body; takes what it needs from r->reply. */
static struct MHD_Response *
response_of(struct httpd *h, struct request *r)
{
	struct httpd_reply *reply = &r->reply;
	struct MHD_Response *response;

	if (reply->next != NULL)
		return stream_start(h, r->public.connection, reply);
	if (reply->has_no_length)
		return without_length();
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

/* A field that is there already stays as it is, one of the reply, too. */
static void
add_fields(struct MHD_Response *response, const struct httpd_field *f,
    size_t n)
{
	for (; n > 0 && f->name != NULL; n--, f++)
		if (MHD_get_response_header(response, f->name) == NULL)
			(void)MHD_add_response_header(response, f->name,
			    f->value);
}

static void
free_texts(struct httpd_reply *reply)
{
	size_t i;

	free(reply->cause);
	reply->cause = NULL;
	for (i = 0; i < sizeof(reply->texts) / sizeof(reply->texts[0]); i++) {
		free(reply->texts[i]);
		reply->texts[i] = NULL;
	}
}

/* Nobody needs to wait any longer until its reply is sent. */
static void
leave_unsent(struct httpd *h, struct request *r)
{
	if (!r->is_unsent)
		return;
	r->is_unsent = false;
	(void)pthread_mutex_lock(&h->lock);
	if (--h->n_unsent == 0)
		(void)pthread_cond_signal(&h->answered);
	(void)pthread_mutex_unlock(&h->lock);
}

static enum MHD_Result
send_reply(struct httpd *h, struct request *r)
{
	int seconds = REPLY_S + (int)(r->reply.body.n / REPLY_RATE);
	struct httpd_reply *reply = &r->reply;
	struct MHD_Response *response;
	enum MHD_Result result;

	if (h->config.replied != NULL)
		h->config.replied(h->config.ctx, &r->public, reply);
	response = response_of(h, r);
	if (response == NULL)
		return MHD_NO;
	if (reply->type != NULL)
		(void)MHD_add_response_header(response,
		    MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
	add_fields(response, reply->fields,
	    sizeof(reply->fields) / sizeof(reply->fields[0]));
	free_texts(reply);
	add_fields(response, h->config.fields, SIZE_MAX);
	if (reply->next != NULL)
		leave_unsent(h, r);
	else
		peers_enter(h, r->public.connection, PHASE_REPLY, seconds);
	result = MHD_queue_response(r->public.connection,
	    (unsigned)reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;
	int digit = at != NULL ? (int)(at - digits) : -1;

	return digit < 16 ? digit : digit - 6;
}

/* Write what is escaped at p, or its first byte. Returns what is behind it. */
static const char *
unescape_one(const char *p, char **to)
{
	int high = p[0] == '%' ? hex_digit(p[1]) : -1;
	int low = high >= 0 ? hex_digit(p[2]) : -1;
	int byte = high * 16 + low;

	if (low < 0 || byte == HTTPD_SLASH) {	/* which is never decoded */
		*(*to)++ = *p;
		return p + 1;
	}
	*(*to)++ = byte == '/' ? HTTPD_SLASH : (char)byte;
	return p + 3;
}

/* The path of an URI, decoded. Repeated slashes become one: k6 joins its host
 * and "/v1" as texts. One with a NUL in it stays as it came, since it would be
 * taken for the text before the NUL. */
static char *
clean_path(const char *uri)
{
	size_t n = strcspn(uri, "?");
	char *path = xmalloc(n + 1), *to = path;
	const char *end = uri + n, *p = uri, *nul = strstr(uri, "%00");

	while (p < end)
		if (p[0] == '/' && to != path && to[-1] == '/')
			p++;
		else if (nul != NULL && nul < end)
			*to++ = *p++;
		else
			p = unescape_one(p, &to);
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

/* The first line of a head is in; its path is not decoded yet, so that a slash
 * that was escaped is known. */
static void *
on_uri(void *ctx, const char *uri, struct MHD_Connection *connection)
{
	struct request *r = xcalloc(1, sizeof(*r));

	(void)ctx;
	(void)connection;
	r->path = clean_path(head_path(uri != NULL ? uri : "", &r->host));
	return r;
}

static void
request_begin(struct httpd *h, struct request *r,
    struct MHD_Connection *connection, const char *method)
{
	r->is_begun = true;
	r->start_ns = now_monotonic_ns();
	r->body.max = h->config.body_max;
	r->public.connection = connection;
	r->public.server = h;
	r->public.method = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0
	    ? MHD_HTTP_METHOD_GET : method;
	r->public.path = r->path;
	r->public.host = r->host != NULL ? r->host :
	    httpd_header(&r->public, MHD_HTTP_HEADER_HOST);
	r->peer = peers_of(connection);
	peers_address(connection, r->public.address);
	peers_enter(h, connection, PHASE_BODY, SILENT_S);
	r->is_unsent = true;
	(void)pthread_mutex_lock(&h->lock);
	h->n_unsent++;
	(void)pthread_mutex_unlock(&h->lock);
}

static void
refuse_busy(struct httpd *h, struct request *r)
{
	r->is_refused = true;
	r->dropped = r->body.n;
	buf_release(&r->body);
	h->held -= r->held;
	r->held = 0;
	r->reply.status = MHD_HTTP_SERVICE_UNAVAILABLE;
	r->reply.fields[0] = (struct httpd_field){ "Retry-After", "1" };
}

static void
add_body(struct httpd *h, struct request *r, const char *data, size_t n)
{
	if (h->held + n > h->config.bodies_max) {
		peers_shed_body(h);
		refuse_busy(h, r);
		return;
	}
	buf_add(&r->body, data, n);
	h->held += r->body.cap - r->held;
	r->held = r->body.cap;
	if (r->body.is_full) {
		r->public.is_too_large = true;
		r->dropped = r->body.n;
		buf_release(&r->body);
	}
}

/* A piece of the body came. Refused and oversized ones are read to their end,
 * within reason, since a client reads the reply only after that. */
static enum MHD_Result
add_piece(struct httpd *h, struct request *r, const char *data, size_t *n)
{
	int64_t age_s = (now_monotonic_ns() - r->start_ns) / NS_PER_S;

	if (!r->is_refused && !r->public.is_too_large)
		add_body(h, r, data, *n);
	else
		r->dropped += *n;
	*n = 0;
	if (r->dropped / DROP_FACTOR > h->config.body_max || age_s > BODY_S)
		return MHD_NO;
	if (age_s > SLOW_S && (r->body.n + r->dropped) / SLOW_RATE <
	    (size_t)(age_s - SLOW_S))
		return MHD_NO;
	peers_enter(h, r->public.connection, PHASE_BODY, SILENT_S);
	return MHD_YES;
}

void
httpd_defer(const struct httpd_request *public)
{
	struct httpd *h = public->server;
	struct request *r = (struct request *)(uintptr_t)public;

	r->is_deferred = true;
	peers_enter(h, public->connection, PHASE_BUSY, 0);
	(void)pthread_mutex_lock(&h->lock);
	h->n_deferred++;
	(void)pthread_mutex_unlock(&h->lock);
	MHD_suspend_connection(public->connection);
}

void
httpd_answered(const struct httpd_request *public)
{
	struct httpd *h = public->server;
	struct request *r = (struct request *)(uintptr_t)public;

	r->is_answered = true;
	MHD_resume_connection(public->connection);
	(void)pthread_mutex_lock(&h->lock);
	if (--h->n_deferred == 0)
		(void)pthread_cond_signal(&h->answered);
	(void)pthread_mutex_unlock(&h->lock);
}

bool
httpd_is_gone(const struct httpd_request *public)
{
	const struct request *r = (const void *)public;
	struct httpd *h = public->server;
	bool is_gone;

	(void)pthread_mutex_lock(&h->lock);
	is_gone = r->peer != NULL && r->peer->is_gone;
	(void)pthread_mutex_unlock(&h->lock);
	return is_gone;
}

unsigned
httpd_connections_max(const struct httpd *h)
{
	return h->connections_max;
}

unsigned
httpd_connections(struct httpd *h)
{
	unsigned n;

	(void)pthread_mutex_lock(&h->lock);
	n = h->n_peers;
	(void)pthread_mutex_unlock(&h->lock);
	return n;
}

unsigned
httpd_streams(const struct httpd *h)
{
	return h->n_streams;
}

/* Let the callback answer, or defer. */
static void
answer_request(struct httpd *h, struct request *r)
{
	bool is_stopping;

	if (r->is_refused)
		return;
	(void)pthread_mutex_lock(&h->lock);
	is_stopping = h->is_stopping;
	(void)pthread_mutex_unlock(&h->lock);
	if (is_stopping)
		refuse_busy(h, r);
	else
		h->config.answer(h->config.ctx, &r->public, &r->reply);
}

static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **context)
{
	struct httpd *h = ctx;
	struct request *r = *context;

	(void)url;
	if (!r->is_begun) {
		request_begin(h, r, connection, method);
		r->public.fault = head_fault(connection, version);
		r->is_refused = h->config.admit(h->config.ctx, &r->public,
		    &r->reply) < 0;
		if (r->public.fault != NULL)
			return send_reply(h, r);	/* nor read further */
		if (promised(&r->public) <= (int64_t)h->config.body_max)
			return MHD_YES;
		r->public.is_too_large = true;
		answer_request(h, r);
		return send_reply(h, r);
	}
	if (*n != 0)
		return add_piece(h, r, data, n);
	if (!r->is_deferred) {
		r->public.body = buf_whole(&r->body);
		answer_request(h, r);
		if (r->is_deferred)
			return MHD_YES;
	} else if (!r->is_answered) {
		return MHD_YES;
	}
	return send_reply(h, r);
}

static void
on_completed(void *ctx, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode code)
{
	struct request *r = *context;
	struct httpd *h = ctx;

	(void)code;
	if (r == NULL)
		return;
	if (!r->is_begun) {	/* its head is refused by libmicrohttpd */
		free(r->host);
		free(r->path);
		free(r);
		return;
	}
	peers_enter(h, connection, PHASE_IDLE, IDLE_S);
	leave_unsent(h, r);
	if (r->reply.over != NULL)
		r->reply.over(r->reply.over_ctx, r->reply.held);
	h->held -= r->held;
	buf_release(&r->body);
	buf_release(&r->reply.body);
	free_texts(&r->reply);
	free(r->reply.stream);
	free(r->public.note);
	free(r->host);
	free(r->path);
	free(r);
	*context = NULL;
}

/* Decode a query in place, and a path that nobody reads. One with a NUL in it
 * stays as it came, since it would be taken for the text before the NUL. */
static size_t
unescape(void *ctx, struct MHD_Connection *connection, char *text)
{
	(void)ctx;
	(void)connection;
	return strstr(text, "%00") != NULL ? strlen(text)
	    : MHD_http_unescape(text);
}

/* As many as there are descriptors for; what the system allows is used. */
static unsigned
most_connections(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return CONNECTIONS_MAX / 8;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 ||
	    files.rlim_cur >= CONNECTIONS_MAX + SPARE_FILES)
		return CONNECTIONS_MAX;
	return files.rlim_cur > 2 * SPARE_FILES
	    ? (unsigned)files.rlim_cur - SPARE_FILES
	    : (unsigned)files.rlim_cur / 2;
}

static struct MHD_Daemon *
start_daemon(struct httpd *h)
{
	const struct httpd_config *c = &h->config;
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
	    MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0,
		    (void *)(uintptr_t)c->certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)c->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
		    (void *)(uintptr_t)TLS_VERSIONS },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (c->certificate == NULL)
		tls[0].option = MHD_OPTION_END;
	else
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, peers_welcome, h, on_request, h,
	    MHD_OPTION_ARRAY, tls,
	    MHD_OPTION_LISTEN_SOCKET, c->fd,
	    MHD_OPTION_CONNECTION_LIMIT, h->connections_max,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
	    MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL,
	    MHD_OPTION_NOTIFY_CONNECTION, peers_notify, h,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
	    MHD_OPTION_END);
}

struct httpd *
httpd_start(const struct httpd_config *config, struct why *why)
{
	struct httpd *h = xcalloc(1, sizeof(*h));

	h->config = *config;
	h->connections_max = most_connections();
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_cond_init(&h->answered, NULL);
	errno = 0;
	h->daemon = start_daemon(h);
	if (h->daemon != NULL)
		return h;
	(void)why_set(why, "cannot start the HTTP server%s: %s",
	    config->certificate != NULL ? " with that certificate and key"
	    : "", errno != 0 ? strerror(errno) : "libmicrohttpd refused");
	(void)pthread_cond_destroy(&h->answered);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
	return NULL;
}

void
httpd_tick(struct httpd *h)
{
	(void)pthread_mutex_lock(&h->lock);
	streams_wake(h);
	(void)pthread_mutex_unlock(&h->lock);
	peers_expire(h);
}

void
httpd_stop(struct httpd *h)
{
	int64_t until;

	if (h == NULL)
		return;
	(void)pthread_mutex_lock(&h->lock);
	h->is_stopping = true;
	while (h->n_deferred != 0)
		(void)pthread_cond_wait(&h->answered, &h->lock);
	streams_wake(h);
	until = now_monotonic_ns() + LAST_REPLIES_S * NS_PER_S;
	while (h->n_unsent != 0 && thread_wait_until(&h->answered, &h->lock,
	    until))
		;
	(void)pthread_mutex_unlock(&h->lock);
	MHD_stop_daemon(h->daemon);
	(void)pthread_cond_destroy(&h->answered);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}
