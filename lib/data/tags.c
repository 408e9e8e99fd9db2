/* SPDX-License-Identifier: MIT */
/* Tag sets, each kept once, so that equal ones are one pointer. */
#include "data/tags.h"

#include <stdlib.h>

static int
by_key(const struct tag *a, const struct tag *b)
{
	size_t n = a->key.n < b->key.n ? a->key.n : b->key.n;
	int order = n != 0 ? memcmp(a->key.p, b->key.p, n) : 0;

	if (order != 0)
		return order;
	return a->key.n < b->key.n ? -1 : a->key.n > b->key.n;
}

/* Insertion sort: stable, and input of k6 is in order already. */
static void
sort(struct tag *tags, size_t n)
{
	struct tag moved;
	size_t i, k;

	for (i = 1; i < n; i++) {
		moved = tags[i];
		for (k = i; k > 0 && by_key(&tags[k - 1], &moved) > 0; k--)
			tags[k] = tags[k - 1];
		tags[k] = moved;
	}
}

/* Keep the last of equal keys; returns how many remain. */
static size_t
drop_repeated(struct tag *tags, size_t n)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (kept > 0 && span_equal(tags[kept - 1].key, tags[i].key))
			kept--;
		tags[kept++] = tags[i];
	}
	return kept;
}

static void
print(struct buf *out, const struct tag *tags, size_t n)
{
	size_t i;

	buf_reset(out);
	buf_char(out, '{');
	for (i = 0; i < n; i++) {
		buf_text(out, i > 0 ? ",\"" : "\"");
		jsn_escape(out, tags[i].key);
		buf_text(out, "\":\"");
		jsn_escape(out, tags[i].value);
		buf_char(out, '"');
	}
	buf_char(out, '}');
}

static struct span
copy_text(char **to, struct span from)
{
	struct span copy = { *to, from.n };

	if (from.n != 0)
		memcpy(*to, from.p, from.n);
	*to += from.n;
	return copy;
}

/* A set in one piece of memory: header, tags, their text, the JSON. */
static struct tagset *
make(const struct tag *tags, size_t n, struct span json, uint32_t id)
{
	size_t i, bytes = json.n;
	struct tagset *set;
	struct tag *copy;
	char *at;

	for (i = 0; i < n; i++)
		bytes += tags[i].key.n + tags[i].value.n;
	set = xmalloc(sizeof(*set) + n * sizeof(*copy) + bytes);
	copy = (struct tag *)(set + 1);
	at = (char *)(copy + n);
	for (i = 0; i < n; i++) {
		copy[i].key = copy_text(&at, tags[i].key);
		copy[i].value = copy_text(&at, tags[i].value);
	}
	*set = (struct tagset){ .json = copy_text(&at, json), .tags = copy,
	    .n = n, .id = id };
	atomic_init(&set->refs, 1);
	return set;
}

const struct tagset *
tagset_hold(const struct tagset *set)
{
	struct tagset *held = (struct tagset *)(uintptr_t)set;

	(void)atomic_fetch_add_explicit(&held->refs, 1, memory_order_relaxed);
	return held;
}

void
tagset_drop(const struct tagset *set)
{
	struct tagset *held = (struct tagset *)(uintptr_t)set;

	if (atomic_fetch_sub_explicit(&held->refs, 1,
	    memory_order_acq_rel) == 1)
		free(held);
}

/* As tags_intern; sorts in place. */
static const struct tagset *
intern(struct tags *t, struct tag *tags, size_t n)
{
	struct tagset *set;
	struct span json;

	sort(tags, n);
	n = drop_repeated(tags, n);
	print(&t->json, tags, n);
	json = (struct span){ t->json.p, t->json.n };
	set = map_get(&t->by_json, json);
	if (set == NULL) {
		set = make(tags, n, json, t->n++);
		map_put(&t->by_json, set->json, set);
	}
	return set;
}

const struct tagset *
tags_intern(struct tags *t, const struct tag *pairs, size_t n)
{
	struct tag *tags = xmalloc(n * sizeof(*tags));
	const struct tagset *set;

	if (n != 0)
		memcpy(tags, pairs, n * sizeof(*tags));
	set = intern(t, tags, n);
	free(tags);
	return set;
}

/* Plain text of a raw string, appended to text; p is an offset, as text may
 * still move. */
static struct span
plain(struct buf *text, struct span raw)
{
	size_t at = text->n;

	jsn_unescape(text, raw);
	return (struct span){ (const char *)at, text->n - at };
}

const struct tagset *
tags_read(struct tags *t, struct jsn *j)
{
	struct tag tags[TAGS_MAX];
	size_t n = 0, i;
	struct span key, value;

	if (jsn_peek(j) == 'n')
		return jsn_skip(j) ? intern(t, tags, 0) : NULL;
	buf_reset(&t->text);
	buf_text(&t->text, "");
	if (!jsn_enter(j, '{'))
		return NULL;
	while (jsn_member(j, &key) && jsn_text(j, &value)) {
		if (n == TAGS_MAX) {
			(void)jsn_fail(j, "too many tags");
			return NULL;
		}
		tags[n].key = plain(&t->text, key);
		tags[n++].value = plain(&t->text, value);
	}
	for (i = 0; i < n; i++) {
		tags[i].key.p = t->text.p + (size_t)tags[i].key.p;
		tags[i].value.p = t->text.p + (size_t)tags[i].value.p;
	}
	return j->error == NULL ? intern(t, tags, n) : NULL;
}

const struct tag *
tagset_find(const struct tagset *set, const char *key)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (span_is(set->tags[i].key, key))
			return &set->tags[i];
	return NULL;
}

void
tags_release(struct tags *t)
{
	struct tagset *set;
	size_t at = 0;

	while ((set = map_next(&t->by_json, &at)) != NULL)
		tagset_drop(set);
	map_release(&t->by_json);
	buf_release(&t->text);
	buf_release(&t->json);
	t->n = 0;
}
