/* SPDX-License-Identifier: MIT */
/* --keep, --drop, --drop-tag and --group, decided once for each series. */
#include "k6agg/select/select.h"

#include <stdlib.h>

#include "base/die.h"
#include "data/trail.h"
#include "k6agg/select/select_rule.h"
#include "k6agg/select/subst.h"

enum { SLOTS = 1 << 12 };

struct rules {
	struct select_rule *list;
	size_t n;
};

/* A tag of --drop-tag, or a substitution of --group. */
struct edit {
	const char *text;	/* of the option; borrowed */
	bool is_used;		/* it matched something */
};

struct select {
	struct rules keep, drop;
	struct edit *drop_tag, *groups;	/* owned */
	size_t n_drop_tag;
	struct subst *group;		/* as many as groups */
	size_t n_group;
	struct tags tags;	/* what sets of the stream became */
	struct buf text;	/* scratch */
	/* What was decided last; any two series, or sets, may share a slot. */
	struct {
		const struct tagset *tags;
		struct selected selected;	/* but for is_kept */
		bool is_noted;		/* what matches an aggregate of it */
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
	for (i = 0; i < texts->n; i++, rules->n++) {
		if (select_rule_parse(&rules->list[i], texts->items[i],
		    &cause) < 0)
			return why_set(why, "%s: \"%s\": %s", option,
			    texts->items[i], cause.text);
		rules->list[i].text = texts->items[i];
	}
	return 0;
}

static struct edit *
edits_of(const struct opt_list *texts)
{
	struct edit *list = xcalloc(texts->n, sizeof(*list));
	size_t i;

	for (i = 0; i < texts->n; i++)
		list[i].text = texts->items[i];
	return list;
}

static int
read_group(struct select *s, const struct opt_list *texts, struct why *why)
{
	struct why cause;
	size_t i;

	s->groups = edits_of(texts);
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

	s->drop_tag = edits_of(&o->drop_tag);
	s->n_drop_tag = o->drop_tag.n;
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
	free(s->groups);
	free(s->drop_tag);
	tags_release(&s->tags);
	buf_release(&s->text);
	free(s);
}

bool
select_is_asked(const struct select_options *o)
{
	return o->keep.n + o->drop.n + o->drop_tag.n + o->group.n > 0;
}

/* With is_there the series is in the stream: rules that match are used. */
static bool
any_matches(struct rules *rules, struct span metric,
    const struct tagset *tags, bool is_there)
{
	bool has_match = false;
	size_t i;

	for (i = 0; i < rules->n && (!has_match || is_there); i++)
		if (select_rule_names(&rules->list[i], metric) &&
		    select_rule_holds(&rules->list[i], tags)) {
			has_match = true;
			rules->list[i].is_used |= is_there;
		}
	return has_match;
}

static bool
keeps(struct select *s, struct span metric, const struct tagset *tags,
    bool is_there)
{
	bool is_kept = s->keep.n == 0 ||
	    any_matches(&s->keep, metric, tags, is_there);

	return !any_matches(&s->drop, metric, tags, is_there) && is_kept;
}

/* Any of the lines that a request with these tags has. */
static bool
keeps_request(struct select *s, const struct tagset *tags, bool is_there)
{
	bool is_kept = keeps(s, SPAN("http_reqs"), tags, is_there);
	int i;

	is_kept |= keeps(s, SPAN("http_req_failed"), tags, is_there);
	for (i = 0; i < TIMINGS && (!is_kept || is_there); i++)
		is_kept |= keeps(s, span_of(timing_names[i]), tags, is_there);
	return is_kept;
}

static bool
is_dropped_tag(const struct select *s, struct span key)
{
	size_t i;

	for (i = 0; i < s->n_drop_tag; i++)
		if (span_is(key, s->drop_tag[i].text)) {
			s->drop_tag[i].is_used = true;
			return true;
		}
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
		s->groups[i].is_used |= subst_apply(&s->group[i],
		    buf_whole(&from), &to);
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

static size_t
slot_of_tags(const struct tagset *tags)
{
	return ((uintptr_t)tags >> 4 ^ (uintptr_t)tags >> 16) % SLOTS;
}

const struct selected *
select_tags(struct select *s, const struct tagset *tags)
{
	size_t i = slot_of_tags(tags);
	struct selected *out = &s->sets[i].selected;

	if (s->sets[i].tags == tags)
		return out;
	s->sets[i].tags = tags;
	s->sets[i].is_noted = false;
	out->is_request_kept = keeps_request(s, tags, false);
	out->tags = changed(s, tags);
	out->is_changed = !span_equal(out->tags->json, tags->json);
	return out;
}

const struct selected *
select_aggregate(struct select *s, const struct tagset *tags)
{
	const struct selected *out = select_tags(s, tags);
	size_t i = slot_of_tags(tags);

	if (!s->sets[i].is_noted)
		(void)keeps_request(s, tags, true);
	s->sets[i].is_noted = true;
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
	out->is_kept = keeps(s, p->metric->name, p->tags, true);
	return out;
}

static void
tell(const char *option, const char *text, bool is_used)
{
	if (!is_used)
		warnf("%s \"%s\" matched nothing", option, text);
}

void
select_tell_unused(const struct select *s)
{
	size_t i;

	for (i = 0; i < s->keep.n; i++)
		tell("--keep", s->keep.list[i].text, s->keep.list[i].is_used);
	for (i = 0; i < s->drop.n; i++)
		tell("--drop", s->drop.list[i].text, s->drop.list[i].is_used);
	for (i = 0; i < s->n_drop_tag; i++)
		tell("--drop-tag", s->drop_tag[i].text,
		    s->drop_tag[i].is_used);
	for (i = 0; i < s->n_group; i++)
		tell("--group", s->groups[i].text, s->groups[i].is_used);
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
