/* SPDX-License-Identifier: MIT */
/*
 * tags: tag sets. Each distinct set exists once, in canonical form (keys in
 * ascending byte order, the last of equal keys, k6's escapes), so that two
 * sets are equal if their pointers are.
 */
#ifndef K6PIPE_DATA_TAGS_H
#define K6PIPE_DATA_TAGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/why.h"
#include "data/jsn.h"

#define TAGS_MAX 256	/* most tags of one set that tags_read takes */

struct tag {
	struct span key, value;	/* plain text, into the set's memory */
};

struct tagset {
	struct span json;	/* {"a":"b",...} */
	const struct tag *tags;	/* ascending by key */
	size_t n;
	uint32_t id;		/* 0, 1, 2 in order of first sight */
	atomic_uint refs;
};

/* All sets of one stream or server. A zeroed struct is empty. */
struct tags {
	struct map by_json;
	struct buf text;	/* scratch */
	struct buf json;	/* scratch */
	uint32_t n;
};

/* Forget all sets, and free those that nobody holds. */
void tags_release(struct tags *t);

/* Hold a set beyond tags_release, from any thread. A set that is forgotten is
 * another one when it is seen again: compare their json. */
const struct tagset *tagset_hold(const struct tagset *set);
void tagset_drop(const struct tagset *set);

/* The set that the cursor stands at: an object of strings, or null for the
 * empty set. Owned by t, stays where it is until tags_release. NULL, with j's
 * error set, when it is something else. */
const struct tagset *tags_read(struct tags *t, struct jsn *j);

/* The set of n pairs, in any order. */
const struct tagset *tags_intern(struct tags *t, const struct tag *pairs,
    size_t n);

/* The value of a tag, or NULL. */
const struct tag *tagset_find(const struct tagset *set, const char *key);

#endif
