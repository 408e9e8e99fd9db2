/* SPDX-License-Identifier: MIT */
/* The tags of a run's requests and their values, for filters. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "k6serve/view/group.h"
#include "k6serve/view/view.h"

enum { MOST_VALUES = 200 };	/* of all tags together */

/* A tag and one of its values. */
struct tag_value {
	char *key;		/* owned, as is the value behind its NUL */
	size_t key_n, value_n;
	double count;		/* of requests */
};

struct tag_values {
	struct map by_text;	/* of struct tag_value, owned */
	struct tags tags;
	struct buf text;	/* scratch */
};

/* What has columns or filters of its own, or another value each time. */
static bool
is_told_elsewhere(struct span key)
{
	static const char *const keys[] = { "name", "url", "method", "status",
	    "error", "error_code", "expected_response", "vu", "iter" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (span_is(key, keys[i]))
			return true;
	return false;
}

static void
add_tag(struct tag_values *all, const struct tag *tag, double count)
{
	struct tag_value *v;

	if (is_told_elsewhere(tag->key) || tag->value.n == 0)
		return;
	buf_reset(&all->text);
	buf_span(&all->text, tag->key);
	buf_char(&all->text, '\0');
	buf_span(&all->text, tag->value);
	v = map_get(&all->by_text, buf_whole(&all->text));
	if (v == NULL && all->by_text.n < MOST_VALUES) {
		v = xcalloc(1, sizeof(*v));
		v->key = xmalloc(all->text.n + 1);
		memcpy(v->key, all->text.p, all->text.n);
		v->key[all->text.n] = '\0';
		v->key_n = tag->key.n;
		v->value_n = tag->value.n;
		map_put(&all->by_text, (struct span){ v->key, all->text.n },
		    v);
	}
	if (v != NULL)
		v->count += count;
}

static int
add_series(void *ctx, const struct store_row *row)
{
	struct tag_values *all = ctx;
	struct jsn j = jsn_of(row->tags);
	const struct tagset *set = tags_read(&all->tags, &j);
	size_t i;

	for (i = 0; set != NULL && i < set->n; i++)
		add_tag(all, &set->tags[i], sink_sum(row->sink));
	return 0;
}

static int
by_text(const void *a, const void *b)
{
	const struct tag_value *x = *(struct tag_value *const *)a;
	const struct tag_value *y = *(struct tag_value *const *)b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : strcmp(x->key + x->key_n + 1,
	    y->key + y->key_n + 1);
}

static void
put_values(struct jsn_out *o, const struct tag_values *all)
{
	size_t at = 0, i, n = all->by_text.n;
	struct tag_value **sorted = xcalloc(n + 1, sizeof(*sorted));

	for (i = 0; i < n; i++)
		sorted[i] = map_next(&all->by_text, &at);
	qsort(sorted, n, sizeof(*sorted), by_text);
	jsn_open(o, '[');
	for (i = 0; i < n; i++) {
		jsn_open(o, '{');
		jsn_member_text(o, "tag", (struct span){ sorted[i]->key,
		    sorted[i]->key_n });
		jsn_member_text(o, "value", (struct span){ sorted[i]->key +
		    sorted[i]->key_n + 1, sorted[i]->value_n });
		jsn_member_number(o, "count", sorted[i]->count);
		jsn_close(o, '}');
		free(sorted[i]->key);
		free(sorted[i]);
	}
	jsn_close(o, ']');
	free(sorted);
}

int
view_tags(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct tag_values all = { .text = { 0 } };
	struct store_query q = { .owner = v->owner, .run = v->run,
	    .metric = "http_reqs", .has_no_hist = true };
	int status = store_series(v->store, &q, add_series, &all, why);

	put_values(o, &all);
	map_release(&all.by_text);
	tags_release(&all.tags);
	buf_release(&all.text);
	return status;
}
