/* SPDX-License-Identifier: MIT */
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

/* The metric that comes at place i of a group. */
static const char *
name_at(enum group_kind kind, int i)
{
	if (kind == GROUP_NET)
		return i < NET_VALUES ? net_names[i] : NULL;
	if (i == HTTP_REQS)
		return "http_reqs";
	if (i == HTTP_REQ_FAILED)
		return "http_req_failed";
	return i < TRAIL_POINTS ? timing_names[i - FIRST_TIMING] : NULL;
}

/* True if p is the next point of the group that is held. */
static bool
continues(const struct trails *t, const struct point *p)
{
	const char *name;

	if (t->n == 0)
		return false;
	name = name_at(t->kind, t->n);
	return name != NULL && span_is(p->metric->name, name) &&
	    p->time_ns == t->held[0].time_ns && p->tags == t->held[0].tags;
}

/* Fill in the trail that the held points form; it is one request, whatever
 * http_reqs says (k6 always writes 1). False: a value has no place
 * in one, such as a time that is not a whole number of nanoseconds in
 * range. */
static bool
make_trail(const struct trails *t, struct trail *trail)
{
	int i;

	if (t->n < HTTP_REQ_FAILED)
		return false;
	*trail = (struct trail){ .time_ns = t->held[0].time_ns,
	    .tags = t->held[0].tags, .failed = -1 };
	for (i = 0; i < TIMINGS; i++)
		if (!num_ms_to_ns(t->held[FIRST_TIMING + i].value,
		    &trail->ns[i]))
			return false;
	if (t->n > HTTP_REQ_FAILED)
		trail->failed = t->held[HTTP_REQ_FAILED].value != 0;
	return true;
}

static bool
make_net(const struct trails *t, struct net_trail *net)
{
	int i;

	if (t->n < NET_ITERATION_DURATION)
		return false;
	*net = (struct net_trail){ .time_ns = t->held[0].time_ns,
	    .tags = t->held[0].tags, .n = t->n };
	for (i = 0; i < t->n; i++)
		net->value[i] = t->held[i].value;
	return true;
}

void
trails_end(struct trails *t, trails_each *each, void *ctx)
{
	struct group_out g = { .kind = GROUP_POINTS, .points = t->held,
	    .n = t->n, .lines = { t->lines.p, t->lines.n } };
	int i;

	if (t->n == 0)
		return;
	for (i = 0; i < t->n; i++)
		t->held[i].line.p = t->lines.p + t->line_at[i];
	if (t->kind == GROUP_TRAIL && make_trail(t, &g.trail))
		g.kind = GROUP_TRAIL;
	else if (t->kind == GROUP_NET && make_net(t, &g.net))
		g.kind = GROUP_NET;
	each(ctx, &g);
	t->n = 0;
	buf_reset(&t->lines);
}

static void
hold(struct trails *t, const struct point *p)
{
	t->line_at[t->n] = t->lines.n;
	t->held[t->n++] = *p;
	buf_span(&t->lines, p->line);
	buf_char(&t->lines, '\n');
}

void
trails_add(struct trails *t, const struct point *p, trails_each *each,
    void *ctx)
{
	if (!continues(t, p)) {
		trails_end(t, each, ctx);
		t->kind = span_is(p->metric->name, name_at(GROUP_TRAIL, 0))
		    ? GROUP_TRAIL
		    : span_is(p->metric->name, name_at(GROUP_NET, 0))
		    ? GROUP_NET : GROUP_POINTS;
	}
	hold(t, p);
	if (t->kind == GROUP_POINTS || name_at(t->kind, t->n) == NULL)
		trails_end(t, each, ctx);
}
