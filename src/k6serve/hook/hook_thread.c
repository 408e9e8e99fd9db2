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

enum {
	LOOK_MS = 500,			/* between looks for what has ended */
	REQUEST_S = 10,			/* for one try */
	LEAST_PAUSE_MS = 500,		/* after a try that failed, */
	MOST_PAUSE_MS = 300 * 1000,	/* twice as long each time */
	SECRET_MAX = 16384,		/* bytes of its file */
};

struct hook_thread {
	const struct hook_config *config;
	struct store *store;		/* the thread's */
	struct writer *writer;
	struct fetcher *fetcher;	/* the thread's, as what follows */
	struct store_hook hook;		/* that is told */
	int64_t pause_ms;		/* after the next failure */
	int64_t lease_ns;		/* monotonic: time to renew it */
	bool is_ours;			/* the lease */
	bool is_over, is_taken, is_refused;	/* the try */
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

	if (now_ns >= t->lease_ns) {
		t->is_ours = store_lease_hold(t->store, store_lease_hooks,
		    &why) > 0;
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
	t->is_taken = status >= 200 && status < 300;
	t->is_refused = status >= 300 && status < 500 && status != 408 &&
	    status != 429;
	if (status != 0)
		(void)snprintf(t->result, sizeof(t->result), "HTTP %d", status);
	else
		(void)snprintf(t->result, sizeof(t->result), "%s",
		    reply->reason);
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
	    .headers = headers, .is_post = true, .is_retry = t->pause_ms >
	    LEAST_PAUSE_MS, .body = body };
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
	t->pause_ms = LEAST_PAUSE_MS;
	writer_do(t->writer, write_done, t);
}

/* Wait, and keep the lease. False: it is time to stop. */
static bool
pause_for(struct hook_thread *t, int64_t ms)
{
	int64_t part;

	for (; ms > 0 && has_lease(t); ms -= part) {
		part = ms < LOOK_MS ? ms : LOOK_MS;
		if (!thread_turns_wait(&t->turns, part))
			return false;
	}
	return true;
}

/* False: it is time to stop. */
static bool
pause_after(struct hook_thread *t)
{
	warnf("run %lld: the webhook is not delivered yet: %s: trying again "
	    "in %g s",
	    (long long)t->hook.run, t->result, (double)t->pause_ms / 1000);
	if (!pause_for(t, t->pause_ms))
		return false;
	t->pause_ms = t->pause_ms * 2 < MOST_PAUSE_MS ? t->pause_ms * 2 :
	    MOST_PAUSE_MS;
	return true;
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
		return pause_after(t);
	}
	if (status == 0)	/* the run was removed */
		return true;
	if (!t->is_over)
		return false;
	if (!t->is_taken && !t->is_refused)
		return pause_after(t);
	end_delivery(t);
	return true;
}

/* Each that is due, so that none keeps the others from being told. */
static void *
hook_main(void *ctx)
{
	struct hook_thread *t = ctx;
	int64_t run = 0;
	struct why why;

	while (!thread_turns_is_stopping(&t->turns)) {
		if (has_lease(t) && store_hook_next(t->store, run, &t->hook,
		    &why) > 0) {
			run = t->hook.run;
			if (!tell(t))
				break;
			continue;
		}
		run = 0;
		if (!thread_turns_wait(&t->turns, LOOK_MS))
			break;
	}
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
	t->pause_ms = LEAST_PAUSE_MS;
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
	free(t);
}
