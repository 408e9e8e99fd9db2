/* SPDX-License-Identifier: MIT */
/* The thread that reports the ends of runs to a URL. */
#include "k6serve/hook/hook_thread.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/units.h"
#include "io/fetch.h"
#include "k6serve/hook/hook_body.h"
#include "k6serve/store/store_lease.h"
#include "k6serve/trouble.h"

enum {
	LOOK_MS = 500,			/* between looks for what has ended */
	REQUEST_S = 10,			/* for one try */
	LEAST_PAUSE_MS = 500,		/* after a try that failed, */
	MOST_PAUSE_MS = 300 * 1000,	/* twice as long each time */
	SECRET_MAX = 16384,		/* bytes of its file */
	MANY = 32,			/* runs that wait: looks are fewer */
};

/* A run whose end a try could not tell. */
struct waiting {
	int64_t run;
	int64_t next_ns;		/* monotonic: when it is tried again */
	int64_t pause_ms;		/* after the next failure */
	bool is_due;			/* the last look found it */
};

static const char work[] = "the sending of results to --on-finish";

struct hook_thread {
	const struct hook_config *config;
	struct store *store;		/* the thread's */
	struct writer *writer;
	struct fetcher *fetcher;	/* the thread's, as what follows */
	struct store_hook hook;		/* that is told */
	struct waiting *waiting;	/* owned, n of them */
	size_t n, cap;
	int64_t lease_ns;		/* monotonic: time to renew it */
	bool is_ours;			/* the lease */
	struct trouble looks;		/* into the database */
	bool is_over, is_taken, is_refused;	/* the try */
	bool is_away;			/* it got no answer */
	char result[256];		/* what came of it, for people */
	struct thread_turns turns;
};

int
hook_config_read(struct hook_config *c, const char *url,
    const char *secret_path, struct why *why)
{
	int status;

	c->url = url;
	if (secret_path == NULL)
		return 0;
	status = file_read(secret_path, SECRET_MAX, &c->secret, why);
	if (status != 0)
		return status < 0 ? -1 : why_set(why, "%s: no such file",
		    secret_path);
	while (c->secret.n > 0 && strchr(" \t\r\n",
	    c->secret.p[c->secret.n - 1]) != NULL)
		c->secret.n--;
	return c->secret.n != 0 ? 0 : why_set(why, "%s: is empty",
	    secret_path);
}

void
hook_config_release(struct hook_config *c)
{
	if (c->secret.p != NULL)
		explicit_bzero(c->secret.p, c->secret.n);
	buf_release(&c->secret);
}

/* Renew the lease of this work, or try to get it. Is it ours? */
static bool
has_lease(struct hook_thread *t)
{
	int64_t now_ns = now_monotonic_ns();
	struct why why;
	int held;

	if (now_ns >= t->lease_ns) {
		held = store_lease_hold(t->store, store_lease_hooks, &why);
		if (held <= 0)
			trouble_work(&t->looks, work, held, &why,
			    now_monotonic_ns());
		t->is_ours = held > 0;
		t->lease_ns = now_ns + STORE_LEASE_RENEW_MS * NS_PER_MS;
	}
	return t->is_ours;
}

/* What cannot be right the next time is not tried again: a redirect or a
 * refusal that is not for now only. */
static void
take_reply(void *ctx, const struct fetch_reply *reply)
{
	struct hook_thread *t = ctx;
	int status = reply->status;

	t->is_over = true;
	t->is_away = status == 0;
	t->is_taken = status >= 200 && status < 300;
	t->is_refused = status >= 300 && status < 500 && status != 408 &&
	    status != 429;
	if (status != 0)
		(void)snprintf(t->result, sizeof(t->result), "HTTP %d", status);
	else
		(void)snprintf(t->result, sizeof(t->result), "%s",
		    reply->reason);
}

/* The place of t->hook among those that wait; NULL: it was not tried. */
static struct waiting *
find_waiting(const struct hook_thread *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->waiting[i].run == t->hook.run)
			return &t->waiting[i];
	return NULL;
}

/* -1: why. */
static int
send_body(struct hook_thread *t, struct span body, struct why *why)
{
	struct buf signature = { 0 };
	char *delivery = xasprintf("K6serve-Delivery: %s", t->hook.id);
	const char *headers[] = { "Content-Type: application/json", delivery,
		NULL, NULL };
	struct fetch_request request = { .url = t->config->url,
	    .headers = headers, .is_post = true, .is_retry = find_waiting(t) !=
	    NULL, .body = body };
	int status = 0;

	t->is_over = t->is_taken = t->is_refused = false;
	if (t->config->secret.n != 0) {
		status = hook_body_sign(buf_whole(&t->config->secret), body,
		    &signature, why);
		headers[2] = signature.p;
	}
	if (status == 0)
		status = fetch_start(t->fetcher, &request, take_reply, t, why);
	while (status == 0 && !t->is_over &&
	    !thread_turns_is_stopping(&t->turns)) {
		(void)fetcher_wait(t->fetcher, -1, LOOK_MS / 2);
		(void)has_lease(t);
	}
	buf_release(&signature);
	free(delivery);
	return status;
}

/* On the writer's thread. If the disk is full the run will be told again. */
static void
write_done(void *ctx, struct store *s)
{
	struct hook_thread *t = ctx;
	struct why why;

	(void)store_hook_done(s, &t->hook, &why);
}

static void
end_delivery(struct hook_thread *t)
{
	long long run = t->hook.run;

	if (t->is_taken)
		warnf("run %lld: the webhook was delivered (delivery %s)", run,
		    t->hook.id);
	else
		warnf("run %lld: the webhook was not delivered: %s", run,
		    t->result);
	writer_do(t->writer, write_done, t);
}

/* Wait, and keep the lease, or try to get it. False: it is time to stop. */
static bool
pause_for(struct hook_thread *t, int64_t ms)
{
	int64_t part;

	for (; ms > 0; ms -= part) {
		(void)has_lease(t);
		part = ms < LOOK_MS ? ms : LOOK_MS;
		if (!thread_turns_wait(&t->turns, part))
			return false;
	}
	return true;
}

/* Each run has pauses of its own, so that none keeps the others from being
 * told. */
static void
try_later(struct hook_thread *t)
{
	struct waiting *w = find_waiting(t);

	if (w == NULL) {
		t->waiting = xgrow(t->waiting, t->n, &t->cap, sizeof(*w));
		w = &t->waiting[t->n++];
		*w = (struct waiting){ .run = t->hook.run,
		    .pause_ms = LEAST_PAUSE_MS, .is_due = true };
	}
	warnf("run %lld: the webhook is not delivered yet: %s: trying again "
	    "in %g s", (long long)t->hook.run, t->result,
	    (double)w->pause_ms / 1000);
	w->next_ns = now_monotonic_ns() + w->pause_ms * NS_PER_MS;
	w->pause_ms = w->pause_ms * 2 < MOST_PAUSE_MS ? w->pause_ms * 2 :
	    MOST_PAUSE_MS;
}

/* One try to tell t->hook. False: it is time to stop. */
static bool
tell(struct hook_thread *t)
{
	struct view v = { .store = t->store, .owner = store_everybody,
	    .timeout_ns = t->config->timeout_ns, .run = t->hook.run };
	struct buf body = { 0 };
	struct why why;
	int status = hook_body_put(&v, &t->hook, t->config->base_url, &body,
	    &why);

	if (status > 0 && send_body(t, buf_whole(&body), &why) < 0)
		status = -1;
	buf_release(&body);
	if (status < 0) {
		(void)snprintf(t->result, sizeof(t->result), "%s", why.text);
		try_later(t);
		return true;
	}
	if (status == 0)	/* the run was removed */
		return true;
	if (!t->is_over)
		return false;
	if (!t->is_taken && !t->is_refused)
		try_later(t);
	else
		end_delivery(t);
	return true;
}

/* Is it time to try to tell t->hook? While the receiver is away, nothing is
 * tried again that would only wait for it, too. */
static bool
is_time(struct hook_thread *t)
{
	struct waiting *w = find_waiting(t);

	if (w == NULL)
		return true;
	w->is_due = true;
	return !t->is_away && now_monotonic_ns() >= w->next_ns;
}

/* Forget those that the look did not find: they were told, or removed. */
static void
forget_others(struct hook_thread *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		if (t->waiting[i].is_due)
			t->waiting[n++] = t->waiting[i];
	t->n = n;
}

/* Look at all whose end is to be told. False: it is time to stop. */
static bool
look(struct hook_thread *t)
{
	int64_t run = 0;
	struct why why;
	size_t i;
	int found = -1;

	for (i = 0; i < t->n; i++)
		t->waiting[i].is_due = false;
	t->is_away = false;
	while (has_lease(t)) {
		found = store_hook_next(t->store, run, &t->hook, &why);
		trouble_work(&t->looks, work, found, &why,
		    now_monotonic_ns());
		if (found <= 0)
			break;
		run = t->hook.run;
		if (is_time(t) && (!tell(t) ||
		    thread_turns_is_stopping(&t->turns)))
			return false;
	}
	if (found == 0)
		forget_others(t);
	return true;
}

static void *
hook_main(void *ctx)
{
	struct hook_thread *t = ctx;

	while (look(t) && pause_for(t, LOOK_MS * (1 + (int64_t)t->n / MANY)))
		;
	store_lease_drop(t->store);
	return NULL;
}

struct hook_thread *
hook_thread_start(const struct hook_config *config, struct store *store,
    struct writer *writer, struct why *why)
{
	const struct fetch_options options = { .timeout_ns = REQUEST_S *
	    NS_PER_S, .user_agent = "k6serve/" K6PIPE_VERSION };
	struct hook_thread *t = xcalloc(1, sizeof(*t));

	t->config = config;
	t->store = store;
	t->writer = writer;
	t->fetcher = fetcher_new(&options, why);
	if (t->fetcher == NULL) {
		free(t);
		return NULL;
	}
	if (thread_turns_start(&t->turns, hook_main, t, why) == 0)
		return t;
	fetcher_free(t->fetcher);
	free(t);
	return NULL;
}

void
hook_thread_stop(struct hook_thread *t)
{
	if (t == NULL)
		return;
	thread_turns_stop(&t->turns);
	fetcher_free(t->fetcher);
	free(t->waiting);
	free(t);
}
