/* SPDX-License-Identifier: MIT */
/* group: a run's series put together by the values of some of their tags. */
#ifndef K6PIPE_K6SERVE_VIEW_GROUP_H
#define K6PIPE_K6SERVE_VIEW_GROUP_H

#include "base/map.h"
#include "data/tags.h"
#include "k6serve/store/store_query.h"

enum { GROUP_TAGS = 5, FILTERS = 8 };

/* Only what has these tags with these values. */
struct tag_filter {
	size_t n;
	const char *texts[FILTERS];	/* "KEY:VALUE", borrowed */
};

/* One line of a table. */
struct group {
	struct span tag[GROUP_TAGS];	/* values, "" without; into key */
	double reqs;			/* sum of http_reqs */
	double by_status;		/* of them failed, by status; NAN */
	struct sink failed;		/* http_req_failed */
	struct sink sink;		/* any other metric */
	struct sink ok;			/* http_req_duration of answers that did
					   not fail, if has_ok */
	int64_t first_ns;		/* used by errors only; 0: not known */
	char *key;
};

struct groups {
	const char *by[GROUP_TAGS];	/* names of tags, NULL: fewer; "name"
					   stands for "url" if not given */
	const struct tag_filter *filter;	/* NULL: all */
	bool has_ok;
	struct tags tags;
	struct map by_key;		/* of struct group, owned */
	struct buf key;			/* scratch */
	const struct tagset *set;	/* that of the last row */
};

void groups_release(struct groups *g);

/* The group of these tags, made at need. NULL: they are no JSON, or the filter
 * does not want them. */
struct group *groups_of(struct groups *g, struct span tags);

/* Add each tag set of a metric (of a run) to its group. 0, or -1: why. */
int groups_read(struct groups *g, struct store *s,
    const struct store_query *q, struct why *why);

/* All of them in order; the caller frees the array. */
struct group **groups_sorted(const struct groups *g,
    int (*order)(const void *a, const void *b));

/* How many requests of it failed, as well as that is known; NAN: not. */
double group_failed(const struct group *g);

/* For groups_sorted: most requests first, or most values; then by tags. */
int group_by_reqs(const void *a, const void *b);
int group_by_count(const void *a, const void *b);

/* Has the set what the filter wants? */
bool tag_filter_takes(const struct tag_filter *f, const struct tagset *set);

/* A tag's value; "" without it. */
struct span tag_value(const struct tagset *set, const char *key);

#endif
