/* SPDX-License-Identifier: MIT */
/* Server-sent events: tell a page when its run changes. */
#include "k6serve/view/events.h"

#include <string.h>

#include "base/mem.h"
#include "data/run.h"
#include "k6serve/store/store_run.h"

/* One listener of a run's events. */
struct watch {
	struct store *store;	/* the server's thread's */
	int64_t run, version;
	int status;
	const char *owner;	/* store_everybody, or the text below */
	char text[];
};

struct news {
	struct watch *w;
	struct buf *out;
	bool is_there, is_last;
};

/* Will it not change by itself any more? More data reopens what was timed out,
 * and the judge has the last word on thresholds. */
static bool
is_settled(const struct store_run *run)
{
	return run->run_status != RUN_CREATED &&
	    run->run_status != RUN_RUNNING &&
	    run->run_status != RUN_TIMED_OUT &&
	    (span_is(run->thresholds, "{}") ||
	    run->judged_version >= run->version);
}

static void
put_event(struct buf *out, const char *event, const struct store_run *run)
{
	buf_printf(out, "event: %s\ndata: {\"version\":%lld,"
	    "\"state\":\"%s\"}\n\n", event, (long long)run->version,
	    run_status_name(run->run_status));
}

static int
put_change(void *ctx, const struct store_run *run)
{
	struct news *n = ctx;
	int status = run->run_status;

	n->is_there = true;
	n->is_last = is_settled(run);
	if (run->version != n->w->version || status != n->w->status)
		put_event(n->out, "change", run);
	n->w->version = run->version;
	n->w->status = status;
	if (n->is_last)
		put_event(n->out, "end", run);
	return 0;
}

static int
next_event(void *stream, struct buf *out)
{
	struct watch *w = stream;
	struct store_run_query q = { .owner = w->owner, .id = w->run };
	struct news n = { w, out, false, false };

	(void)store_runs(w->store, &q, put_change, &n, NULL);
	return n.is_there && !n.is_last ? 0 : -1;
}

void
send_events(struct call *c)
{
	size_t n = strlen(c->owner) + 1;
	struct watch *w;

	if (!call_has_run(c))
		return;
	w = xcalloc(1, sizeof(*w) + n);
	memcpy(w->text, c->owner, n);
	w->owner = c->owner == store_everybody ? store_everybody : w->text;
	w->store = c->store;
	w->run = c->run;
	c->reply->status = 200;
	c->reply->type = "text/event-stream";
	/* nginx would keep events until its buffer is full */
	reply_field(c->reply, "X-Accel-Buffering", "no");
	c->reply->next = next_event;
	c->reply->stream = w;
}
