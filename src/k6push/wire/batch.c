/* SPDX-License-Identifier: MIT */
/* Batches, the lists of them, and their keys. */
#include "k6push/wire/batch.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/random.h"

void
idempotency_key(char key[KEY_TEXT])
{
	random_hex(key, JOURNAL_KEY / 2);
}

struct batch *
batch_new(uint64_t number)
{
	struct batch *p = xcalloc(1, sizeof(*p));
	char key[KEY_TEXT];

	idempotency_key(key);
	memcpy(p->id.key, key, JOURNAL_KEY);
	p->id.number = p->order = number;
	return p;
}

void
batch_free(struct batch *p)
{
	if (p == NULL)
		return;
	batch_leave_whole(p, NULL, NULL);
	buf_release(&p->body);
	free(p);
}

struct whole *
whole_new(struct batch *p)
{
	struct whole *w = xcalloc(1, sizeof(*w));

	w->id = p->id;
	w->order = p->order;
	w->place = p->place;
	w->above = p->whole;
	p->whole = NULL;
	return w;
}

void
batch_leave_whole(struct batch *p, whole_done *done, void *ctx)
{
	struct whole *w = p->whole, *above;

	p->whole = NULL;
	for (; w != NULL && --w->n_parts <= 0; w = above) {
		above = w->above;
		if (done != NULL)
			done(ctx, w);
		free(w);
	}
}

struct batch *
batch_part(const struct batch *whole, int n)
{
	struct batch *p = batch_new(0);
	uint64_t hash = hash_bytes((uint64_t)n + 1, whole->id.key,
	    JOURNAL_KEY);
	int i;

	for (i = 0; i < JOURNAL_KEY; i++, hash >>= 4)
		p->id.key[i] = "0123456789abcdef"[hash & 15];
	p->id.parent = whole->id.number;
	p->id.format = whole->id.format;
	p->id.flags = whole->id.flags;
	return p;
}

static bool
goes_before(const struct batch *a, const struct batch *b)
{
	return a->order != b->order ? a->order < b->order
	    : a->id.number < b->id.number;
}

void
batches_add(struct batches *list, struct batch *p)
{
	struct batch **at = &list->first;

	if (list->last != NULL && goes_before(list->last, p))
		at = &list->last->next;
	while (*at != NULL && goes_before(*at, p))
		at = &(*at)->next;
	p->next = *at;
	*at = p;
	if (p->next == NULL)
		list->last = p;
	list->n++;
	list->bytes += p->body.n;
}

void
batches_remove(struct batches *list, struct batch *p)
{
	struct batch **at = &list->first, *before = NULL;

	while (*at != p) {
		before = *at;
		at = &(*at)->next;
	}
	*at = p->next;
	if (list->last == p)
		list->last = before;
	p->next = NULL;
	list->n--;
	list->bytes -= p->body.n;
}

void
batches_release(struct batches *list)
{
	struct batch *p;

	while ((p = list->first) != NULL) {
		list->first = p->next;
		batch_free(p);
	}
	*list = (struct batches){ 0 };
}

void
batches_set_body(struct batches *list, struct batch *p, struct buf body)
{
	list->bytes -= p->body.n;
	buf_release(&p->body);
	p->body = body;
	list->bytes += p->body.n;
}

struct amount
batches_amount(const struct batches *list, bool only_loose)
{
	struct amount sum = { 0, 0 };
	const struct batch *p;

	for (p = list->first; p != NULL; p = p->next)
		if (!only_loose || (p->is_loose && p->whole == NULL)) {
			sum.points += p->id.points;
			sum.requests += p->id.requests;
		}
	return sum;
}
