/* SPDX-License-Identifier: MIT */
#include "k6push/wire/batch.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "k6push/send/retry.h"

struct parcel *
parcel_new(uint64_t number)
{
	struct parcel *p = xcalloc(1, sizeof(*p));
	char key[KEY_TEXT];

	retry_key(key);
	memcpy(p->id.key, key, JOURNAL_KEY);
	p->id.number = number;
	return p;
}

void
parcel_free(struct parcel *p)
{
	if (p == NULL)
		return;
	buf_release(&p->body);
	free(p);
}

struct parcel *
parcel_part(const struct parcel *whole, int n)
{
	struct parcel *p = parcel_new(0);
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

void
parcels_add(struct parcels *list, struct parcel *p)
{
	struct parcel **at = &list->first;

	if (list->last != NULL && list->last->id.number < p->id.number)
		at = &list->last->next;
	while (*at != NULL && (*at)->id.number < p->id.number)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
	if (p->next == NULL)
		list->last = p;
	list->n++;
	list->bytes += p->body.n;
}

void
parcels_remove(struct parcels *list, struct parcel *p)
{
	struct parcel **at = &list->first, *before = NULL;

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
parcels_release(struct parcels *list)
{
	struct parcel *p;

	while ((p = list->first) != NULL) {
		list->first = p->next;
		parcel_free(p);
	}
	*list = (struct parcels){ 0 };
}

void
parcels_set_body(struct parcels *list, struct parcel *p, struct buf body)
{
	list->bytes -= p->body.n;
	buf_release(&p->body);
	p->body = body;
	list->bytes += p->body.n;
}

struct amount
parcels_amount(const struct parcels *list, bool only_loose)
{
	struct amount sum = { 0, 0 };
	const struct parcel *p;

	for (p = list->first; p != NULL; p = p->next)
		if (!only_loose || p->is_loose) {
			sum.points += p->id.points;
			sum.requests += p->id.requests;
		}
	return sum;
}
