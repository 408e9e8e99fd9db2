/* SPDX-License-Identifier: MIT */
/* Which thresholds a run has: read from options, lines and JSON. */
#include <stdlib.h>

#include "data/judge_priv.h"

static struct verdict *
find(const struct judge *j, struct span key, struct span source)
{
	size_t i;

	for (i = 0; i < j->n; i++)
		if (span_equal(j->list[i]->threshold.key.text, key) &&
		    span_equal(j->list[i]->threshold.source, source))
			return j->list[i];
	return NULL;
}

static bool
is_misfit(const struct threshold *t, enum metric_type type, struct why *why)
{
	struct span method = threshold_method_text(t);

	if (threshold_fits(t, type))
		return false;
	(void)why_set(why, "%.*s is a %s, which has no \"%.*s\"",
	    (int)t->key.metric.n, t->key.metric.p, metric_type_name(type),
	    (int)method.n, method.p);
	return true;
}

/* The samples of a key, shared by all thresholds that have it. */
static struct judge_key *
key_of(struct judge *j, const struct threshold_key *key)
{
	struct judge_key *first = map_get(&j->by_metric, key->metric), *k;
	const struct metric *builtin = metric_builtin(key->metric);

	for (k = first; k != NULL; k = k->next)
		if (span_equal(k->key.text, key->text))
			return k;
	k = xcalloc(1, sizeof(*k));
	k->key = *key;
	k->sink.hist.keeps_fine = true;
	k->has_type = builtin != NULL;
	k->sink.type = builtin != NULL ? builtin->type : METRIC_TREND;
	if (first == NULL) {
		map_put(&j->by_metric, k->key.metric, k);
		return k;
	}
	if (!k->has_type && first->has_type) {
		k->has_type = true;
		k->sink.type = first->sink.type;
	}
	k->next = first->next;
	first->next = k;
	return k;
}

/* Take t, whose text is owned, into the list; it is freed if it is there. -1:
 * its metric is known to have no such method. */
static int
add(struct judge *j, const struct threshold *t, char *text, bool is_asked,
    struct why *why)
{
	struct verdict *v = find(j, t->key.text, t->source);

	if (v == NULL) {
		v = xcalloc(1, sizeof(*v));
		v->threshold = *t;
		v->text = text;
		v->of = key_of(j, &v->threshold.key);
		j->list = xgrow(j->list, j->n, &j->cap, sizeof(j->list[0]));
		j->list[j->n++] = v;
	} else {
		free(text);
	}
	if (t->aborts && (!v->threshold.aborts || is_asked)) {
		v->threshold.aborts = true;
		v->threshold.delay_ns = t->delay_ns;
	}
	v->is_asked |= is_asked;
	v->aborts_here |= t->aborts && is_asked;
	v->ends_generator |= t->aborts && !is_asked;
	j->aborts |= v->aborts_here;
	/* The texts of t may be gone. */
	if (v->of->has_type && is_misfit(&v->threshold, v->of->sink.type,
	    why)) {
		v->is_misfit = true;
		return -1;
	}
	return 0;
}

int
judge_add_option(struct judge *j, const char *text, struct why *why)
{
	char *own = xstrdup(text);
	struct threshold t;

	if (threshold_parse(&t, own, why) < 0) {
		free(own);
		return -1;
	}
	return add(j, &t, own, true, why);
}

/* A threshold of the key in j->key, its source in j->source. */
static int
add_source(struct judge *j, bool aborts, int64_t delay_ns, struct why *why)
{
	size_t n = j->key.n;
	struct threshold t;
	char *text;

	text = xasprintf("%s%c%s", buf_whole(&j->key).p, '=',
	    buf_whole(&j->source).p);
	if (threshold_set(&t, (struct span){ text, n }, span_of(text + n + 1),
	    why) < 0) {
		free(text);
		return -1;
	}
	t.aborts = aborts;
	t.delay_ns = delay_ns;
	return add(j, &t, text, false, why);
}

static void
read_plain(struct jsn *in, struct buf *out)
{
	struct span raw;

	buf_reset(out);
	if (jsn_text(in, &raw))
		jsn_unescape(out, raw);
}

/* An array of sources, or one. The key stands in j->key. All are read; -1: one
 * of them is no threshold. */
static int
read_sources(struct judge *j, struct jsn *in, struct why *why)
{
	bool is_list = jsn_peek(in) == '[';
	struct threshold_json one;
	int status = 0;

	if (is_list)
		(void)jsn_enter(in, '[');
	while (!is_list || jsn_element(in)) {
		if (threshold_take(in, &one) && in->error == NULL) {
			buf_reset(&j->source);
			jsn_unescape(&j->source, one.source);
			if (add_source(j, one.aborts, one.delay_ns, why) < 0)
				status = -1;
		}
		if (!is_list)
			break;
	}
	return status;
}

int
judge_add_json(struct judge *j, struct span object, struct why *why)
{
	struct jsn in = jsn_of(object);
	struct span key;
	int status = 0;

	(void)jsn_enter(&in, '{');
	while (jsn_member(&in, &key)) {
		buf_reset(&j->key);
		jsn_unescape(&j->key, key);
		if (read_sources(j, &in, why) < 0)
			status = -1;
	}
	return in.error != NULL ? why_set(why, "thresholds: %s", in.error)
	    : status;
}

void
judge_set_type(struct judge *j, struct span metric, enum metric_type type)
{
	struct judge_key *k = map_get(&j->by_metric, metric);
	struct why why;
	size_t i;

	if (k == NULL || k->has_type)
		return;
	for (; k != NULL; k = k->next) {
		k->has_type = true;
		if (k->sink.count == 0)
			k->sink.type = type;
	}
	for (i = 0; i < j->n; i++)
		if (span_equal(j->list[i]->threshold.key.metric, metric))
			j->list[i]->is_misfit = is_misfit(
			    &j->list[i]->threshold, type, &why);
}

/* k6 names a submetric that a threshold asked for, and one for its summary. */
static void
read_submetrics(struct judge *j, struct jsn *in)
{
	struct span key;
	char *name;

	if (jsn_peek(in) != '[') {
		(void)jsn_skip(in);
		return;
	}
	(void)jsn_enter(in, '[');
	while (jsn_element(in)) {
		(void)jsn_enter(in, '{');
		while (jsn_plain_member(in, &key)) {
			if (!span_is(key, "name")) {
				(void)jsn_skip(in);
				continue;
			}
			read_plain(in, &j->source);
			if (j->source.n == 0 || map_get(&j->submetrics,
			    buf_whole(&j->source)) != NULL ||
			    strstr(j->source.p, "{expected_response:true}"))
				continue;
			name = xstrndup(j->source.p, j->source.n);
			map_put(&j->submetrics, span_of(name), name);
		}
	}
}

int
judge_add_metric(struct judge *j, struct span data, struct why *why)
{
	struct jsn in = jsn_of(data);
	struct span key, thresholds = { "", 0 }, raw;
	enum metric_type type = METRIC_TREND;
	bool has_type = false;
	struct jsn sources;

	buf_reset(&j->key);
	(void)jsn_enter(&in, '{');
	while (jsn_plain_member(&in, &key)) {
		if (span_is(key, "name"))
			read_plain(&in, &j->key);
		else if (span_is(key, "type"))
			has_type = jsn_text(&in, &raw) &&
			    metric_type_parse(raw, &type);
		else if (span_is(key, "thresholds"))
			(void)jsn_value(&in, &thresholds);
		else if (span_is(key, "submetrics"))
			read_submetrics(j, &in);
		else
			(void)jsn_skip(&in);
	}
	if (in.error != NULL || j->key.n == 0)
		return 0;	/* the stream's reader tells of it */
	sources = jsn_of(thresholds);
	if (thresholds.n > 0 && read_sources(j, &sources, why) < 0)
		return -1;
	if (has_type)
		judge_set_type(j, buf_whole(&j->key), type);
	return 0;
}

void
judge_take_results(struct judge *j, struct span object)
{
	struct jsn in = jsn_of(object);
	struct verdict *v;
	struct span key;

	(void)jsn_enter(&in, '{');
	while (jsn_member(&in, &key)) {
		buf_reset(&j->key);
		jsn_unescape(&j->key, key);
		if (jsn_peek(&in) != '{') {
			(void)jsn_skip(&in);
			continue;
		}
		(void)jsn_enter(&in, '{');
		while (jsn_member(&in, &key)) {
			buf_reset(&j->source);
			jsn_unescape(&j->source, key);
			v = find(j, buf_whole(&j->key),
			    buf_whole(&j->source));
			if (v != NULL) {
				v->is_told = true;
				v->is_failed = jsn_peek(&in) == 't';
			}
			(void)jsn_skip(&in);
		}
	}
}

static bool
is_known(const struct judge *j, struct span key)
{
	size_t i;

	for (i = 0; i < j->n; i++)
		if (span_equal(j->list[i]->threshold.key.text, key))
			return true;
	return false;
}

const char *
judge_next_untold(const struct judge *j, size_t *at)
{
	const char *name;

	while ((name = map_next(&j->submetrics, at)) != NULL)
		if (!is_known(j, span_of(name)))
			return name;
	return NULL;
}
