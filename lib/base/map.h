/* SPDX-License-Identifier: MIT */
/*
 * map: bytes -> pointer, open addressing, keys hashed with a random seed so
 * that an input cannot be made to collide. Keys are borrowed: they must live
 * as long as the map; usually they stand in the value. Values are borrowed.
 */
#ifndef K6PIPE_BASE_MAP_H
#define K6PIPE_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct map_slot {
	uint64_t hash;
	struct span key;
	void *value;	/* NULL: free */
};

struct map {
	struct map_slot *slots;
	size_t n;	/* entries */
	size_t cap;	/* slots, a power of two or 0 */
	uint64_t seed;	/* chosen at the first map_put */
};

/* 64-bit hash of bytes, keyed by seed. Not for cryptography. */
uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t n);

/* The value of key, or NULL. */
void *map_get(const struct map *m, struct span key);

/* Set key to value (not NULL), replacing an older one. */
void map_put(struct map *m, struct span key, void *value);

/* Walk all entries in no particular order: *at starts at 0; returns the next
 * value, NULL at the end. */
void *map_next(const struct map *m, size_t *at);

/* Drop all entries; memory is freed, values are not. */
void map_release(struct map *m);

#endif
