/* SPDX-License-Identifier: MIT */
/* Takes a request from libmicrohttpd piece by piece, and hands it to those who
 * answer. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/units.h"
#include "k6serve/http/httpd_priv.h"

enum {
	SILENT_S = 10,		/* silence within a body */
	BODY_S = 120,		/* from head to end of body */
	SLOW_S = 5,		/* from then on, a body must come with */
	SLOW_RATE = 1024,	/* bytes a second */
	DROP_FACTOR = 2,	/* of body_max: dropped, then cut off */
};

void
request_leave_unsent(struct httpd *h, struct request *r)
{
	if (!r->is_unsent)
		return;
	r->is_unsent = false;
	(void)pthread_mutex_lock(&h->lock);
	if (--h->n_unsent == 0)
		(void)pthread_cond_signal(&h->answered);
	(void)pthread_mutex_unlock(&h->lock);
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

void *
request_on_uri(void *ctx, const char *uri, struct MHD_Connection *connection)
{
	struct request *r = xcalloc(1, sizeof(*r));

	(void)ctx;
	(void)connection;
	r->path = path_clean(head_path(uri != NULL ? uri : "", &r->host));
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

enum MHD_Result
request_go_on(void *ctx, struct MHD_Connection *connection, const char *url,
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
			return reply_send(h, r);	/* nor read further */
		if (promised(&r->public) <= (int64_t)h->config.body_max)
			return MHD_YES;
		r->public.is_too_large = true;
		answer_request(h, r);
		return reply_send(h, r);
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
	return reply_send(h, r);
}

void
request_end(void *ctx, struct MHD_Connection *connection, void **context,
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
	peers_enter(h, connection, PHASE_IDLE, HTTPD_IDLE_S);
	request_leave_unsent(h, r);
	if (r->reply.over != NULL)
		r->reply.over(r->reply.over_ctx, r->reply.held);
	h->held -= r->held;
	buf_release(&r->body);
	buf_release(&r->reply.body);
	reply_free_texts(&r->reply);
	free(r->reply.stream);
	free(r->public.note);
	free(r->host);
	free(r->path);
	free(r);
	*context = NULL;
}
