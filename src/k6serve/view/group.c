/* SPDX-License-Identifier: MIT */
/* Groups series by tags, and sorts the groups. */
#include "k6serve/view/group.h"

#include <stdlib.h>
#include <string.h>

#include "k6serve/view/failures.h"

void
groups_release(struct groups *g)
{
	struct group *group;
	size_t at = 0;

	while ((group = map_next(&g->by_key, &at)) != NULL) {
		sink_release(&group->sink);
		sink_release(&group->ok);
		free(group->key);
		free(group);
	}
	map_release(&g->by_key);
	tags_release(&g->tags);
	buf_release(&g->key);
}

static struct span
tag_value_of(const struct tagset *set, struct span key)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (span_equal(set->tags[i].key, key))
			return set->tags[i].value;
	return (struct span){ "", 0 };
}

struct span
tag_value(const struct tagset *set, const char *key)
{
	const struct tag *tag = tagset_find(set, key);

	return tag != NULL ? tag->value : (struct span){ "", 0 };
}

bool
tag_filter_takes(const struct tag_filter *f, const struct tagset *set)
{
	struct span key, value;
	size_t i;

	for (i = 0; f != NULL && i < f->n; i++) {
		key = (struct span){ f->texts[i], strcspn(f->texts[i], ":") };
		value = span_of(key.p[key.n] == ':' ? key.p + key.n + 1 : "");
		if (!span_equal(tag_value_of(set, key), value))
			return false;
	}
	return true;
}

static struct group *
group_new(struct groups *g)
{
	struct group *group = xcalloc(1, sizeof(*group));
	const char *p;
	int i;

	p = group->key = xstrndup(g->key.p, g->key.n);
	for (i = 0; i < GROUP_TAGS; i++) {
		group->tag[i] = span_of(p);
		p += group->tag[i].n + 1;
	}
	group->sink.type = group->ok.type = METRIC_TREND;
	map_put(&g->by_key, (struct span){ group->key, g->key.n }, group);
	return group;
}

struct group *
groups_of(struct groups *g, struct span tags)
{
	struct jsn j = jsn_of(tags);
	const struct tagset *set = tags_read(&g->tags, &j);
	struct group *group;
	struct span value;
	int i;

	if (set == NULL || !tag_filter_takes(g->filter, set))
		return NULL;
	buf_reset(&g->key);
	for (i = 0; i < GROUP_TAGS; i++) {
		value = g->by[i] != NULL ? tag_value(set, g->by[i]) :
		    (struct span){ "", 0 };
		if (value.n == 0 && i == 0 && strcmp(g->by[i], "name") == 0)
			value = tag_value(set, "url");
		value.n = strnlen(value.p, value.n);	/* no NUL inside */
		buf_span(&g->key, value);
		buf_char(&g->key, '\0');
	}
	g->set = set;
	group = map_get(&g->by_key, buf_whole(&g->key));
	return group != NULL ? group : group_new(g);
}

static int
add_row(void *ctx, const struct store_row *row)
{
	struct groups *g = ctx;
	struct group *group = groups_of(g, row->tags);

	if (group == NULL)
		return 0;
	if (g->has_ok && span_is(row->metric, "http_req_duration") &&
	    failures_success(g->set) == 1)
		sink_merge(&group->ok, row->sink);
	if (span_is(row->metric, "http_reqs")) {
		group->reqs += sink_sum(row->sink);
		group->by_status += sink_sum(row->sink) *
		    failures_share(tag_value(g->set, "status"));
	}
	if (span_is(row->metric, "http_req_failed"))
		sink_merge(&group->failed, row->sink);
	else if (!span_is(row->metric, "http_reqs"))
		sink_merge(&group->sink, row->sink);
	return 0;
}

int
groups_read(struct groups *g, struct store *s, const struct store_query *q,
    struct why *why)
{
	return store_series(s, q, add_row, g, why);
}

struct group **
groups_sorted(const struct groups *g,
    int (*order)(const void *a, const void *b))
{
	struct group **sorted = xcalloc(g->by_key.n, sizeof(*sorted));
	size_t at = 0, n = 0;

	while (n < g->by_key.n)
		sorted[n++] = map_next(&g->by_key, &at);
	if (n != 0)
		qsort(sorted, n, sizeof(*sorted), order);
	return sorted;
}

double
group_failed(const struct group *g)
{
	return g->failed.count > 0 || g->reqs == 0 ?
	    (double)g->failed.nonzero : g->by_status;
}

static int
by_tags(const struct group *a, const struct group *b)
{
	int i, order = 0;

	for (i = 0; i < GROUP_TAGS && order == 0; i++)
		order = strcmp(a->tag[i].p, b->tag[i].p);
	return order;
}

int
group_by_reqs(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a;
	const struct group *y = *(struct group *const *)b;

	if (x->reqs != y->reqs)
		return x->reqs > y->reqs ? -1 : 1;
	return by_tags(x, y);
}

int
group_by_count(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a;
	const struct group *y = *(struct group *const *)b;

	if (x->sink.count != y->sink.count)
		return x->sink.count > y->sink.count ? -1 : 1;
	return by_tags(x, y);
}
