/* SPDX-License-Identifier: MIT */
/* Keeps answers in a small table; the one that was unused for longest is
 * dropped. */
#include "k6serve/view/cache.h"

enum { LARGE = 4 << 20 };	/* bytes */

void
cache_init(struct cache *c)
{
	*c = (struct cache){ .calls = 0 };
	(void)pthread_mutex_init(&c->lock, NULL);
}

static struct cache_entry *
find(struct cache *c, struct span key)
{
	int i;

	for (i = 0; i < CACHE_ENTRIES; i++)
		if (c->entry[i].key.n != 0 &&
		    span_equal(buf_whole(&c->entry[i].key), key))
			return &c->entry[i];
	return NULL;
}

bool
cache_get(struct cache *c, struct span key, int64_t version, int run_status,
    struct buf *body)
{
	struct cache_entry *e;
	bool is_there;

	(void)pthread_mutex_lock(&c->lock);
	e = find(c, key);
	c->calls++;
	is_there = e != NULL && e->version == version &&
	    e->run_status == run_status;
	if (is_there) {
		e->used = c->calls;
		buf_span(body, buf_whole(&e->body));
	}
	(void)pthread_mutex_unlock(&c->lock);
	return is_there;
}

/* The lock is held. */
static void
put(struct cache *c, struct span key, int64_t version, int run_status,
    struct span body)
{
	struct cache_entry *e = find(c, key);
	int i;

	if (e == NULL)
		for (e = &c->entry[0], i = 1; i < CACHE_ENTRIES; i++)
			if (c->entry[i].used < e->used)
				e = &c->entry[i];
	buf_release(&e->key);
	buf_release(&e->body);
	if (body.n > LARGE)
		return;
	buf_span(&e->key, key);
	buf_span(&e->body, body);
	e->version = version;
	e->run_status = run_status;
	e->used = c->calls;
}

void
cache_put(struct cache *c, struct span key, int64_t version, int run_status,
    struct span body)
{
	(void)pthread_mutex_lock(&c->lock);
	put(c, key, version, run_status, body);
	(void)pthread_mutex_unlock(&c->lock);
}

void
cache_release(struct cache *c)
{
	int i;

	for (i = 0; i < CACHE_ENTRIES; i++) {
		buf_release(&c->entry[i].key);
		buf_release(&c->entry[i].body);
	}
	(void)pthread_mutex_destroy(&c->lock);
}
