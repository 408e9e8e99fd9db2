/* SPDX-License-Identifier: MIT */
/* --keep, --drop, --drop-tag and --group, decided once for each series. */
#include "k6agg/select/select.h"

#include <stdlib.h>

#include "data/trail.h"
#include "k6agg/select/select_rule.h"
#include "k6agg/select/subst.h"

enum { SLOTS = 1 << 12 };

struct rules {
	struct select_rule *list;
	size_t n;
};

struct select {
	struct rules keep, drop;
	const struct opt_list *drop_tag;
	struct subst *group;
	size_t n_group;
	struct tags tags;	/* what sets of the stream became */
	struct buf text;	/* scratch */
	/* What was decided last; any two series, or sets, may share a slot. */
	struct {
		const struct tagset *tags;
		struct selected selected;	/* but for is_kept */
	} sets[SLOTS];
	struct {
		const struct metric *metric;
		const struct tagset *tags;
		struct selected selected;
	} series[SLOTS];
};

static int
read_rules(struct rules *rules, const char *option,
    const struct opt_list *texts, struct why *why)
{
	struct why cause;
	size_t i;

	rules->list = xcalloc(texts->n, sizeof(rules->list[0]));
	for (i = 0; i < texts->n; i++, rules->n++)
		if (select_rule_parse(&rules->list[i], texts->items[i],
		    &cause) < 0)
			return why_set(why, "%s: \"%s\": %s", option,
			    texts->items[i], cause.text);
	return 0;
}

static int
read_group(struct select *s, const struct opt_list *texts, struct why *why)
{
	struct why cause;
	size_t i;

	s->group = xcalloc(texts->n, sizeof(s->group[0]));
	for (i = 0; i < texts->n; i++, s->n_group++)
		if (subst_parse(&s->group[i], texts->items[i], &cause) < 0)
			return why_set(why, "--group: %s", cause.text);
	return 0;
}

struct select *
select_new(const struct select_options *o, struct why *why)
{
	struct select *s = xcalloc(1, sizeof(*s));

	s->drop_tag = &o->drop_tag;
	if (read_rules(&s->keep, "--keep", &o->keep, why) == 0 &&
	    read_rules(&s->drop, "--drop", &o->drop, why) == 0 &&
	    read_group(s, &o->group, why) == 0)
		return s;
	select_free(s);
	return NULL;
}

static void
rules_release(struct rules *rules)
{
	size_t i;

	for (i = 0; i < rules->n; i++)
		select_rule_release(&rules->list[i]);
	free(rules->list);
}

void
select_free(struct select *s)
{
	size_t i;

	if (s == NULL)
		return;
	rules_release(&s->keep);
	rules_release(&s->drop);
	for (i = 0; i < s->n_group; i++)
		subst_release(&s->group[i]);
	free(s->group);
	tags_release(&s->tags);
	buf_release(&s->text);
	free(s);
}

bool
select_is_asked(const struct select_options *o)
{
	return o->keep.n + o->drop.n + o->drop_tag.n + o->group.n > 0;
}

static bool
any_matches(const struct rules *rules, struct span metric,
    const struct tagset *tags)
{
	size_t i;

	for (i = 0; i < rules->n; i++)
		if (select_rule_names(&rules->list[i], metric) &&
		    select_rule_holds(&rules->list[i], tags))
			return true;
	return false;
}

static bool
keeps(const struct select *s, struct span metric, const struct tagset *tags)
{
	return (s->keep.n == 0 || any_matches(&s->keep, metric, tags)) &&
	    !any_matches(&s->drop, metric, tags);
}

/* Any of the lines that a request with these tags has. */
static bool
keeps_request(const struct select *s, const struct tagset *tags)
{
	int i;

	for (i = 0; i < TIMINGS; i++)
		if (keeps(s, span_of(timing_names[i]), tags))
			return true;
	return keeps(s, SPAN("http_reqs"), tags) ||
	    keeps(s, SPAN("http_req_failed"), tags);
}

static bool
is_dropped_tag(const struct select *s, struct span key)
{
	size_t i;

	for (i = 0; i < s->drop_tag->n; i++)
		if (span_is(key, s->drop_tag->items[i]))
			return true;
	return false;
}

/* Put a value through all substitutions; the result is a place in s->text,
 * which may still move: p is an offset. */
static struct span
grouped(struct select *s, struct span value)
{
	struct buf from = { 0 }, to = { 0 }, swap;
	struct span out;
	size_t i;

	buf_text(&from, "");
	buf_span(&from, value);
	for (i = 0; i < s->n_group; i++) {
		buf_reset(&to);
		buf_text(&to, "");
		(void)subst_apply(&s->group[i], buf_whole(&from), &to);
		swap = from;
		from = to;
		to = swap;
	}
	out = (struct span){ (const char *)s->text.n, from.n };
	buf_span(&s->text, buf_whole(&from));
	buf_release(&from);
	buf_release(&to);
	return out;
}

static const struct tagset *
changed(struct select *s, const struct tagset *tags)
{
	struct tag list[TAGS_MAX];
	bool is_grouped[TAGS_MAX];
	size_t i, n = 0;

	buf_reset(&s->text);
	buf_text(&s->text, "");
	for (i = 0; i < tags->n && n < TAGS_MAX; i++) {
		list[n] = tags->tags[i];
		if (is_dropped_tag(s, list[n].key))
			continue;
		is_grouped[n] = s->n_group > 0 &&
		    (span_is(list[n].key, "url") ||
		    span_is(list[n].key, "name"));
		if (is_grouped[n])
			list[n].value = grouped(s, list[n].value);
		n++;
	}
	for (i = 0; i < n; i++)
		if (is_grouped[i])
			list[i].value.p = s->text.p + (size_t)list[i].value.p;
	return tags_intern(&s->tags, list, n);
}

const struct selected *
select_tags(struct select *s, const struct tagset *tags)
{
	size_t i = ((uintptr_t)tags >> 4 ^ (uintptr_t)tags >> 16) % SLOTS;
	struct selected *out = &s->sets[i].selected;

	if (s->sets[i].tags == tags)
		return out;
	s->sets[i].tags = tags;
	out->is_request_kept = keeps_request(s, tags);
	out->tags = changed(s, tags);
	out->is_changed = !span_equal(out->tags->json, tags->json);
	return out;
}

const struct selected *
select_point(struct select *s, const struct point *p)
{
	uintptr_t h = ((uintptr_t)p->metric >> 4) * 31 +
	    ((uintptr_t)p->tags >> 4);
	size_t i = (size_t)(h ^ h >> 12) % SLOTS;
	struct selected *out = &s->series[i].selected;

	if (s->series[i].metric == p->metric && s->series[i].tags == p->tags)
		return out;
	s->series[i].metric = p->metric;
	s->series[i].tags = p->tags;
	*out = *select_tags(s, p->tags);
	out->is_kept = keeps(s, p->metric->name, p->tags);
	return out;
}

bool
select_metric(const struct select *s, struct span name)
{
	bool is_kept = s->keep.n == 0;
	size_t i;

	for (i = 0; i < s->keep.n; i++)
		is_kept |= select_rule_names(&s->keep.list[i], name);
	for (i = 0; i < s->drop.n; i++)
		if (s->drop.list[i].n == 0 &&
		    select_rule_names(&s->drop.list[i], name))
			is_kept = false;
	return is_kept;
}

/* Where the tags stand in a Point line; of equal members the last counts. In
 * a line as k6 writes it they are what the tail has between ,"tags": and }}. */
static struct span
tags_in(const struct point *p)
{
	enum { BEFORE = sizeof(",\"tags\":") - 1, BEHIND = 2 };
	struct span line = p->line;
	struct span key, data = { line.p, 0 }, tags = { line.p, 0 };
	struct jsn j = jsn_of(line);

	if (p->tail != NULL && p->tail->metric == NULL)
		return (struct span){ line.p + line.n - p->tail->text.n +
		    BEFORE, p->tail->text.n - BEFORE - BEHIND };
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		(void)jsn_value(&j, span_is(key, "data") ? &data
		    : &(struct span){ "", 0 });
	j = jsn_of(data);
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		(void)jsn_value(&j, span_is(key, "tags") ? &tags
		    : &(struct span){ "", 0 });
	return tags;
}

void
select_print(const struct point *p, const struct selected *selected,
    struct buf *out)
{
	const char *end = p->line.p + p->line.n;
	struct span tags;

	if (!selected->is_changed) {
		buf_span(out, p->line);
		buf_char(out, '\n');
		return;
	}
	tags = tags_in(p);
	buf_add(out, p->line.p, (size_t)(tags.p - p->line.p));
	buf_span(out, selected->tags->json);
	buf_add(out, tags.p + tags.n, (size_t)(end - tags.p) - tags.n);
	buf_char(out, '\n');
}

void
select_trim(struct select *s, uint32_t max)
{
	memset(s->sets, 0, sizeof(s->sets));
	memset(s->series, 0, sizeof(s->series));
	if (s->tags.n > max)
		tags_release(&s->tags);
}
