/* SPDX-License-Identifier: MIT */
/* A hash table with open addressing and a secret seed. */
#include "base/map.h"

#include <stdlib.h>

#include "base/random.h"

#ifndef MAP_FIRST
#define MAP_FIRST 64
#endif

static uint64_t
mix(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t
word_at(const unsigned char *p, size_t n)
{
	uint64_t w = 0;

	memcpy(&w, p, n);
	return w;
}

uint64_t
hash_bytes(uint64_t seed, const void *bytes, size_t n)
{
	const uint64_t k1 = 0x9e3779b97f4a7c15U, k2 = 0xd6e8feb86659fd93U;
	const unsigned char *p = bytes;
	uint64_t h = seed ^ mix(n ^ k1, k2);

	for (; n > 16; n -= 16, p += 16)
		h = mix(word_at(p, 8) ^ k1 ^ seed, word_at(p + 8, 8) ^ h);
	if (n > 8)
		h = mix(word_at(p, 8) ^ k1 ^ seed,
		    word_at(p + 8, n - 8) ^ h);
	else if (n > 0)
		h = mix(word_at(p, n) ^ k1 ^ seed, h ^ k2);
	return mix(h ^ k2, k1 ^ seed);
}

static struct map_slot *
slot_of(const struct map *m, uint64_t hash, struct span key)
{
	size_t i = hash & (m->cap - 1);

	while (m->slots[i].value != NULL && (m->slots[i].hash != hash ||
	    !span_equal(m->slots[i].key, key)))
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

void *
map_get(const struct map *m, struct span key)
{
	if (m->n == 0)
		return NULL;
	return slot_of(m, hash_bytes(m->seed, key.p, key.n), key)->value;
}

static void
grow(struct map *m)
{
	struct map old = *m;
	size_t i;

	m->cap = old.cap != 0 ? old.cap * 2 : MAP_FIRST;
	m->slots = xcalloc(m->cap, sizeof(m->slots[0]));
	if (old.cap == 0)
		random_bytes(&m->seed, sizeof(m->seed));
	for (i = 0; i < old.cap; i++)
		if (old.slots[i].value != NULL)
			*slot_of(m, old.slots[i].hash, old.slots[i].key) =
			    old.slots[i];
	free(old.slots);
}

void
map_put(struct map *m, struct span key, void *value)
{
	struct map_slot *slot;
	uint64_t hash;

	if (m->n + 1 > m->cap / 4 * 3)
		grow(m);
	hash = hash_bytes(m->seed, key.p, key.n);
	slot = slot_of(m, hash, key);
	if (slot->value == NULL)
		m->n++;
	*slot = (struct map_slot){ hash, key, value };
}

void *
map_next(const struct map *m, size_t *at)
{
	while (*at < m->cap)
		if (m->slots[(*at)++].value != NULL)
			return m->slots[*at - 1].value;
	return NULL;
}

void
map_release(struct map *m)
{
	free(m->slots);
	*m = (struct map){ 0 };
}
