/* SPDX-License-Identifier: MIT */
/* Adds thresholds that come with their results to a run's plan. */
#include "k6serve/ingest/told.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "data/threshold.h"

struct telling {
	struct map known;	/* "metric\0source", plain; owned */
	struct buf key;
	struct jsn_out o;
};

/* False: it was known before. Both are raw JSON. */
static bool
learn(struct telling *t, struct span metric, struct span source)
{
	char *own;

	buf_reset(&t->key);
	jsn_unescape(&t->key, metric);
	buf_char(&t->key, '\0');
	jsn_unescape(&t->key, source);
	if (map_get(&t->known, buf_whole(&t->key)) != NULL)
		return false;
	own = xmalloc(t->key.n);
	memcpy(own, t->key.p, t->key.n);
	map_put(&t->known, (struct span){ own, t->key.n }, own);
	return true;
}

static void
learn_planned(void *ctx, struct span metric, const struct threshold_json *one)
{
	(void)learn(ctx, metric, one->source);
}

static void
copy_plan(struct telling *t, struct span plan)
{
	struct jsn j = jsn_of(plan);
	struct span metric, value;

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &metric) && jsn_value(&j, &value)) {
		buf_reset(&t->key);
		jsn_unescape(&t->key, metric);
		jsn_member_raw(&t->o, buf_whole(&t->key).p, value);
	}
}

/* Those of one metric that the plan lacks. Returns how many. */
static size_t
add_metric(struct telling *t, struct jsn *j, struct span metric)
{
	struct span source, value;
	size_t n = 0;

	(void)jsn_enter(j, '{');
	while (jsn_member(j, &source)) {
		if (!jsn_value(j, &value) || (value.p[0] != 't' &&
		    value.p[0] != 'f') || !learn(t, metric, source))
			continue;
		if (n++ == 0) {
			buf_reset(&t->key);
			jsn_unescape(&t->key, metric);
			jsn_key(&t->o, buf_whole(&t->key).p);
			jsn_open(&t->o, '[');
		}
		buf_reset(&t->key);
		jsn_unescape(&t->key, source);
		jsn_put_text(&t->o, buf_whole(&t->key));
	}
	if (n != 0)
		jsn_close(&t->o, ']');
	return n;
}

static void
telling_release(struct telling *t)
{
	size_t at = 0;
	char *own;

	while ((own = map_next(&t->known, &at)) != NULL)
		free(own);
	map_release(&t->known);
	buf_release(&t->key);
}

bool
told_add(struct span plan, struct span results, struct buf *out)
{
	struct telling t = { .o = { .to = out } };
	struct jsn j = jsn_of(results);
	struct span metric;
	size_t n = 0;

	threshold_walk(plan, learn_planned, &t);
	jsn_open(&t.o, '{');
	copy_plan(&t, plan);
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &metric))
		if (jsn_peek(&j) == '{')
			n += add_metric(&t, &j, metric);
		else
			(void)jsn_skip(&j);
	jsn_close(&t.o, '}');
	telling_release(&t);
	return n != 0;
}
