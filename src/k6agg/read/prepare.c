/* SPDX-License-Identifier: MIT */
/* Parses a piece of the input, on any thread. */
#include "k6agg/read/prepare.h"

#include <stdlib.h>

#include "base/lines.h"
#include "data/sample.h"

enum { BATCH = 128 };

/* How k6 begins a request. */
static const char request_head[] =
    "\n{\"metric\":\"http_reqs\",\"type\":\"Point\"";

void
preparer_release(struct preparer *p)
{
	stream_release(&p->stream);
	trails_release(&p->trails);
	buf_release(&p->scratch);
}

void
prepared_release(struct prepared *p)
{
	free(p->points);
	free(p->list);
	free(p->passages);
	buf_release(&p->passed);
	line_store_release(&p->kept);
	*p = (struct prepared){ 0 };
}

static void
reset(struct prepared *out, enum prepare_for purpose, struct span text)
{
	out->purpose = purpose;
	out->text = text;
	out->n_points = out->requests = 0;
	out->n = out->n_passages = 0;
	buf_reset(&out->passed);
	line_store_reset(&out->kept);
	out->kept.borrows = true;
	memset(out->sets, 0, sizeof(out->sets));
}

/* What add_group needs. */
struct grouping {
	struct preparer *preparer;
	struct prepared *out;
	int64_t calc_ns;
	int64_t tick;		/* calc intervals that the clock has passed */
	struct passage *open;	/* since then; or NULL */
	bool has_tick;
};

static void
add_passage(struct grouping *g, const struct group_out *group)
{
	struct prepared *out = g->out;
	struct span lines = group_lines(group, &g->preparer->scratch);
	int64_t time_ns = group->points[0].time_ns;
	int i;

	if (g->open == NULL) {
		out->passages = xgrow(out->passages, out->n_passages,
		    &out->passages_cap, sizeof(*g->open));
		g->open = &out->passages[out->n_passages++];
		*g->open = (struct passage){ .before = out->n,
		    .first_ns = time_ns, .latest_ns = time_ns,
		    .earliest_ns = time_ns,
		    .from = out->passed.n };
	}
	buf_span(&out->passed, lines);
	g->open->n += lines.n;
	if (time_ns < g->open->earliest_ns)
		g->open->earliest_ns = time_ns;
	if (time_ns > g->open->latest_ns)
		g->open->latest_ns = time_ns;
	for (i = 0; i < group->n; i++)
		g->open->requests += point_requests(
		    group->points[i].metric->name, group->points[i].value);
}

static void
add_group(void *ctx, const struct group_out *group)
{
	struct grouping *g = ctx;
	struct prepared *out = g->out;
	int64_t tick = group->points[0].time_ns / g->calc_ns;
	struct request *r;

	if (!g->has_tick || tick > g->tick) {
		g->has_tick = true;
		g->tick = tick;
		g->open = NULL;
	}
	if (group->kind != GROUP_TRAIL) {
		add_passage(g, group);
		return;
	}
	out->list = xgrow(out->list, out->n, &out->cap, sizeof(*r));
	r = &out->list[out->n++];
	r->trail = group->trail;
	r->place = line_store_add(&out->kept,
	    &out->sets[group->trail.tags->id % PREPARED_SETS],
	    group->points, group->n);
}

static void
add_points(struct grouping *g, const struct point *points, int n)
{
	struct prepared *out = g->out;
	int i;

	switch (out->purpose) {
	case PREPARE_LINES:
		for (i = 0; i < n; i++) {
			out->requests += point_requests(
			    points[i].metric->name, points[i].value);
			if (out->n_points + i == 0 ||
			    points[i].time_ns > out->latest_ns)
				out->latest_ns = points[i].time_ns;
		}
		break;
	case PREPARE_POINTS:
		for (i = 0; i < n; i++) {
			out->points = xgrow(out->points,
			    (size_t)(out->n_points + i), &out->points_cap,
			    sizeof(*points));
			out->points[out->n_points + i] = points[i];
		}
		break;
	case PREPARE_GROUPS:
		trails_add_all(&g->preparer->trails, points, n, add_group, g);
		break;
	}
	out->n_points += n;
}

/* Read one line of a frame that is not known yet. */
static bool
read_line(struct preparer *p, struct span text, struct point *out,
    size_t *bytes)
{
	const char *newline = memchr(text.p, '\n', text.n);
	struct line line;
	struct why why;

	if (newline == NULL)
		return false;
	*bytes = (size_t)(newline + 1 - text.p);
	if (*bytes > LINES_MAX || stream_read(&p->stream, (struct span){
	    text.p, *bytes - 1 }, &line, &why) != LINE_POINT)
		return false;
	*out = line.point;
	return true;
}

bool
prepare(struct preparer *p, const struct prepare_rule *rule, struct span text,
    struct prepared *out)
{
	struct grouping g = { .preparer = p, .out = out,
	    .calc_ns = rule->calc_ns };
	const char *at = text.p, *end = text.p + text.n;
	struct point batch[BATCH];
	size_t bytes;
	int n;

	reset(out, rule->purpose, text);
	for (; at < end; at += bytes) {
		struct span rest = { at, (size_t)(end - at) };

		n = stream_points(&p->stream, rest, batch, BATCH, &bytes);
		if (n == 0 && read_line(p, rest, batch, &bytes))
			n = 1;
		if (n == 0)
			break;
		add_points(&g, batch, n);
	}
	trails_end(&p->trails, add_group, &g);
	return at == end;
}

size_t
prepare_start(struct preparer *p, const struct prepare_rule *rule,
    struct span text, size_t from)
{
	struct span rest = { text.p + from, text.n - from };
	struct point point;
	const char *at;
	size_t bytes;

	if (rule->purpose != PREPARE_GROUPS) {
		at = memchr(rest.p, '\n', rest.n);
		return at != NULL ? (size_t)(at + 1 - text.p) : 0;
	}
	at = memmem(rest.p, rest.n, request_head, sizeof(request_head) - 1);
	if (at == NULL)
		return 0;
	rest = (struct span){ at + 1, text.n - (size_t)(at + 1 - text.p) };
	/* Only a point of http_reqs is sure to end what came before. */
	return read_line(p, rest, &point, &bytes) &&
	    span_is(point.metric->name, "http_reqs")
	    ? (size_t)(rest.p - text.p) : 0;
}
