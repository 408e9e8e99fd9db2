/* SPDX-License-Identifier: MIT */
/* The total of each series: found, and added to. */
#include "k6push/read/running.h"

#include <stdlib.h>

#include "base/num.h"
#include "base/units.h"
#include "k6push/wire/wire_rw.h"

/* A tag set of the stream, and its labels. */
struct source {
	const struct tagset *tags;
	const struct running_target *target;
};

/* "p(99.9)": the suffix is _p999. */
static bool
parse_quantile(struct running_stat *stat, const char *text, size_t n)
{
	size_t used, i, at = 2;
	double percent;

	if (n < 4 || n > 16 || memcmp(text, "p(", 2) != 0 ||
	    text[n - 1] != ')')
		return false;
	used = num_parse(text + 2, n - 3, &percent);
	if (used != n - 3 || percent < 0 || percent > 100)
		return false;
	stat->kind = STAT_QUANTILE;
	stat->p = percent / 100;
	memcpy(stat->suffix, "_p", 3);
	for (i = 2; i < n - 1; i++)
		if (text[i] >= '0' && text[i] <= '9')
			stat->suffix[at++] = text[i];
	stat->suffix[at] = '\0';
	return true;
}

static bool
parse_stat(struct running_stat *stat, const char *text, size_t n)
{
	static const char *const names[] = { "count", "sum", "min", "max",
	    "avg" };
	int i;

	*stat = (struct running_stat){ 0 };
	for (i = 0; i < 5; i++)
		if (strlen(names[i]) == n && memcmp(text, names[i], n) == 0) {
			stat->kind = (enum running_kind)i;
			stat->suffix[0] = '_';
			memcpy(stat->suffix + 1, names[i], n + 1);
			return true;
		}
	if (n == 3 && memcmp(text, "med", n) == 0) {
		stat->kind = STAT_QUANTILE;
		stat->p = 0.5;
		memcpy(stat->suffix, "_med", 5);
		return true;
	}
	return parse_quantile(stat, text, n);
}

static int
parse_stats(struct running_config *c, const char *list, struct why *why)
{
	size_t n;

	while (list[0] != '\0') {
		list += strspn(list, ", ");
		n = strcspn(list, ", ");
		if (n == 0)
			break;
		if (c->n_stats == RUNNING_STATS || !parse_stat(
		    &c->stats[c->n_stats++], list, n))
			return why_set(why, "K6_PROMETHEUS_RW_TREND_STATS: "
			    "\"%.*s\" is none of count, sum, min, max, avg, "
			    "med, p(N)", (int)(n < 32 ? n : 32), list);
		list += n;
	}
	return 0;
}

int
running_configure(struct running_config *c, const struct settings *s,
    struct why *why)
{
	const char *stats = settings_text(s, SET_RW_TREND_STATS);
	int form = rw_form_of(s);
	int64_t lanes = settings_int(s, SET_PUSH_CONCURRENCY);

	if (form < 0)
		return why_set(why, "--rw-form: \"%s\" is none of native, "
		    "vmrange, classic, stats", settings_text(s, SET_RW_FORM));
	if (settings_int(s, SET_RW_SCHEMA) > NATIVE_MOST)
		return why_set(why, "--rw-schema: more than %d breaks the "
		    "queries of Prometheus", NATIVE_MOST);
	if (settings_int(s, SET_RW_VERSION) > 2)
		return why_set(why, "--rw-version: must be 1 or 2");
	*c = (struct running_config){ .has_histograms = form != RW_STATS,
	    .is_stale_told = settings_bool(s, SET_RW_STALE_MARKERS),
	    .is_start_told = settings_int(s, SET_RW_VERSION) == 2,
	    .interval_ms = settings_int(s, SET_RW_PUSH_INTERVAL) / NS_PER_MS,
	    .lanes = lanes < WIRE_LANES ? (unsigned)lanes : WIRE_LANES,
	    .schema = (int)settings_int(s, SET_RW_SCHEMA) };
	return parse_stats(c, stats != NULL ? stats : form == RW_STATS
	    ? "p(99)" : "", why);
}

void
running_init(struct running *r, const struct running_config *c,
    struct metrics *metrics)
{
	*r = (struct running){ .config = *c, .metrics = metrics,
	    .latest_ms = INT64_MIN };
	native_scale_init(&r->scale, c->schema);
}

static void
free_all(struct map *map)
{
	size_t at = 0;
	void *p;

	while ((p = map_next(map, &at)) != NULL)
		free(p);
	map_release(map);
}

void
running_release(struct running *r)
{
	struct running_target *target;
	size_t i, at = 0;

	for (i = 0; i < r->n; i++) {
		sink_release(&r->all[i]->values);
		native_release(&r->all[i]->hist);
		free(r->all[i]);
	}
	free(r->all);
	while ((target = map_next(&r->targets, &at)) != NULL)
		free((void *)(uintptr_t)target->labels.bytes.p);
	free_all(&r->targets);
	free_all(&r->sources);
	map_release(&r->by_key);
	buf_release(&r->scratch);
	free(r->own_testid);
	*r = (struct running){ 0 };
}

/* Does a tag of the stream name the run, in place of our label? */
static bool
names_run(struct running *r, const struct tagset *tags)
{
	const struct tag *tag = tagset_find(tags, "testid");

	if (tag == NULL || tag->value.n == 0 || !r->config.keeps_testid)
		return false;
	if (r->own_testid == NULL)
		r->own_testid = xstrndup(tag->value.p, tag->value.n);
	else if (!span_equal(tag->value, span_of(r->own_testid)))
		r->has_own_testids = true;
	return true;
}

/* The labels of a tag set: k6 sends neither vu nor iter; who it is and which
 * run it is of is ours to say. */
static const struct running_target *
target_of(struct running *r, const struct tagset *tags)
{
	const struct running_config *c = &r->config;
	struct remote_label pairs[TAGS_MAX + 2];
	struct running_target *target;
	struct remote_labels labels;
	size_t i, n = 0;

	if (c->instance != NULL)
		pairs[n++] = (struct remote_label){ SPAN("instance"),
		    span_of(c->instance) };
	if (c->testid != NULL && !names_run(r, tags))
		pairs[n++] = (struct remote_label){ SPAN("testid"),
		    span_of(c->testid) };
	for (i = 0; i < tags->n && n < TAGS_MAX + 2; i++)
		if (!span_is(tags->tags[i].key, "vu") &&
		    !span_is(tags->tags[i].key, "iter"))
			pairs[n++] = (struct remote_label){ tags->tags[i].key,
			    tags->tags[i].value };
	buf_reset(&r->scratch);
	labels = remote_labels_make(pairs, n, &r->scratch);
	target = map_get(&r->targets, labels.bytes);
	if (target != NULL)
		return target;
	target = xcalloc(1, sizeof(*target));
	target->labels = labels;
	target->labels.bytes.p = xstrndup(labels.bytes.p, labels.bytes.n);
	target->lane = (unsigned)(hash_bytes(1, labels.bytes.p,
	    labels.bytes.n) % c->lanes);
	map_put(&r->targets, target->labels.bytes, target);
	return target;
}

static const struct running_target *
target_seen(struct running *r, const struct tagset *tags)
{
	struct source *source = map_get(&r->sources,
	    (struct span){ (const char *)&tags, sizeof(tags) });

	if (source != NULL)
		return source->target;
	source = xmalloc(sizeof(*source));
	*source = (struct source){ tags, target_of(r, tags) };
	map_put(&r->sources, (struct span){ (const char *)&source->tags,
	    sizeof(source->tags) }, source);
	return source->target;
}

static struct running_series *
find_series(struct running *r, const struct metric *metric,
    const struct tagset *tags)
{
	struct running_series key = { .key = { metric, target_seen(r, tags) } };
	struct running_series *s = map_get(&r->by_key,
	    (struct span){ (const char *)&key.key, sizeof(key.key) });

	if (s == NULL) {
		s = xcalloc(1, sizeof(*s));
		s->key = key.key;
		/* Of a trend there is a better histogram than the sink's. */
		s->values.type = METRIC_GAUGE;
		map_put(&r->by_key, (struct span){ (const char *)&s->key,
		    sizeof(s->key) }, s);
		r->all = xgrow(r->all, r->n, &r->cap,
		    sizeof(struct running_series *));
		r->all[r->n++] = s;
	}
	s->source = tags;
	return s;
}

struct running_series *
running_series(struct running *r, const struct metric *metric,
    const struct tagset *tags)
{
	struct running_series *s = r->last != NULL ? r->last->next : NULL;

	if (s == NULL || s->source != tags || s->key.metric != metric) {
		s = find_series(r, metric, tags);
		if (r->last != NULL)
			r->last->next = s;
	}
	r->last = s;
	return s;
}

/* In what is sent, times are seconds. */
static double
factor_of(const struct metric *m)
{
	return m->contains == CONTAINS_TIME ? 0.001 : 1;
}

static void
note_time(struct running *r, struct running_series *s, int64_t time_ns)
{
	int64_t ms = time_ns / NS_PER_MS;

	if (s->values.count == 0 || ms < s->first_ms)
		s->first_ms = ms;
	if (s->values.count == 0 || ms > s->latest_ms)
		s->latest_ms = ms;
	if (ms > r->latest_ms)
		r->latest_ms = ms;
}

void
running_add(struct running *r, struct running_series *s, double value,
    int64_t time_ns)
{
	const struct metric *m = s->key.metric;

	note_time(r, s, time_ns);
	sink_add(&s->values, value, time_ns);
	if (m->type == METRIC_TREND)
		native_add(&s->hist, &r->scale, value * factor_of(m), 1);
	s->points++;
	s->requests += (uint64_t)point_requests(m->name, value);
}

void
running_merge(struct running *r, struct running_series *s,
    const struct sink *from, int64_t time_ns)
{
	const struct metric *m = s->key.metric;
	struct sink scalars = *from;

	if (from->count == 0)
		return;
	note_time(r, s, time_ns);
	if (m->type == METRIC_TREND)
		native_add_hist(&s->hist, &r->scale, &from->hist,
		    factor_of(m));
	scalars.hist = (struct hist){ 0 };
	sink_merge(&s->values, &scalars);
	s->points += from->count;
	s->requests += (uint64_t)point_requests(m->name, sink_sum(from));
}

void
running_forget_tags(struct running *r)
{
	size_t i;

	free_all(&r->sources);
	for (i = 0; i < r->n; i++)
		r->all[i]->source = NULL;
}
