/* SPDX-License-Identifier: MIT */
/* The engine of nearly all load: HTTP/1.1 and HTTP/2, over TCP and TLS, to the
 * server itself. A connection is one descriptor. */
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/units.h"
#include "k6gen/http/direct_priv.h"
#include "k6gen/http/http2.h"

/* The request is over before the caller of send expects a reply: tick hands
 * it over. */
static void
end_later(struct user *u, enum http_failure failure)
{
	struct direct *d = direct_of(u);

	direct_state_of(u)->early_failure = failure;
	d->ended[d->n_ended++] = u->number;
}

/* What a new connection cost. */
static void
fill_phases(struct user *u, const struct exchange *x)
{
	if (x->conn == NULL || x->connect_ns == 0 || u->ready_ns == 0)
		return;
	u->connecting_ns = x->conn->connected_ns - x->connect_ns;
	if (x->has_tls)
		u->handshaking_ns = u->ready_ns - x->conn->connected_ns;
}

static void
end_request(struct user *u, enum http_failure failure)
{
	struct exchange *x = direct_state_of(u)->exchange;
	struct conn *c = x->conn;
	struct http_reply r = { .user = u->number };

	fill_phases(u, x);
	if (failure == FAILURE_NONE)
		exchange_fill_reply(u, &r);
	user_fill_reply(u, failure, &r);
	if (c != NULL && c->ip[0] != '\0')
		r.ip = c->ip;
	if (failure == FAILURE_NONE)
		user_take_cookies(u, x->authority, x->path);
	if (c != NULL && (!c->is_ready ||
	    !exchange_keeps_connection(u, failure)))
		conn_close(c);
	else if (c != NULL)
		c->used_ns = u->start_ns;
	x->conn = NULL;
	user_end_request(u, &r);
}

static void
note_deadline(struct direct *d, int64_t ns)
{
	if (ns < d->sweep_ns)
		d->sweep_ns = ns;
}

static enum http_failure
connect_to(struct user *u, struct host *h)
{
	struct direct_user *state = direct_state_of(u);
	struct exchange *x = state->exchange;
	struct conn *c = pool_place(&state->pool, x->authority, x->has_tls);
	struct address to[ADDRESSES];
	int n = names_choose(&direct_of(u)->names, h, to);

	x->conn = c;
	x->is_reused = false;
	x->connect_ns = now_monotonic_ns();
	c->user = u;
	c->has_tls = x->has_tls;
	memcpy(c->authority, x->authority, sizeof(c->authority));
	note_deadline(direct_of(u), x->connect_ns +
	    u->engine->options->connect_ns);
	if (n == 0)
		return FAILURE_LOOKUP;
	if (!conn_dial(c, u->engine, to, n))
		return FAILURE_DIAL;
	note_deadline(direct_of(u), conn_dial_due_ns(c));
	return FAILURE_NONE;
}

static enum http_failure
connect_anew(struct user *u)
{
	struct exchange *x = direct_state_of(u)->exchange;
	struct host *h = names_find(&direct_of(u)->names, x->authority);

	if (h->is_known)
		return connect_to(u, h);
	x->conn = NULL;
	return FAILURE_NONE;
}

/* Fill in the exchange of a request. */
static struct exchange *
prepare_exchange(struct user *u, const struct http_request *r,
    const char *path, const char authority[AUTHORITY], bool has_tls)
{
	struct direct_user *state = direct_state_of(u);
	struct exchange *x = state->exchange;

	if (x == NULL)
		x = state->exchange = xcalloc(1, sizeof(*x));
	x->request = r;
	x->path = path;
	memcpy(x->authority, authority, AUTHORITY);
	x->has_tls = has_tls;
	x->is_repeated = false;
	x->deadline_ns = u->start_ns + r->timeout_ns;
	x->connect_ns = 0;
	x->conn = pool_find(&state->pool, authority, has_tls);
	x->is_reused = x->conn != NULL;
	return x;
}

/* The server closed a kept connection while the request was on its way. Go,
 * and so k6, then tries once more with a new one; it stays one request. So it
 * does when the server says that it has not looked at it (RFC 9113 8.7). */
static bool
can_repeat(const struct user *u, enum http_failure failure)
{
	const struct exchange *x = direct_state_of(u)->exchange;

	if (x->is_repeated || x->conn == NULL || u->first_ns != 0)
		return false;
	if (x->conn->http2 != NULL && http2_is_refused(x->conn->http2))
		return true;
	return u->may_repeat && x->is_reused && (failure == FAILURE_WRITE ||
	    failure == FAILURE_READ || failure == FAILURE_EOF);
}

static enum http_failure
repeat_request(struct user *u)
{
	struct exchange *x = direct_state_of(u)->exchange;

	x->is_repeated = true;
	u->os_error = 0;
	conn_close(x->conn);
	return connect_anew(u);
}

static bool
direct_send(struct engine *e, struct user *u, const struct http_request *r)
{
	struct direct *d = (struct direct *)e;
	char authority[AUTHORITY];
	bool has_tls;
	const char *path;
	struct exchange *x;
	enum http_failure failure;

	path = d->can_any ? direct_split_url(r->url, authority, &has_tls) :
	    NULL;
	if (path == NULL || (r->headers.n > 0 &&
	    http1_is_special(&r->headers)) || strcmp(r->method,
	    "CONNECT") == 0)
		return false;
	x = prepare_exchange(u, r, path, authority, has_tls);
	note_deadline(d, x->deadline_ns);
	/* A connection of HTTP/2 that takes no more is known before. */
	if (x->is_reused && x->conn->http2 != NULL &&
	    !http2_keeps_connection(x->conn->http2)) {
		conn_close(x->conn);
		x->is_reused = false;
	}
	failure = x->is_reused ? exchange_begin(u) : connect_anew(u);
	if (failure != FAILURE_NONE && can_repeat(u, failure))
		failure = repeat_request(u);
	if (failure != FAILURE_NONE)
		end_later(u, failure);
	return true;
}

static void
direct_cancel(struct engine *e, struct user *u)
{
	struct direct *d = (struct direct *)e;
	struct exchange *x = d->users[u->number].exchange;
	int i;

	if (x->conn != NULL)
		conn_close(x->conn);
	x->conn = NULL;
	for (i = 0; i < d->n_ended; i++)
		if (d->ended[i] == u->number)
			d->ended[i] = d->ended[--d->n_ended];
}

static void
fail_request(struct user *u, enum http_failure failure)
{
	if (can_repeat(u, failure)) {
		failure = repeat_request(u);
		if (failure == FAILURE_NONE)
			return;
	}
	end_request(u, failure);
}

/* Read what there is. Returns false once the request is over. */
static bool
receive_answer(struct user *u)
{
	enum http_failure failure = FAILURE_NONE;

	if (exchange_receive(u, &failure) == EXCHANGE_MORE)
		return true;
	if (failure != FAILURE_NONE)
		fail_request(u, failure);
	else
		end_request(u, failure);
	return false;
}

static struct tls_context *
tls_of(struct direct *d)
{
	struct why why;

	if (d->tls == NULL)
		d->tls = tls_context_new(d->engine.options, &why);
	return d->tls;
}

/* TCP is there: shake hands, choose the protocol, begin. Returns false once
 * the request is over, or while there is nothing to read. */
static bool
get_ready(struct user *u, struct conn *c)
{
	struct direct *d = direct_of(u);
	enum http_failure failure = FAILURE_TLS;
	bool is_http2 = u->engine->options->version == HTTP_2;

	if (c->has_tls) {
		switch (tls_of(d) == NULL ? CONN_FAILED :
		    conn_shake_hands(c, d->tls, &failure)) {
		case CONN_LATER:
			return false;
		case CONN_FAILED:
			end_request(u, failure);
			return false;
		default:
			is_http2 = tls_has_http2(c->tls);
		}
	}
	c->is_ready = true;
	if (is_http2)
		c->http2 = http2_new(u);
	failure = is_http2 && c->http2 == NULL ? FAILURE_HTTP2 :
	    exchange_begin(u);
	if (failure == FAILURE_NONE)
		return true;
	end_request(u, failure);
	return false;
}

/* An event of a connection that is not ready. Returns false as get_ready. */
static bool
go_on_connecting(struct user *u, struct conn *c, int fd, uint32_t events)
{
	if (c->dial != NULL) {
		if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			return false;
		switch (conn_finish_dial(c, u->engine, fd)) {
		case CONN_LATER:
			note_deadline(direct_of(u), conn_dial_due_ns(c));
			return false;
		case CONN_FAILED:
			end_request(u, FAILURE_DIAL);
			return false;
		default:
			break;
		}
	}
	return get_ready(u, c);
}

/* Go on with the requests whose host has been looked up. */
static void
connect_waiting(struct direct *d)
{
	struct exchange *x;
	struct user *u;
	struct host *h;
	enum http_failure failure;
	int i;

	for (i = 0; i < d->engine.n_users; i++) {
		u = &d->engine.users[i];
		x = d->users[i].exchange;
		if (u->engine != &d->engine || x->conn != NULL)
			continue;
		h = names_get(&d->names, x->authority);
		if (h == NULL || !h->is_known)
			continue;
		failure = connect_to(u, h);
		if (failure != FAILURE_NONE)
			end_request(u, failure);
	}
}

static void
direct_event(struct engine *e, int fd, void *of, uint32_t events)
{
	struct direct *d = (struct direct *)e;
	struct conn *c = of;
	struct user *u;
	enum http_failure failure;
	uint32_t news = events & (EPOLLIN | EPOLLHUP | EPOLLERR |
	    EPOLLRDHUP);

	if (of == &d->names) {
		names_event(&d->names, fd, events);
		return;
	}
	u = c->user;
	/* Idle; that there is room is no news. */
	if (u->engine != e || d->users[u->number].exchange->conn != c) {
		if (news != 0 && !exchange_drain(c))
			conn_close(c);
		return;
	}
	if (!c->is_ready) {
		if (!go_on_connecting(u, c, fd, events))
			return;
		/* What came behind the handshake has no event of its own. */
		news |= c->has_tls ? EPOLLIN : 0;
	} else if (events & EPOLLOUT) {
		failure = exchange_send(u);
		/* An answer may say why; it is read below. */
		if (failure != FAILURE_NONE && !(events & EPOLLIN)) {
			fail_request(u, failure);
			return;
		}
	}
	c->is_closing |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	if (news == 0 || !receive_answer(u))
		return;
	/* A short read hides the end that came behind it; no event will tell
	 * of it again. */
	if (c->is_closing)
		(void)receive_answer(u);
}

/* When something is to be done for the user's request: it is too late, or its
 * next address is to be tried. The limit of making a connection is one of its
 * own. */
static int64_t
deadline_of(const struct user *u)
{
	const struct exchange *x = direct_state_of(u)->exchange;
	int64_t dial_ns = x->connect_ns +
	    u->engine->options->connect_ns;

	if (u->ready_ns == 0 && x->connect_ns != 0 &&
	    dial_ns < x->deadline_ns)
		return dial_ns;
	return x->deadline_ns;
}

static void
end_late(struct direct *d, int64_t now_ns)
{
	struct user *u;
	struct conn *c;
	int64_t ns;
	int i;

	d->sweep_ns = INT64_MAX;
	for (i = 0; i < d->engine.n_users; i++) {
		u = &d->engine.users[i];
		if (u->engine != &d->engine)
			continue;
		c = d->users[i].exchange->conn;
		if (c != NULL && conn_dial_due_ns(c) <= now_ns)
			conn_dial_more(c, u->engine);
		if (c != NULL)
			note_deadline(d, conn_dial_due_ns(c));
		ns = deadline_of(u);
		if (ns <= now_ns)
			end_request(u, FAILURE_TIMEOUT);
		else
			note_deadline(d, ns);
	}
}

static void
direct_tick(struct engine *e, int64_t now_ns)
{
	struct direct *d = (struct direct *)e;
	struct user *u;
	int n = d->n_ended;

	/* Replies may end more, which wait for the next time. */
	while (n-- > 0 && d->n_ended > 0) {
		u = &e->users[d->ended[0]];
		memmove(d->ended, d->ended + 1,
		    (size_t)--d->n_ended * sizeof(*d->ended));
		end_request(u, d->users[u->number].early_failure);
	}
	if (names_tick(&d->names))
		connect_waiting(d);
	if (now_ns >= d->sweep_ns)
		end_late(d, now_ns);
}

static int64_t
direct_due_ns(const struct engine *e)
{
	const struct direct *d = (const struct direct *)e;
	int64_t names_ns;

	if (d->n_ended > 0)
		return 0;
	names_ns = names_due_ns(&d->names);
	return names_ns < d->sweep_ns ? names_ns : d->sweep_ns;
}

static void
direct_free(struct engine *e)
{
	struct direct *d = (struct direct *)e;
	struct exchange *x;
	int i;

	names_release(&d->names);
	for (i = 0; i < e->n_users; i++) {
		pool_release(&d->users[i].pool);
		x = d->users[i].exchange;
		if (x != NULL) {
			buf_release(&x->head);
			buf_release(&x->cookies);
			http1_release_answer(&x->answer);
		}
		free(x);
	}
	tls_context_free(d->tls);
	http1_release_heads(&d->heads);
	free(d->users);
	free(d->ended);
	free(d);
}

static const struct engine_ops direct_ops = {
	.send = direct_send, .cancel = direct_cancel, .event = direct_event,
	.due_ns = direct_due_ns, .tick = direct_tick, .free = direct_free,
};

struct engine *
engine_direct_new(const struct engine *base, struct why *why)
{
	const struct http_options *o = base->options;
	struct direct *d = xcalloc(1, sizeof(*d));

	d->engine = *base;
	d->engine.ops = &direct_ops;
	d->can_any = direct_takes_options(o);
	d->sweep_ns = INT64_MAX;
	d->users = xcalloc((size_t)base->n_users, sizeof(*d->users));
	d->ended = xcalloc((size_t)base->n_users, sizeof(*d->ended));
	http1_init_heads(&d->heads, o);
	if (names_init(&d->names, &d->engine, why) == 0)
		return &d->engine;
	direct_free(&d->engine);
	return NULL;
}
