/* SPDX-License-Identifier: MIT */
/* The rows of --summary: requests by name, checks, other metrics. */
#include "k6agg/summary/summary.h"

#include <stdlib.h>

#include "base/die.h"

#define OTHER SPAN("__other__")

static void
rows_release(struct rows *rows)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		free(rows->list[i]);
	free(rows->list);
	map_release(&rows->by_key);
	*rows = (struct rows){ 0 };
}

void
summary_release(struct summary *s)
{
	struct request_row *r;
	struct check_row *c;
	struct metric_row *m;
	size_t i;

	for (i = 0; i < s->requests.n; i++) {
		r = s->requests.list[i];
		free(r->name);
		sink_release(&r->ok);
		sink_release(&r->other);
		sink_release(&r->duration);
		course_release(&r->reqs_course);
		course_release(&r->failed_course);
		course_release(&r->ok_course);
		course_release(&r->other_course);
	}
	for (i = 0; i < s->checks.n; i++) {
		c = s->checks.list[i];
		free(c->name);
		course_release(&c->passes_course);
	}
	for (i = 0; i < s->metrics.n; i++) {
		m = s->metrics.list[i];
		free(m->name);
		sink_release(&m->sink);
	}
	rows_release(&s->requests);
	rows_release(&s->checks);
	rows_release(&s->metrics);
	vus_release(&s->vus);
	vus_release(&s->vus_max);
	buf_release(&s->key);
}

/* The row of the key, or a new one of so many bytes, zeroed; *is_new tells.
 * The key's bytes are copied: *text, which the row has to own. */
static void *
row_of(struct rows *rows, struct span key, size_t bytes, char **text)
{
	void *row = map_get(&rows->by_key, key);

	*text = NULL;
	if (row != NULL)
		return row;
	row = xcalloc(1, bytes);
	*text = xstrndup(key.p, key.n);
	rows->list = xgrow(rows->list, rows->n, &rows->cap,
	    sizeof(rows->list[0]));
	rows->list[rows->n++] = row;
	map_put(&rows->by_key, (struct span){ *text, key.n }, row);
	return row;
}

static struct span
tag_of(const struct tagset *tags, const char *key)
{
	const struct tag *tag = tagset_find(tags, key);

	return tag != NULL ? tag->value : (struct span){ "", 0 };
}

/* Texts, each with a NUL behind it; one inside becomes U+FFFD. */
static void
add_key(struct buf *key, struct span text)
{
	const char *end = text.p + text.n, *nul;

	while ((nul = memchr(text.p, '\0', (size_t)(end - text.p))) != NULL) {
		buf_add(key, text.p, (size_t)(nul - text.p));
		buf_text(key, "\xef\xbf\xbd");
		text.p = nul + 1;
	}
	buf_add(key, text.p, (size_t)(end - text.p));
	buf_char(key, '\0');
}

static struct request_row *
request_row(struct summary *s, struct span name, struct span method,
    struct span status)
{
	struct request_row *r;
	char *text;

	buf_reset(&s->key);
	add_key(&s->key, name);
	add_key(&s->key, method);
	add_key(&s->key, status);
	if (s->requests.n >= s->max_rows &&
	    map_get(&s->requests.by_key, buf_whole(&s->key)) == NULL &&
	    !span_equal(name, OTHER)) {
		if (!s->is_full)
			warnf("more than %zu requests of different name, "
			    "method or status: the rest is counted as "
			    "__other__ (--max-series)", s->max_rows);
		s->is_full = true;
		return request_row(s, OTHER, SPAN(""), SPAN(""));
	}
	r = row_of(&s->requests, buf_whole(&s->key), sizeof(*r), &text);
	if (text != NULL) {
		r->name = text;
		r->method = r->name + strlen(r->name) + 1;
		r->status = r->method + strlen(r->method) + 1;
		r->reqs.type = METRIC_COUNTER;
		r->failed.type = METRIC_RATE;
		r->ok.type = r->other.type = METRIC_TREND;
		r->duration.type = METRIC_TREND;
		r->reqs_course.type = METRIC_COUNTER;
		r->failed_course.type = METRIC_RATE;
		r->ok_course.type = r->other_course.type = METRIC_TREND;
	}
	return r;
}

static struct check_row *
check_row(struct summary *s, const struct tagset *tags)
{
	struct check_row *c;
	char *text;

	buf_reset(&s->key);
	add_key(&s->key, tag_of(tags, "check"));
	add_key(&s->key, tag_of(tags, "group"));
	c = row_of(&s->checks, buf_whole(&s->key), sizeof(*c), &text);
	if (text != NULL) {
		c->name = text;
		c->group = c->name + strlen(c->name) + 1;
		c->passes.type = c->passes_course.type = METRIC_RATE;
	}
	return c;
}

static struct metric_row *
metric_row(struct summary *s, struct span name, enum metric_type type)
{
	const struct metric *builtin = metric_builtin(name);
	struct metric_row *m;
	char *text;

	buf_reset(&s->key);
	add_key(&s->key, name);
	m = row_of(&s->metrics, (struct span){ s->key.p, s->key.n - 1 },
	    sizeof(*m), &text);
	if (text != NULL) {
		m->name = text;
		m->sink.type = type;
		m->contains = builtin != NULL ? builtin->contains
		    : CONTAINS_DEFAULT;
		/* Milliseconds are not small; shares and seconds are. */
		m->sink.hist.keeps_fine = m->contains != CONTAINS_TIME;
	}
	return m;
}

/* Without a name the URL is it, as for k6. */
static struct span
name_of(const struct tagset *tags)
{
	return tag_of(tags, tagset_find(tags, "name") != NULL ? "name"
	    : "url");
}

/* Where a series' values are kept. */
struct place {
	struct sink *sink;
	struct course *course;	/* NULL: it has none */
};

static struct place
place_of_duration(struct request_row *r, const struct tagset *tags)
{
	const struct tag *tag = tagset_find(tags, "expected_response");

	r->has_outcome |= tag != NULL;
	if (tag != NULL && span_is(tag->value, "true"))
		return (struct place){ &r->ok, &r->ok_course };
	return (struct place){ &r->other, &r->other_course };
}

/* With the requests of its row, with its check, or with its metric. */
static struct place
place_of(struct summary *s, const struct sample_series *at)
{
	struct request_row *r;
	struct check_row *c;

	if (span_is(at->metric, "checks")) {
		c = check_row(s, at->tags);
		return (struct place){ &c->passes, &c->passes_course };
	}
	if (!span_is(at->metric, "http_reqs") &&
	    !span_is(at->metric, "http_req_failed") &&
	    !span_is(at->metric, "http_req_duration"))
		return (struct place){ &metric_row(s, at->metric, at->type)
		    ->sink, NULL };
	r = request_row(s, name_of(at->tags), tag_of(at->tags, "method"),
	    tag_of(at->tags, "status"));
	if (span_is(at->metric, "http_reqs"))
		return (struct place){ &r->reqs, &r->reqs_course };
	if (span_is(at->metric, "http_req_failed"))
		return (struct place){ &r->failed, &r->failed_course };
	return place_of_duration(r, at->tags);
}

static struct sink *
sink_of(void *ctx, const struct sample_series *at)
{
	return place_of(ctx, at).sink;
}

struct bucket_of {
	struct summary *summary;
	int64_t period_ns;
};

/* The slot of its course, for the values of a sample. */
static struct sink *
slot_of_course(void *ctx, const struct sample_series *at)
{
	struct bucket_of *b = ctx;
	struct course *course = place_of(b->summary, at).course;

	return course != NULL ? course_at(course, at->time_ns, b->period_ns) :
	    &b->summary->rest;
}

/* The cache's slot of a series; any two may share one. */
static size_t
slot_of(const struct metric *metric, const struct tagset *tags)
{
	uintptr_t h = ((uintptr_t)metric >> 4) * 31 + ((uintptr_t)tags >> 4);

	return (size_t)(h ^ h >> 12) % SUMMARY_SLOTS;
}

static void
add_time(int64_t *first, int64_t *last, bool *has, int64_t from, int64_t to)
{
	if (!*has || from < *first)
		*first = from;
	if (!*has || to > *last)
		*last = to;
	*has = true;
}

/* The generator of a series of VUs, by its tags, or else by its file. NULL:
 * there is but one, or this is another metric. */
static struct vus_instance *
instance_of(struct summary *s, const struct point *p)
{
	struct vus *v = span_is(p->metric->name, "vus") ? &s->vus
	    : span_is(p->metric->name, "vus_max") ? &s->vus_max : NULL;
	struct span id;
	char number[24];

	if (v == NULL)
		return NULL;
	id = tag_of(p->tags, "instance_id");
	if (id.n == 0)
		id = tag_of(p->tags, "instance");
	if (id.n == 0 && s->input > 0) {
		(void)snprintf(number, sizeof(number), "\n%d", s->input);
		id = span_of(number);	/* no tag has a newline */
	}
	return id.n > 0 ? vus_instance(v, id) : NULL;
}

void
summary_add_point(struct summary *s, const struct point *p)
{
	size_t i = slot_of(p->metric, p->tags);
	struct place place;

	if (s->slots[i].metric != p->metric || s->slots[i].tags != p->tags) {
		const struct sample_series at = { p->metric->name,
		    p->metric->type, p->tags, p->time_ns };

		s->slots[i].metric = p->metric;
		s->slots[i].tags = p->tags;
		place = place_of(s, &at);
		s->slots[i].sink = place.sink;
		s->slots[i].course = place.course;
		s->slots[i].instance = instance_of(s, p);
		if (p->metric->is_declared && s->slots[i].sink->count == 0 &&
		    map_get(&s->metrics.by_key, p->metric->name) != NULL)
			metric_row(s, p->metric->name, p->metric->type)
			    ->contains = p->metric->contains;
	}
	add_time(&s->first_ns, &s->last_ns, &s->has_points, p->time_ns,
	    p->time_ns);
	sink_add(s->slots[i].sink, p->value, p->time_ns);
	if (s->keeps_courses && s->slots[i].course != NULL)
		sink_add(course_at(s->slots[i].course, p->time_ns, 0),
		    p->value, p->time_ns);
	if (s->slots[i].instance != NULL)
		vus_add(s->slots[i].instance, p->value, p->time_ns);
}

void
summary_add_sample(struct summary *s, const struct sample *sample)
{
	const struct aggregate *a = sample->aggregate;
	int64_t from = a->time_ns - a->period_ns / 2;
	int64_t to = a->time_ns + a->period_ns / 2;
	struct bucket_of bucket = { s, a->period_ns };

	if (!s->has_aggregates || to < s->inner_first_ns)
		s->inner_first_ns = to;
	if (!s->has_aggregates || from > s->inner_last_ns)
		s->inner_last_ns = from;
	add_time(&s->first_edge_ns, &s->last_edge_ns, &s->has_aggregates,
	    from, to);
	sample_sink(sample, sink_of, s);
	if (s->keeps_courses) {
		sample_sink(sample, slot_of_course, &bucket);
		sink_release(&s->rest);
	}
}

void
summary_set_type(struct summary *s, const struct metric *m)
{
	if (map_get(&s->metrics.by_key, m->name) != NULL)
		metric_row(s, m->name, m->type)->sink.type = m->type;
}

void
summary_note_run(struct summary *s, int64_t first_ns, int64_t last_ns)
{
	if (first_ns != 0 && (s->told_first_ns == 0 ||
	    first_ns < s->told_first_ns))
		s->told_first_ns = first_ns;
	if (last_ns != 0 && (s->told_last_ns == 0 ||
	    last_ns > s->told_last_ns))
		s->told_last_ns = last_ns;
}

void
summary_next_input(struct summary *s)
{
	s->input++;
	summary_forget_tags(s);
}

void
summary_forget_tags(struct summary *s)
{
	memset(s->slots, 0, sizeof(s->slots));
}
