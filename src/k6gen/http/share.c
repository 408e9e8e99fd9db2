/* SPDX-License-Identifier: MIT */
/* The connections that users share. */
#include "k6gen/http/share.h"

#include <stdlib.h>
#include <string.h>

#include "k6gen/http/http2.h"

static void
add(struct conns *list, struct conn *c)
{
	list->items = xgrow(list->items, list->n, &list->cap,
	    sizeof(*list->items));
	list->items[list->n++] = c;
}

static void
drop(struct conns *list, const struct conn *c)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->items[i] == c) {
			list->items[i] = list->items[--list->n];
			return;
		}
}

struct route *
share_route(struct share *s, const char *authority, bool has_tls,
    bool is_http1)
{
	char key[AUTHORITY + 1];
	size_t n = strlen(authority);
	struct route *r;

	key[0] = has_tls ? 's' : '-';
	memcpy(key + 1, authority, n);
	r = map_get(&s->routes, (struct span){ key, n + 1 });
	if (r != NULL)
		return r;
	r = xcalloc(1, sizeof(*r) + n + 1);
	r->share = s;
	r->is_http1 = is_http1;
	r->n_key = n + 1;
	memcpy(r->key, key, r->n_key);
	map_put(&s->routes, (struct span){ r->key, r->n_key }, r);
	return r;
}

struct conn *
share_take(struct route *r)
{
	struct conn *c;
	size_t i;

	for (i = 0; i < r->several.n; i++) {
		c = r->several.items[i];
		if (!c->is_closing && http2_has_room(c->http2))
			return c;
	}
	while (r->idle.n > 0) {
		c = r->idle.items[--r->idle.n];
		if (conn_is_open(c))
			return c;
		add(&r->closed, c);
	}
	return NULL;
}

struct conn *
share_place(struct route *r)
{
	struct conn *c;

	if (r->closed.n > 0)
		return r->closed.items[--r->closed.n];
	c = xcalloc(1, sizeof(*c));
	c->route = r;
	add(&r->all, c);
	return c;
}

void
share_end_making(struct conn *c)
{
	if (c->route->making != c)
		return;
	c->route->making = NULL;
	c->route->share->is_moving = true;
}

void
share_give_back(struct conn *c)
{
	struct route *r = c->route;

	share_end_making(c);
	if (conn_is_open(c)) {
		add(&r->idle, c);
		return;
	}
	drop(&r->several, c);
	c->is_offered = false;
	add(&r->closed, c);
}

void
share_offer(struct conn *c)
{
	c->is_offered = true;
	add(&c->route->several, c);
}

static void
free_route(struct route *r)
{
	size_t i;

	for (i = 0; i < r->all.n; i++) {
		conn_forget(r->all.items[i]);
		free(r->all.items[i]);
	}
	free(r->all.items);
	free(r->several.items);
	free(r->idle.items);
	free(r->closed.items);
	free(r);
}

void
share_release(struct share *s)
{
	struct route *r;
	size_t at = 0;

	while ((r = map_next(&s->routes, &at)) != NULL)
		free_route(r);
	map_release(&s->routes);
}
