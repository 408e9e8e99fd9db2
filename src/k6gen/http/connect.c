/* SPDX-License-Identifier: MIT */
/* Brings a request to a new connection: host lookup, TCP, TLS handshake,
 * protocol. */
#include <sys/epoll.h>

#include "base/units.h"
#include "k6gen/http/direct_priv.h"

enum { HANDSHAKES = 16 };	/* of TLS that begin at a time */

static enum http_failure
connect_to(struct user *u, struct host *h)
{
	struct exchange *x = direct_state_of(u)->exchange;
	struct conn *c = borrow_closed(u);
	struct address to[ADDRESSES];
	int n;

	x->conn = c;
	x->is_reused = false;
	if (c == NULL)
		return FAILURE_NONE;
	x->connect_ns = now_monotonic_ns();
	conn_set_user(c, u);
	c->has_tls = x->has_tls;
	memcpy(c->authority, x->authority, sizeof(c->authority));
	direct_note_deadline(direct_of(u), x->connect_ns +
	    u->engine->options->connect_ns);
	n = names_choose(&direct_of(u)->names, h, to);
	if (n == 0)
		return FAILURE_LOOKUP;
	if (!conn_dial(c, u->engine, to, n))
		return FAILURE_DIAL;
	direct_note_deadline(direct_of(u), conn_dial_due_ns(c));
	return FAILURE_NONE;
}

enum http_failure
connect_begin(struct user *u)
{
	struct exchange *x = direct_state_of(u)->exchange;
	struct host *h = names_find(&direct_of(u)->names, x->authority);

	if (h->is_known)
		return connect_to(u, h);
	x->conn = NULL;
	return FAILURE_NONE;
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
			direct_end_request(u, failure);
			return false;
		default:
			is_http2 = tls_has_http2(c->tls);
		}
	}
	c->is_ready = true;
	if (is_http2)
		c->http2 = http2_new(u->engine->options);
	borrow_note_protocol(c);
	failure = is_http2 && c->http2 == NULL ? FAILURE_HTTP2 :
	    exchange_begin(u);
	if (failure == FAILURE_NONE)
		return true;
	direct_end_request(u, failure);
	return false;
}

/* A handshake takes much memory while it lasts, and those that have begun end
 * sooner if no others begin meanwhile: who comes waits until there was nothing
 * else to do. */
static void
wait_for_handshake(struct direct *d, struct user *u)
{
	struct direct_user *state = direct_state_of(u);
	int at = (d->first_waiting + d->n_waiting) % d->engine.n_users;

	if (state->is_waiting)
		return;
	state->is_waiting = true;
	d->waiting[at] = u->number;
	d->n_waiting++;
}

static void
begin_handshakes(struct direct *d)
{
	struct exchange *x;
	struct user *u;
	int n;

	for (n = 0; n < HANDSHAKES && d->n_waiting > 0; n++) {
		u = &d->engine.users[d->waiting[d->first_waiting]];
		d->first_waiting = (d->first_waiting + 1) % d->engine.n_users;
		d->n_waiting--;
		d->users[u->number].is_waiting = false;
		x = d->users[u->number].exchange;
		/* It may have ended, or begun, for other reasons. */
		if (u->engine == &d->engine && x->conn != NULL &&
		    x->conn->has_tls && x->conn->fd > 0 &&
		    x->conn->tls == NULL && get_ready(u, x->conn))
			(void)direct_receive(u);
	}
}

/* An event of a connection that is not ready. Returns false as get_ready. */
bool
connect_go_on(struct user *u, struct conn *c, int fd, uint32_t events)
{
	if (c->dial != NULL) {
		if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			return false;
		switch (conn_finish_dial(c, u->engine, fd)) {
		case CONN_LATER:
			direct_note_deadline(direct_of(u), conn_dial_due_ns(c));
			return false;
		case CONN_FAILED:
			direct_end_request(u, FAILURE_DIAL);
			return false;
		default:
			break;
		}
		if (c->has_tls) {
			wait_for_handshake(direct_of(u), u);
			return false;
		}
	}
	return get_ready(u, c);
}

/* Go on with the requests whose host has been looked up. */
static void
connect_looked_up(struct direct *d)
{
	struct exchange *x;
	struct user *u;
	struct host *h;
	enum http_failure failure;
	int i;

	for (i = 0; i < d->engine.n_users; i++) {
		u = &d->engine.users[i];
		x = d->users[i].exchange;
		if (u->engine != &d->engine || x->conn != NULL ||
		    x->is_in_line || d->users[i].is_ending)
			continue;
		h = names_get(&d->names, x->authority);
		if (h == NULL || !h->is_known)
			continue;
		failure = connect_to(u, h);
		if (failure != FAILURE_NONE)
			direct_end_request(u, failure);
	}
}

void
connect_due(struct direct *d)
{
	if (names_tick(&d->names))
		connect_looked_up(d);
	begin_handshakes(d);
}
