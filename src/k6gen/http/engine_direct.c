/* SPDX-License-Identifier: MIT */
/* The engine for nearly all load: HTTP/1.1 and HTTP/2 over TCP and TLS,
 * without a proxy. A connection is one descriptor. */
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/units.h"
#include "k6gen/http/direct_priv.h"

/* Tick hands the reply over. Until then no event is the request's. */
void
direct_end_later(struct user *u, enum http_failure failure)
{
	struct direct *d = direct_of(u);
	struct direct_user *state = direct_state_of(u);

	borrow_give_back(u, failure);
	if (state->exchange->route != NULL)
		state->exchange->conn = NULL;
	state->early_failure = failure;
	state->is_ending = true;
	d->ended[d->n_ended++] = u->number;
}

/* What a new connection cost. now_ns: the phase that lasts counts up to then;
 * 0: it failed, and counts as nothing. */
static void
fill_connection(struct user *u, int64_t now_ns, struct http_reply *r)
{
	const struct exchange *x = direct_state_of(u)->exchange;
	const struct conn *c = x->conn;
	int64_t end_ns;

	if (c == NULL)
		return;
	if (c->ip[0] != '\0')
		r->ip = c->ip;
	if (x->connect_ns == 0)
		return;
	end_ns = c->connected_ns != 0 ? c->connected_ns : now_ns;
	u->connecting_ns = end_ns != 0 ? end_ns - x->connect_ns : 0;
	end_ns = u->ready_ns != 0 ? u->ready_ns : now_ns;
	u->handshaking_ns = c->shaking_ns != 0 && end_ns != 0 ?
	    end_ns - c->shaking_ns : 0;
}

static void
direct_fill(struct engine *e, struct user *u, int64_t now_ns,
    struct http_reply *r)
{
	(void)e;
	fill_connection(u, now_ns, r);
}

void
direct_end_request(struct user *u, enum http_failure failure)
{
	struct exchange *x = direct_state_of(u)->exchange;
	struct conn *c = x->conn;
	struct http_reply r = { .user = u->number };

	fill_connection(u, 0, &r);
	/* Of a connection that is shared, others were seen to since. */
	if (failure == FAILURE_NONE && c->route == NULL) {
		u->read_ns = c->arrival.read_ns;
		u->offset_ns = c->arrival.offset_ns;
	}
	if (failure == FAILURE_NONE)
		exchange_fill_reply(u, &r);
	user_fill_reply(u, failure, &r);
	if (failure == FAILURE_NONE && (c->http2 != NULL ||
	    x->answer.has_cookies))
		user_take_cookies(u, x->authority, x->path);
	borrow_give_back(u, failure);
	x->conn = NULL;
	user_end_request(u, &r);
}

static struct exchange *
exchange_of(struct user *u)
{
	struct direct_user *state = direct_state_of(u);

	if (state->exchange == NULL)
		state->exchange = xcalloc(1, sizeof(*state->exchange));
	return state->exchange;
}

/* Take the URL apart; a user's is mostly the one before. False: it is not of
 * the simple kind. */
static bool
set_url(struct exchange *x, const char *url)
{
	const char *path;

	if (x->url.n == 0 || strcmp(x->url.p, url) != 0) {
		buf_reset(&x->url);
		x->route = NULL;
		x->is_head_kept = false;
		path = direct_split_url(url, x->authority, &x->has_tls);
		if (path == NULL)
			return false;
		x->path_at = (size_t)(path - url);
		buf_text(&x->url, url);
	}
	x->path = url + x->path_at;
	return true;
}

/* Fill in the exchange of a request whose URL is set. */
static void
prepare_exchange(struct user *u, const struct http_request *r)
{
	struct exchange *x = direct_state_of(u)->exchange;

	x->request = r;
	x->is_repeated = false;
	x->deadline_ns = u->start_ns + r->timeout_ns;
	x->stream.is_refused = false;
}

/* On a connection that is there, or on a new one. */
static enum http_failure
begin_request(struct user *u)
{
	struct exchange *x = direct_state_of(u)->exchange;

	x->connect_ns = 0;
	x->is_in_line = false;
	x->conn = borrow_open(u);
	x->is_reused = x->conn != NULL;
	/* One of HTTP/2 that takes no more is known before. */
	if (x->is_reused && x->conn->http2 != NULL &&
	    !http2_keeps_connection(x->conn->http2)) {
		borrow_close(x->conn);
		x->is_reused = false;
	}
	return x->is_reused ? exchange_begin(u) : connect_begin(u);
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
	if (x->stream.is_refused)
		return true;
	return u->may_repeat && x->is_reused && (failure == FAILURE_WRITE ||
	    failure == FAILURE_READ || failure == FAILURE_EOF);
}

static enum http_failure
repeat_request(struct user *u, enum http_failure failure)
{
	struct exchange *x = direct_state_of(u)->exchange;

	x->is_repeated = true;
	u->os_error = 0;
	u->ready_ns = u->sent_ns = 0;
	if (x->route == NULL) {
		conn_close(x->conn);
		x->stream.user = NULL;
		return connect_begin(u);
	}
	borrow_give_back(u, failure);
	return begin_request(u);
}

/* Begin it, or have its failure told of. */
static void
begin_or_end_later(struct user *u)
{
	enum http_failure failure = begin_request(u);

	if (failure != FAILURE_NONE && can_repeat(u, failure))
		failure = repeat_request(u, failure);
	if (failure != FAILURE_NONE)
		direct_end_later(u, failure);
}

static bool
direct_send(struct engine *e, struct user *u, const struct http_request *r)
{
	struct direct *d = (struct direct *)e;
	struct exchange *x;

	if (!d->can_any)
		return false;
	x = exchange_of(u);
	if (!set_url(x, r->url) || (r->headers.n > 0 &&
	    http1_is_special(&r->headers)) || strcmp(r->method,
	    "CONNECT") == 0)
		return false;
	prepare_exchange(u, r);
	direct_note_deadline(d, x->deadline_ns);
	begin_or_end_later(u);
	return true;
}

static void
direct_cancel(struct engine *e, struct user *u)
{
	struct direct *d = (struct direct *)e;
	int i;

	borrow_give_back(u, FAILURE_TIMEOUT);
	d->users[u->number].exchange->conn = NULL;
	d->users[u->number].is_ending = false;
	for (i = 0; i < d->n_ended; i++)
		if (d->ended[i] == u->number)
			d->ended[i] = d->ended[--d->n_ended];
}

void
direct_fail_request(struct user *u, enum http_failure failure)
{
	if (can_repeat(u, failure)) {
		failure = repeat_request(u, failure);
		if (failure == FAILURE_NONE)
			return;
	}
	direct_end_request(u, failure);
}

/* Read what there is. Returns false once the request is over. */
bool
direct_receive(struct user *u)
{
	struct conn *c = direct_state_of(u)->exchange->conn;
	enum http_failure failure = FAILURE_NONE;

	if (c->http2 != NULL) {
		multiplex_receive(c);
		return false;
	}
	if (exchange_receive(u, &failure) == EXCHANGE_MORE)
		return true;
	if (failure != FAILURE_NONE)
		direct_fail_request(u, failure);
	else
		direct_end_request(u, failure);
	return false;
}

/* No connection of their route is being made any more. */
static void
move_line(struct direct *d)
{
	const struct exchange *x;
	struct user *u;
	int i;

	d->share.is_moving = false;
	for (i = 0; i < d->engine.n_users; i++) {
		u = &d->engine.users[i];
		x = d->users[i].exchange;
		if (u->engine == &d->engine && x->is_in_line &&
		    x->route->making == NULL)
			begin_or_end_later(u);
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
	if (c->http2 != NULL) {
		multiplex_event(c, events);
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
		if (!connect_go_on(u, c, fd, events))
			return;
		/* What came behind the handshake has no event of its own. */
		news |= c->has_tls ? EPOLLIN : 0;
	} else if (events & EPOLLOUT) {
		failure = exchange_send(u);
		/* An answer may say why; it is read below. */
		if (failure != FAILURE_NONE && !(events & EPOLLIN)) {
			direct_fail_request(u, failure);
			return;
		}
	}
	c->is_closing |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	if (news == 0 || !direct_receive(u))
		return;
	/* A short read hides the end that came behind it; no event will tell
	 * of it again. */
	if (c->is_closing)
		(void)direct_receive(u);
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
		if (u->engine != &d->engine || d->users[i].is_ending)
			continue;
		c = d->users[i].exchange->conn;
		if (c != NULL && conn_dial_due_ns(c) <= now_ns)
			conn_dial_more(c, u->engine);
		if (c != NULL)
			direct_note_deadline(d, conn_dial_due_ns(c));
		ns = deadline_of(u);
		if (ns <= now_ns)
			direct_end_request(u, FAILURE_TIMEOUT);
		else
			direct_note_deadline(d, ns);
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
		d->users[u->number].is_ending = false;
		direct_end_request(u, d->users[u->number].early_failure);
	}
	connect_due(d);
	if (d->share.is_moving)
		move_line(d);
	if (now_ns >= d->sweep_ns)
		end_late(d, now_ns);
}

static int64_t
direct_due_ns(const struct engine *e)
{
	const struct direct *d = (const struct direct *)e;
	int64_t names_ns;

	if (d->n_ended > 0 || d->n_waiting > 0 || d->share.is_moving)
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
			buf_release(&x->url);
			buf_release(&x->head);
			buf_release(&x->cookies);
			http1_release_answer(&x->answer);
		}
		free(x);
	}
	share_release(&d->share);
	tls_context_free(d->tls);
	http1_release_heads(&d->heads);
	http1_release_known(&d->known);
	free(d->users);
	free(d->ended);
	free(d->waiting);
	free(d);
}

static const struct engine_ops direct_ops = {
	.send = direct_send, .fill = direct_fill, .cancel = direct_cancel,
	.event = direct_event, .due_ns = direct_due_ns, .tick = direct_tick,
	.free = direct_free,
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
	d->waiting = xcalloc((size_t)base->n_users, sizeof(*d->waiting));
	http1_init_heads(&d->heads, o);
	if (names_init(&d->names, &d->engine, why) == 0)
		return &d->engine;
	direct_free(&d->engine);
	return NULL;
}
