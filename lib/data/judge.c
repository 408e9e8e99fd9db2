/* SPDX-License-Identifier: MIT */
/* The thresholds of a run: gathered, fed with samples, judged. */
#include "data/judge.h"

#include <stdlib.h>

#include "base/units.h"

/* How often k6 judges while a run goes on. */
#define JUDGE_NS (2 * NS_PER_S)

void
judge_release(struct judge *j)
{
	struct judge_key *k, *next;
	size_t i, at = 0;
	char *name;

	while ((k = map_next(&j->by_metric, &at)) != NULL)
		for (; k != NULL; k = next) {
			next = k->next;
			sink_release(&k->sink);
			free(k);
		}
	map_release(&j->by_metric);
	at = 0;
	while ((name = map_next(&j->submetrics, &at)) != NULL)
		free(name);
	map_release(&j->submetrics);
	for (i = 0; i < j->n; i++) {
		free(j->list[i]->text);
		free(j->list[i]);
	}
	free(j->list);
	buf_release(&j->key);
	buf_release(&j->source);
	*j = (struct judge){ 0 };
}

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

static void
set_type(struct judge *j, struct span metric, enum metric_type type)
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
		set_type(j, buf_whole(&j->key), type);
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

static void
note_times(struct judge *j, int64_t from_ns, int64_t to_ns)
{
	if (!j->has_first || from_ns < j->first_ns)
		j->first_ns = from_ns;
	if (!j->has_first || to_ns > j->latest_ns)
		j->latest_ns = to_ns;
	j->has_first = true;
}

/* How long the run has lasted, as far as the samples of a key can tell. */
static int64_t
elapsed_ns(const struct judge *j, const struct judge_key *k)
{
	int64_t ns;

	if (!j->has_first || __builtin_sub_overflow(k->is_folded ?
	    j->folded_ns : j->latest_ns, j->first_ns, &ns))
		return 0;
	return ns > 0 ? ns : 0;
}

void
judge_add_point(struct judge *j, const struct point *p)
{
	struct judge_key *k;

	if (j->n == 0)
		return;
	note_times(j, p->time_ns, p->time_ns);
	k = map_get(&j->by_metric, p->metric->name);
	if (k != NULL && !k->has_type)
		set_type(j, p->metric->name, p->metric->type);
	for (; k != NULL; k = k->next)
		if (threshold_key_matches(&k->key, p->tags))
			sink_add(&k->sink, p->value, p->time_ns);
}

/* Where a sample's values go that are not of the key. */
struct placing {
	struct judge_key *key;
	struct sink rest;
};

static struct sink *
place(void *ctx, const struct sample_series *at)
{
	struct placing *to = ctx;

	if (span_equal(at->metric, to->key->key.metric) &&
	    threshold_key_matches(&to->key->key, at->tags)) {
		to->key->is_folded = true;
		return &to->key->sink;
	}
	return &to->rest;
}

void
judge_add_sample(struct judge *j, const struct sample *s)
{
	int64_t half, from_ns, to_ns;
	struct placing to;
	size_t at = 0;

	if (j->n == 0)
		return;
	half = s->aggregate->period_ns / 2;
	if (!__builtin_sub_overflow(s->aggregate->time_ns, half, &from_ns) &&
	    !__builtin_add_overflow(s->aggregate->time_ns, half, &to_ns)) {
		note_times(j, from_ns, to_ns);
		if (!j->has_folded || to_ns > j->folded_ns)
			j->folded_ns = to_ns;
		j->has_folded = true;
	}
	while ((to.key = map_next(&j->by_metric, &at)) != NULL)
		for (; to.key != NULL; to.key = to.key->next) {
			to.rest = (struct sink){ .type = METRIC_COUNTER };
			sample_sink(s, place, &to);
			sink_release(&to.rest);
		}
}

void
judge_add_sink(struct judge *j, struct span metric, const struct tagset *tags,
    const struct sink *sink)
{
	struct judge_key *k;

	set_type(j, metric, sink->type);
	for (k = map_get(&j->by_metric, metric); k != NULL; k = k->next)
		if ((k->key.n_tags == 0) == (tags == NULL) && (tags == NULL ||
		    threshold_key_matches(&k->key, tags)))
			sink_merge(&k->sink, sink);
}

/* A threshold with abortOnFail is crossed. Over no time there is no rate. */
static bool
may_abort(const struct judge *j, const struct verdict *v)
{
	int64_t ns = elapsed_ns(j, v->of);

	if (!v->threshold.aborts || v->is_misfit || ns < v->threshold.delay_ns)
		return false;
	if (ns == 0 && v->threshold.method == THRESHOLD_RATE &&
	    v->of->sink.type == METRIC_COUNTER)
		return false;
	return !threshold_holds(&v->threshold, &v->of->sink,
	    (double)ns / 1e9);
}

const struct verdict *
judge_clock(struct judge *j, int64_t time_ns)
{
	struct verdict *v;
	size_t i;
	bool is_due;

	if (!j->aborts)
		return NULL;
	is_due = j->has_clock && time_ns >= j->due_ns;
	if (j->has_clock && !is_due)
		return NULL;
	j->has_clock = true;
	if (__builtin_add_overflow(time_ns, JUDGE_NS, &j->due_ns))
		j->due_ns = INT64_MAX;
	for (i = 0; is_due && i < j->n; i++) {
		v = j->list[i];
		if (v->aborts_here && may_abort(j, v)) {
			v->is_told = v->is_failed = true;
			return v;
		}
	}
	return NULL;
}

bool
judge_ended_generator(const struct judge *j)
{
	size_t i;

	for (i = 0; i < j->n; i++)
		if (j->list[i]->ends_generator && j->list[i]->is_failed &&
		    may_abort(j, j->list[i]))
			return true;
	return false;
}

static bool
is_crossed(const struct verdict *v, double seconds, bool is_over)
{
	const struct sink *s = &v->of->sink;

	if (v->is_misfit)
		return false;
	if (!is_over || (s->count == 0 && !v->of->has_type &&
	    v->threshold.method == THRESHOLD_RATE))
		return !threshold_holds(&v->threshold, s, seconds);
	return !threshold_held(&v->threshold, s, seconds);
}

static size_t
judge_each(struct judge *j, double seconds, bool is_over)
{
	struct verdict *v;
	size_t i, n = 0;

	for (i = 0; i < j->n; i++) {
		v = j->list[i];
		if (!v->is_told)
			v->is_failed = is_crossed(v, seconds, is_over);
		n += v->is_failed;
	}
	return n;
}

size_t
judge_all(struct judge *j, double seconds)
{
	return judge_each(j, seconds, true);
}

size_t
judge_so_far(struct judge *j, double seconds)
{
	return judge_each(j, seconds, false);
}

bool
judge_has_samples(const struct verdict *v)
{
	return v->of->sink.count > 0;
}

double
judge_measure(const struct verdict *v, double seconds)
{
	return threshold_measure(&v->threshold, &v->of->sink, seconds);
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
