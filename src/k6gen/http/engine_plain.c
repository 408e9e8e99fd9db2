/* SPDX-License-Identifier: MIT */
/* The quick engine: plain HTTP/1.1 over TCP, what most load is. A connection
 * is one descriptor, a request two system calls. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/units.h"
#include "k6gen/http/cookie.h"
#include "k6gen/http/engine_plain_priv.h"
#include "k6gen/http/http1_priv.h"
#include "k6gen/http/pool.h"

enum { READ_BYTES = 1 << 16 };

#define DIAL_NS (30 * NS_PER_S)	/* k6's limit for making a connection */

/* A request that is under way. */
struct exchange {
	struct conn *conn;	/* NULL: its host is looked up */
	bool is_reused;		/* the connection was there before */
	const char *path;	/* in the request's URL */
	char authority[AUTHORITY];
	struct buf head;	/* of the request */
	struct span body;
	size_t sent;		/* of both */
	struct http1_answer answer;
	int64_t deadline_ns;	/* monotonic */
	int64_t connect_ns;	/* when connecting began; 0: it did not */
};

/* What this engine has of a user. */
struct plain_user {
	struct pool pool;
	struct exchange *exchange;	/* owned; NULL until it is needed */
	struct conn *offered;	/* for the request that was refused */
	enum http_failure early_failure;	/* while it began */
};

struct plain {
	struct engine engine;
	bool can_any;		/* the options ask for nothing else */
	struct http1_heads heads;
	struct names names;
	struct plain_user *users;
	int64_t sweep_ns;	/* the earliest deadline, or before it */
	int *ended;		/* users whose request ended while it began */
	int n_ended;
};

static struct plain *
plain_of(const struct user *u)
{
	return (struct plain *)u->engine;
}

static struct plain_user *
state_of(const struct user *u)
{
	return &plain_of(u)->users[u->number];
}

/* The request is over before the caller of send expects a reply: tick hands
 * it over. */
static void
end_later(struct user *u, enum http_failure failure)
{
	struct plain *p = plain_of(u);

	state_of(u)->early_failure = failure;
	p->ended[p->n_ended++] = u->number;
}

static void
keep_cookies(struct user *u, const struct exchange *x)
{
	struct buf line = { 0 };
	struct span value;
	size_t at = 0;

	while (http_find_header(buf_whole(&u->headers), "Set-Cookie", &at,
	    &value)) {
		if (cookie_line(value, x->authority, x->path,
		    now_unix_ns() / NS_PER_S, &line))
			client_keep_cookie(u, line.p);
		buf_reset(&line);
	}
	buf_release(&line);
}

static void
end_request(struct user *u, enum http_failure failure)
{
	struct exchange *x = state_of(u)->exchange;
	struct conn *c = x->conn;
	struct http_reply r = { .user = u->number };

	if (u->ready_ns > x->connect_ns && x->connect_ns != 0)
		u->connecting_ns = u->ready_ns - x->connect_ns;
	if (failure == FAILURE_NONE)
		http1_fill_reply(&x->answer, &r);
	user_fill_reply(u, failure, &r);
	if (c != NULL && c->ip[0] != '\0')
		r.ip = c->ip;
	if (failure == FAILURE_NONE)
		keep_cookies(u, x);
	/* What is left of a body after an early answer would be read as the
	 * next request. */
	if (c != NULL && (failure != FAILURE_NONE || c->is_closing ||
	    x->sent < x->head.n + x->body.n ||
	    u->engine->options->keep == HTTP_KEEP_NONE ||
	    !http1_keeps_connection(&x->answer)))
		conn_close(c);
	else if (c != NULL)
		c->used_ns = u->start_ns;
	x->conn = NULL;
	user_end_request(u, &r);
}

static void
note_deadline(struct plain *p, int64_t ns)
{
	if (ns < p->sweep_ns)
		p->sweep_ns = ns;
}

/* Send what is left of the request. */
static enum http_failure
send_rest(struct exchange *x)
{
	size_t all = x->head.n + x->body.n, from, n_parts;
	struct iovec parts[2];
	ssize_t n;

	while (x->sent < all) {
		n_parts = 0;
		if (x->sent < x->head.n)
			parts[n_parts++] = (struct iovec){
				x->head.p + x->sent, x->head.n - x->sent };
		from = x->sent > x->head.n ? x->sent - x->head.n : 0;
		if (x->body.n > from)
			parts[n_parts++] = (struct iovec){
				(char *)x->body.p + from, x->body.n - from };
		n = conn_send(x->conn, parts, n_parts);
		if (n == CONN_LATER)
			return FAILURE_NONE;
		if (n < 0)
			return FAILURE_WRITE;
		x->sent += (size_t)n;
	}
	return FAILURE_NONE;
}

static enum http_failure
begin_exchange(struct user *u)
{
	struct exchange *x = state_of(u)->exchange;

	http1_begin_answer(&x->answer, u, x->answer.is_head);
	x->sent = 0;
	u->ready_ns = now_monotonic_ns();
	u->sent_ns = u->first_ns = 0;
	return send_rest(x);
}

static enum http_failure
connect_to(struct user *u, const struct host *h)
{
	struct plain_user *p = state_of(u);
	struct exchange *x = p->exchange;
	struct conn *c = pool_place(&p->pool, x->authority);

	x->conn = c;
	x->is_reused = false;
	x->connect_ns = now_monotonic_ns();
	c->user = u;
	c->host = h;
	c->address = 0;
	c->ip[0] = '\0';
	memcpy(c->authority, x->authority, sizeof(c->authority));
	note_deadline(plain_of(u), x->connect_ns + DIAL_NS);
	if (h->n == 0)
		return FAILURE_LOOKUP;
	return conn_dial(c, u->engine) ? FAILURE_NONE : FAILURE_DIAL;
}

static enum http_failure
connect_anew(struct user *u)
{
	struct exchange *x = state_of(u)->exchange;
	struct host *h = names_find(&plain_of(u)->names, x->authority);

	if (h->is_known)
		return connect_to(u, h);
	x->conn = NULL;
	return FAILURE_NONE;
}

/* Fill in the exchange of a request. */
static struct exchange *
prepare_exchange(struct user *u, const struct http_request *r,
    const char *path, const char authority[AUTHORITY])
{
	struct plain_user *p = state_of(u);
	struct exchange *x = p->exchange;

	if (x == NULL)
		x = p->exchange = xcalloc(1, sizeof(*x));
	x->path = path;
	x->body = r->body.p != NULL ? r->body : (struct span){ "", 0 };
	x->answer.is_head = strcmp(r->method, "HEAD") == 0;
	memcpy(x->authority, authority, AUTHORITY);
	x->deadline_ns = u->start_ns + r->timeout_ns;
	x->connect_ns = 0;
	http1_write_head(&plain_of(u)->heads, r, path, &x->head);
	x->conn = pool_place(&p->pool, authority);
	x->is_reused = x->conn->fd > 0;
	return x;
}

static bool
plain_send(struct engine *e, struct user *u, const struct http_request *r)
{
	struct plain *p = (struct plain *)e;
	struct plain_user *state = &p->users[u->number];
	char authority[AUTHORITY];
	const char *path;
	struct exchange *x;
	enum http_failure failure;

	path = p->can_any ? plain_split_url(r->url, authority) : NULL;
	state->offered = path != NULL && u->has_cookies ?
	    pool_find(&state->pool, authority) : NULL;
	if (path == NULL || u->has_cookies || (r->headers.n > 0 &&
	    http1_is_special(&r->headers)) || strcmp(r->method,
	    "CONNECT") == 0)
		return false;
	x = prepare_exchange(u, r, path, authority);
	note_deadline(p, x->deadline_ns);
	/* A write that fails is a dead connection: the event says so. */
	failure = x->is_reused ? begin_exchange(u) : connect_anew(u);
	if (failure != FAILURE_NONE && x->is_reused && u->may_repeat) {
		u->may_repeat = false;
		conn_close(x->conn);
		failure = connect_anew(u);
	}
	if (failure != FAILURE_NONE)
		end_later(u, failure);
	return true;
}

static int
plain_give(struct engine *e, struct user *u, const struct sockaddr *to)
{
	struct plain_user *state = &((struct plain *)e)->users[u->number];
	struct conn *c = state->offered;

	if (c == NULL || !pool_is_idle_to(c, to))
		return -1;
	state->offered = NULL;
	return conn_release_fd(c);
}

static void
plain_cancel(struct engine *e, struct user *u)
{
	struct plain *p = (struct plain *)e;
	struct exchange *x = p->users[u->number].exchange;
	int i;

	if (x->conn != NULL)
		conn_close(x->conn);
	x->conn = NULL;
	for (i = 0; i < p->n_ended; i++)
		if (p->ended[i] == u->number)
			p->ended[i] = p->ended[--p->n_ended];
}

/* The server closed a kept connection while the request was on its way. Go,
 * and so k6, then tries once more with a new one; it stays one request. */
static bool
repeat_request(struct user *u, enum http_failure failure)
{
	struct exchange *x = state_of(u)->exchange;

	if (!u->may_repeat || !x->is_reused || u->first_ns != 0 ||
	    (failure != FAILURE_WRITE && failure != FAILURE_READ &&
	    failure != FAILURE_EOF))
		return false;
	u->may_repeat = false;
	conn_close(x->conn);
	failure = connect_anew(u);
	if (failure != FAILURE_NONE)
		end_request(u, failure);
	return true;
}

static void
fail_request(struct user *u, enum http_failure failure)
{
	if (!repeat_request(u, failure))
		end_request(u, failure);
}

/* Read what there is. Returns false once the request is over. */
static bool
receive_answer(struct user *u)
{
	struct exchange *x = state_of(u)->exchange;
	char bytes[READ_BYTES];
	enum http_failure failure;
	ssize_t n;

	for (;;) {
		n = conn_receive(x->conn, bytes, sizeof(bytes));
		if (n == CONN_LATER)
			return true;
		if (n < 0) {
			fail_request(u, FAILURE_READ);
			return false;
		}
		if (n == 0 && u->first_ns == 0) {
			fail_request(u, FAILURE_EOF);
			return false;
		}
		failure = http1_take_bytes(&x->answer, bytes, (size_t)n);
		if (failure != FAILURE_NONE || x->answer.is_complete) {
			end_request(u, failure);
			return false;
		}
		/* Less than asked for: there is no more now. */
		if ((size_t)n < sizeof(bytes))
			return true;
	}
}

/* The connection was made, or not. Returns false once the request is over, or
 * while another address is tried. */
static bool
finish_dial(struct user *u, struct conn *c)
{
	enum http_failure failure = FAILURE_DIAL;

	if (conn_finish_dial(c, u->engine)) {
		if (!c->is_connected)
			return false;
		failure = begin_exchange(u);
	}
	if (failure == FAILURE_NONE)
		return true;
	end_request(u, failure);
	return false;
}

static void
plain_event(struct engine *e, int fd, void *of, uint32_t events)
{
	struct conn *c = of;
	struct user *u = c->user;
	enum http_failure failure;

	(void)fd;
	/* Idle: the server closes it, or says what nobody asked for; or there
	 * is room, which is no news. */
	if (u->engine != e || state_of(u)->exchange->conn != c) {
		if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
			conn_close(c);
		return;
	}
	if (!c->is_connected && (!(events & (EPOLLOUT | EPOLLERR |
	    EPOLLHUP)) || !finish_dial(u, c)))
		return;
	c->is_closing = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
	if (events & EPOLLOUT) {
		failure = send_rest(state_of(u)->exchange);
		/* An answer may say why; it is read below. */
		if (failure != FAILURE_NONE && !(events & EPOLLIN)) {
			fail_request(u, failure);
			return;
		}
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) ||
	    !receive_answer(u))
		return;
	/* A short read hides the end that came behind it; no event will tell
	 * of it again. */
	if (c->is_closing)
		(void)receive_answer(u);
}

/* Go on with the requests whose host has been looked up. */
static void
connect_waiting(struct plain *p)
{
	struct exchange *x;
	struct user *u;
	struct host *h;
	enum http_failure failure;
	int i;

	for (i = 0; i < p->engine.n_users; i++) {
		u = &p->engine.users[i];
		x = p->users[i].exchange;
		if (u->engine != &p->engine || x->conn != NULL)
			continue;
		h = names_get(&p->names, x->authority);
		if (h == NULL || !h->is_known)
			continue;
		failure = connect_to(u, h);
		if (failure != FAILURE_NONE)
			end_request(u, failure);
	}
}

/* When the user's request is too late; the limit of making a connection is
 * one of its own. */
static int64_t
deadline_of(const struct user *u)
{
	const struct exchange *x = state_of(u)->exchange;
	int64_t dial_ns = x->connect_ns + DIAL_NS;

	if (u->ready_ns == 0 && x->connect_ns != 0 &&
	    dial_ns < x->deadline_ns)
		return dial_ns;
	return x->deadline_ns;
}

static void
end_late(struct plain *p, int64_t now_ns)
{
	struct user *u;
	int64_t ns;
	int i;

	p->sweep_ns = INT64_MAX;
	for (i = 0; i < p->engine.n_users; i++) {
		u = &p->engine.users[i];
		if (u->engine != &p->engine)
			continue;
		ns = deadline_of(u);
		if (ns <= now_ns)
			end_request(u, FAILURE_TIMEOUT);
		else
			note_deadline(p, ns);
	}
}

static void
plain_tick(struct engine *e, int64_t now_ns)
{
	struct plain *p = (struct plain *)e;
	struct user *u;
	int n = p->n_ended;

	/* Replies may end more, which wait for the next time. */
	while (n-- > 0 && p->n_ended > 0) {
		u = &e->users[p->ended[0]];
		memmove(p->ended, p->ended + 1,
		    (size_t)--p->n_ended * sizeof(*p->ended));
		end_request(u, p->users[u->number].early_failure);
	}
	if (p->names.lookups != NULL && names_collect(&p->names))
		connect_waiting(p);
	if (now_ns >= p->sweep_ns)
		end_late(p, now_ns);
}

static int64_t
plain_due_ns(const struct engine *e)
{
	const struct plain *p = (const struct plain *)e;

	return p->n_ended > 0 ? 0 : p->sweep_ns;
}

static void
plain_free(struct engine *e)
{
	struct plain *p = (struct plain *)e;
	struct exchange *x;
	int i;

	names_release(&p->names);
	for (i = 0; i < e->n_users; i++) {
		pool_close(&p->users[i].pool);
		x = p->users[i].exchange;
		if (x != NULL) {
			buf_release(&x->head);
			http1_release_answer(&x->answer);
		}
		free(x);
	}
	http1_release_heads(&p->heads);
	free(p->users);
	free(p->ended);
	free(p);
}

static const struct engine_ops plain_ops = {
	.send = plain_send, .cancel = plain_cancel, .event = plain_event,
	.due_ns = plain_due_ns, .tick = plain_tick, .free = plain_free,
	.give = plain_give,
};

struct engine *
engine_plain_new(const struct engine *base, struct why *why)
{
	const struct http_options *o = base->options;
	struct plain *p = xcalloc(1, sizeof(*p));

	(void)why;
	p->engine = *base;
	p->engine.ops = &plain_ops;
	p->can_any = plain_takes_options(o);
	p->sweep_ns = INT64_MAX;
	p->names = (struct names){ .client = base->client,
		.ttl_ns = o->dns_ttl_ns };
	p->users = xcalloc((size_t)base->n_users, sizeof(*p->users));
	p->ended = xcalloc((size_t)base->n_users, sizeof(*p->ended));
	http1_init_heads(&p->heads, o);
	return &p->engine;
}
