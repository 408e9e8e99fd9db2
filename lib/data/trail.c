/* SPDX-License-Identifier: MIT */
/* Points of one time and tag set put together to a request or an iteration. */
#include "data/trail.h"

#include "base/num.h"

const char *const timing_names[TIMINGS] = {
	"http_req_duration", "http_req_blocked", "http_req_connecting",
	"http_req_tls_handshaking", "http_req_sending", "http_req_waiting",
	"http_req_receiving",
};

const char *const net_names[NET_VALUES] = {
	"data_sent", "data_received", "iteration_duration", "iterations",
};

enum { HTTP_REQS, FIRST_TIMING, HTTP_REQ_FAILED = FIRST_TIMING + TIMINGS,
	TRAIL_POINTS };

int64_t
trail_connection_ns(const struct trail *t)
{
	return t->ns[TIMING_CONNECTING] + t->ns[TIMING_TLS_HANDSHAKING];
}

void
trails_release(struct trails *t)
{
	buf_release(&t->lines);
	*t = (struct trails){ 0 };
}

/* The name of the metric that comes at place i of a group. */
static const char *
name_at(enum group_kind kind, int i)
{
	if (kind == GROUP_NET)
		return net_names[i];
	return i == HTTP_REQS ? "http_reqs" : i == HTTP_REQ_FAILED
	    ? "http_req_failed" : timing_names[i - FIRST_TIMING];
}

static int
most_of(enum group_kind kind)
{
	return kind == GROUP_NET ? (int)NET_VALUES : kind == GROUP_TRAIL
	    ? (int)TRAIL_POINTS : 1;
}

/* True if the metric comes at place i; its name is compared once. */
static inline bool
is_at(struct trails *t, enum group_kind kind, int i, const struct metric *m)
{
	const struct metric **seen = &t->seen[kind == GROUP_NET][i];

	if (*seen == m)
		return true;
	if (!span_is(m->name, name_at(kind, i)))
		return false;
	*seen = m;
	return true;
}

/* What a point may begin. */
static enum group_kind
kind_of(struct trails *t, const struct point *p)
{
	return is_at(t, GROUP_TRAIL, 0, p->metric) ? GROUP_TRAIL
	    : is_at(t, GROUP_NET, 0, p->metric) ? GROUP_NET : GROUP_POINTS;
}

/* True if p comes at place i of the group that first began. */
static inline bool
continues(struct trails *t, enum group_kind kind, const struct point *first,
    int i, const struct point *p)
{
	return p->time_ns == first->time_ns && p->tags == first->tags &&
	    is_at(t, kind, i, p->metric);
}

/* Fill in the trail that the points form; it is one request, whatever
 * http_reqs says (k6 always writes 1). False: a value has no place in one,
 * such as a time that is not a whole number of nanoseconds in range. */
static bool
make_trail(const struct point *points, int n, struct trail *trail)
{
	int i;

	if (n < HTTP_REQ_FAILED)
		return false;
	trail->time_ns = points[0].time_ns;
	trail->tags = points[0].tags;
	for (i = 0; i < TIMINGS; i++)
		if (!num_ms_to_ns(points[FIRST_TIMING + i].value,
		    &trail->ns[i]))
			return false;
	trail->failed = n <= HTTP_REQ_FAILED ? -1
	    : points[HTTP_REQ_FAILED].value != 0;
	return true;
}

static bool
make_net(const struct point *points, int n, struct net_trail *net)
{
	int i;

	if (n < NET_ITERATION_DURATION)
		return false;
	net->time_ns = points[0].time_ns;
	net->tags = points[0].tags;
	net->n = n;
	for (i = 0; i < n; i++)
		net->value[i] = points[i].value;
	return true;
}

struct span
group_lines(const struct group_out *g, struct buf *scratch)
{
	const char *first = g->points[0].line.p, *at = first;
	int i;

	for (i = 0; i < g->n && g->points[i].line.p == at; i++)
		at += g->points[i].line.n + 1;
	if (i == g->n)
		return (struct span){ first, (size_t)(at - first) };
	buf_reset(scratch);
	for (i = 0; i < g->n; i++) {
		buf_span(scratch, g->points[i].line);
		buf_char(scratch, '\n');
	}
	return buf_whole(scratch);
}

static void
hand_out(enum group_kind kind, const struct point *points, int n,
    trails_each *each, void *ctx)
{
	struct group_out g;	/* trail and net only as kind says */

	g.kind = GROUP_POINTS;
	g.points = points;
	g.n = n;
	if (kind == GROUP_TRAIL && make_trail(points, n, &g.trail))
		g.kind = GROUP_TRAIL;
	else if (kind == GROUP_NET && make_net(points, n, &g.net))
		g.kind = GROUP_NET;
	each(ctx, &g);
}

void
trails_settle(struct trails *t)
{
	const char *at;
	int i;

	for (i = t->n_settled; i < t->n; i++) {
		buf_span(&t->lines, t->held[i].line);
		buf_char(&t->lines, '\n');
	}
	if (t->n_settled == t->n)
		return;
	t->n_settled = t->n;
	at = t->lines.p;	/* it may have moved */
	for (i = 0; i < t->n; i++) {
		t->held[i].line.p = at;
		at += t->held[i].line.n + 1;
	}
}

void
trails_end(struct trails *t, trails_each *each, void *ctx)
{
	if (t->n == 0)
		return;
	hand_out(t->kind, t->held, t->n, each, ctx);
	t->n = t->n_settled = 0;
	buf_reset(&t->lines);
}

void
trails_add(struct trails *t, const struct point *p, trails_each *each,
    void *ctx)
{
	if (t->n == 0 || !continues(t, t->kind, t->held, t->n, p)) {
		trails_end(t, each, ctx);
		t->kind = kind_of(t, p);
	}
	t->held[t->n++] = *p;
	if (t->n == most_of(t->kind))
		trails_end(t, each, ctx);
}

/* How many of n points, from the first on, are one group. */
static int
group_at(struct trails *t, enum group_kind kind, const struct point *points,
    int n)
{
	int most = most_of(kind), i = 1;

	while (i < n && i < most &&
	    continues(t, kind, points, i, &points[i]))
		i++;
	return i;
}

void
trails_add_all(struct trails *t, const struct point *points, int n,
    trails_each *each, void *ctx)
{
	enum group_kind kind;
	int i = 0, length;

	while (i < n && t->n > 0)
		trails_add(t, &points[i++], each, ctx);
	for (; i < n; i += length) {
		kind = kind_of(t, &points[i]);
		length = group_at(t, kind, points + i, n - i);
		if (i + length == n && length < most_of(kind))
			break;
		hand_out(kind, points + i, length, each, ctx);
	}
	while (i < n)
		trails_add(t, &points[i++], each, ctx);
}
