/* SPDX-License-Identifier: MIT */
/* Which connection a request gets: one of its user's, or one that is shared. */
#include "k6gen/http/direct_priv.h"

/* The connection that was being made for this request is not there: those who
 * wait for it share why, or one of them makes another. */
static void
turn_line(struct route *r, const struct user *u, enum http_failure failure)
{
	const struct direct *d = direct_of(u);
	bool is_shared = failure != FAILURE_TIMEOUT &&
	    failure != FAILURE_UNANSWERED;
	struct exchange *x;
	struct user *other;
	int i;

	/* The user's engine is still this one: its reply comes later. */
	for (i = 0; i < d->engine.n_users && is_shared; i++) {
		other = &d->engine.users[i];
		x = d->users[i].exchange;
		if (x == NULL || !x->is_in_line || x->route != r)
			continue;
		other->os_error = u->os_error;
		direct_end_later(other, failure);
	}
}

void
borrow_close(struct conn *c)
{
	conn_close(c);
	if (c->route != NULL)
		share_give_back(c);
}

static void
give_back_shared(struct user *u, struct conn *c, bool is_kept,
    enum http_failure failure)
{
	struct route *r = c->route;
	bool was_made = r->making == c && !c->is_ready;

	/* Nothing came in all that time: it may be dead. */
	if (c->http2 != NULL && failure == FAILURE_TIMEOUT &&
	    c->arrival.ns < u->start_ns)
		http2_retire(c->http2);
	if (c->http2 != NULL && (http2_any(c->http2) != NULL ||
	    (is_kept && http2_keeps_connection(c->http2)))) {
		(void)multiplex_flush(c, 0);
		return;
	}
	if (!is_kept)
		borrow_close(c);
	else
		share_give_back(c);
	if (was_made)
		turn_line(r, u, failure);
}

void
borrow_give_back(struct user *u, enum http_failure failure)
{
	struct exchange *x = direct_state_of(u)->exchange;
	struct conn *c = x->conn;
	bool is_kept;

	x->is_in_line = false;
	if (c == NULL)
		return;
	if (c->http2 != NULL)
		http2_leave(c->http2, &x->stream);
	is_kept = c->is_ready && exchange_keeps_connection(u, failure);
	if (c->route != NULL)
		give_back_shared(u, c, is_kept, failure);
	else if (!is_kept)
		conn_close(c);
	else
		c->used_ns = u->start_ns;
}

struct conn *
borrow_open(struct user *u)
{
	struct direct_user *state = direct_state_of(u);
	struct exchange *x = state->exchange;
	const struct http_options *o = u->engine->options;

	if (o->keep != HTTP_KEEP_SHARED)
		return pool_find(&state->pool, x->authority, x->has_tls);
	if (x->route == NULL)
		x->route = share_route(&direct_of(u)->share, x->authority,
		    x->has_tls, o->version == HTTP_1 || (!x->has_tls &&
		    o->version != HTTP_2));
	return share_take(x->route);
}

struct conn *
borrow_closed(struct user *u)
{
	struct direct_user *state = direct_state_of(u);
	struct exchange *x = state->exchange;
	struct conn *c;

	if (x->route == NULL)
		return pool_place(&state->pool, x->authority, x->has_tls);
	x->is_in_line = !x->route->is_http1 && x->route->making != NULL;
	if (x->is_in_line)
		return NULL;
	c = share_place(x->route);
	if (!x->route->is_http1)
		x->route->making = c;
	return c;
}

void
borrow_note_protocol(struct conn *c)
{
	struct route *r = c->route;

	if (r == NULL)
		return;
	r->is_http1 = c->http2 == NULL;
	if (c->http2 != NULL && (c->is_offered ||
	    !http2_is_settled(c->http2)))
		return;
	if (c->http2 != NULL)
		share_offer(c);
	share_end_making(c);
}
