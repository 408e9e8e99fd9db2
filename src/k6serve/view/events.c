/* SPDX-License-Identifier: MIT */
/* Server-sent events: a page is told when its run changes. */
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
	bool is_there;
};

static int
put_change(void *ctx, const struct store_run *run)
{
	struct news *n = ctx;
	int status = run->run_status;

	n->is_there = true;
	if (run->version == n->w->version && status == n->w->status)
		return 0;
	n->w->version = run->version;
	n->w->status = status;
	buf_printf(n->out, "event: change\ndata: {\"version\":%lld,"
	    "\"state\":\"%s\"}\n\n", (long long)run->version,
	    run_status_name(status));
	return 0;
}

static int
next_event(void *stream, struct buf *out)
{
	struct watch *w = stream;
	struct store_run_query q = { .owner = w->owner, .id = w->run };
	struct news n = { w, out, false };

	(void)store_runs(w->store, &q, put_change, &n, NULL);
	return n.is_there ? 0 : -1;
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
	c->reply->next = next_event;
	c->reply->stream = w;
}
