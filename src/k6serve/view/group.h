/* SPDX-License-Identifier: MIT */
/* group: a run's series put together by the values of some of their tags. */
#ifndef K6PIPE_K6SERVE_VIEW_GROUP_H
#define K6PIPE_K6SERVE_VIEW_GROUP_H

#include "base/map.h"
#include "data/tags.h"
#include "k6serve/store/store_query.h"

enum { GROUP_TAGS = 3 };

/* One line of a table. */
struct group {
	struct span tag[GROUP_TAGS];	/* values, "" without; into key */
	double reqs;			/* sum of http_reqs */
	struct sink failed;		/* http_req_failed */
	struct sink sink;		/* any other metric */
	char *key;
};

struct groups {
	const char *by[GROUP_TAGS];	/* names of tags, NULL: fewer; "name"
					   stands for "url" if not given */
	struct tags tags;
	struct map by_key;		/* of struct group, owned */
	struct buf key;			/* scratch */
};

void groups_release(struct groups *g);

/* The group of these tags, made at need. NULL: they are no JSON. */
struct group *groups_of(struct groups *g, struct span tags);

/* Add each tag set of a metric (of a run) to its group. 0, or -1: why. */
int groups_read(struct groups *g, struct store *s,
    const struct store_query *q, struct why *why);

/* All of them in order; the caller frees the array. */
struct group **groups_sorted(const struct groups *g,
    int (*order)(const void *a, const void *b));

/* For groups_sorted: most requests first, or most values; then by tags. */
int group_by_reqs(const void *a, const void *b);
int group_by_count(const void *a, const void *b);

/* A tag's value; "" without it. */
struct span tag_value(const struct tagset *set, const char *key);

#endif
