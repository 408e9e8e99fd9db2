/* SPDX-License-Identifier: MIT */
/* The users of one thread: chooses the engine for each request, and gives the
 * events of epoll and the clock to the engines. */
#include "k6gen/http/client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"
#include "base/units.h"
#include "k6gen/http/authority.h"
#include "k6gen/http/engine.h"
#include "k6gen/http/header.h"

enum { EVENTS = 256 };		/* taken from the kernel at a time */

/* In the order in which they are offered a request. */
static struct engine *(*const engines[])(const struct engine *base,
    struct why *why) = { engine_direct_new, engine_curl_new };

enum { ENGINES = sizeof(engines) / sizeof(engines[0]) };

/* Who wants to know of a descriptor. */
struct watch {
	struct engine *engine;	/* NULL: nobody */
	void *of;
	uint32_t events;	/* registered */
};

struct client {
	int epoll_fd;
	int bell;		/* client_wake rings it */
	bool is_coarse;		/* the kernel waits in milliseconds only */
	int error;		/* errno of epoll_ctl */
	struct engine *engines[ENGINES];
	struct user *users;
	int n_users;
	struct watch *watches;	/* by descriptor */
	size_t n_watches;
	client_done *done;
	void *ctx;
};

static struct watch *
watch_of(struct client *c, int fd)
{
	size_t n = c->n_watches;

	if ((size_t)fd >= n) {
		n = (size_t)fd + 64;
		c->watches = xrealloc(c->watches, n * sizeof(*c->watches));
		memset(c->watches + c->n_watches, 0,
		    (n - c->n_watches) * sizeof(*c->watches));
		c->n_watches = n;
	}
	return &c->watches[fd];
}

bool
client_watch(struct client *c, int fd, uint32_t events, struct engine *e,
    void *of)
{
	struct watch *w = watch_of(c, fd);
	struct epoll_event event = { .events = events, .data.fd = fd };
	int op = w->events != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	*w = (struct watch){ e, of, events };
	return epoll_ctl(c->epoll_fd, op, fd, &event) == 0 ||
	    (errno == ENOENT &&
	    epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0);
}

void
client_unwatch(struct client *c, int fd)
{
	(void)epoll_ctl(c->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	*watch_of(c, fd) = (struct watch){ .engine = NULL };
}

void
client_close(struct client *c, int fd)
{
	*watch_of(c, fd) = (struct watch){ .engine = NULL };
	(void)close(fd);
}

void
client_fail(struct client *c, int error)
{
	c->error = error;
}

static int
init_epoll(struct client *c, struct why *why)
{
	struct epoll_event e = { .events = EPOLLIN };

	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll_fd < 0)
		return why_set(why, "epoll: %s", strerror(errno));
	c->bell = thread_bell_open();
	e.data.fd = c->bell;
	if (c->bell < 0 || epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD,
	    c->bell, &e) != 0)
		return why_set(why, "eventfd: %s", strerror(errno));
	return 0;
}

struct client *
client_new(const struct http_options *o, int n_users, client_done *done,
    void *ctx, struct why *why)
{
	struct client *c = xcalloc(1, sizeof(*c));
	struct engine base = { .client = c, .options = o,
		.n_users = n_users };
	int i, status;

	*c = (struct client){ .epoll_fd = -1, .bell = -1, .done = done,
		.ctx = ctx, .n_users = n_users };
	c->users = base.users = xcalloc((size_t)n_users, sizeof(*c->users));
	for (i = 0; i < n_users; i++) {
		c->users[i].client = c;
		c->users[i].number = i;
	}
	status = init_epoll(c, why);
	for (i = 0; i < ENGINES && status == 0; i++) {
		c->engines[i] = engines[i](&base, why);
		if (c->engines[i] == NULL)
			status = -1;
	}
	if (status == 0)
		return c;
	client_free(c);
	return NULL;
}

void
client_free(struct client *c)
{
	int i;

	if (c == NULL)
		return;
	for (i = 0; i < c->n_users; i++)
		client_cancel(c, i);
	for (i = 0; i < ENGINES; i++)
		if (c->engines[i] != NULL)
			c->engines[i]->ops->free(c->engines[i]);
	for (i = 0; i < c->n_users; i++) {
		buf_release(&c->users[i].headers);
		buf_release(&c->users[i].location);
		buf_release(&c->users[i].body);
		buf_release(&c->users[i].url);
		jar_release(&c->users[i].jar);
	}
	if (c->epoll_fd >= 0)
		(void)close(c->epoll_fd);
	if (c->bell >= 0)
		(void)close(c->bell);
	free(c->users);
	free(c->watches);
	free(c);
}

static bool
can_repeat(const struct http_request *r)
{
	return !header_wants_body(r) && (strcmp(r->method, "GET") == 0 ||
	    strcmp(r->method, "HEAD") == 0 ||
	    strcmp(r->method, "OPTIONS") == 0);
}

void
client_send(struct client *c, int user, const struct http_request *r)
{
	struct user *u = &c->users[user];
	int i;

	u->request = *r;
	if (authority_to_ascii(r->url, &u->url))
		u->request.url = u->url.p;
	u->may_repeat = can_repeat(r);
	u->os_error = 0;
	u->body_bytes = 0;
	buf_reset(&u->headers);
	buf_reset(&u->body);
	u->timeout_ns = r->timeout_ns;
	u->ready_ns = u->sent_ns = u->first_ns = u->last_ns = u->read_ns = 0;
	u->connecting_ns = u->handshaking_ns = 0;
	u->start_ns = now_monotonic_ns();
	/* The last one accepts everything. */
	for (i = 0; i < ENGINES; i++) {
		u->engine = c->engines[i];
		if (u->engine->ops->send(u->engine, u, &u->request))
			return;
	}
}

void
client_cancel(struct client *c, int user)
{
	struct user *u = &c->users[user];

	if (u->engine != NULL)
		u->engine->ops->cancel(u->engine, u);
	u->engine = NULL;
}

bool
client_abandon(struct client *c, int user, struct http_reply *reply)
{
	struct user *u = &c->users[user];

	if (u->engine == NULL)
		return false;
	*reply = (struct http_reply){ .user = user };
	u->engine->ops->fill(u->engine, u, now_monotonic_ns(), reply);
	user_fill_reply(u, FAILURE_UNANSWERED, reply);
	client_cancel(c, user);
	return true;
}

void
client_forget_cookies(struct client *c, int user)
{
	jar_empty(&c->users[user].jar);
}

struct http_bytes
client_bytes(const struct client *c, int user)
{
	return c->users[user].bytes;
}

void
user_end_request(struct user *u, const struct http_reply *reply)
{
	struct client *c = u->client;

	u->engine = NULL;
	c->done(c->ctx, reply);
}

static void
take_event(struct client *c, const struct epoll_event *event)
{
	int fd = event->data.fd;
	struct watch *w;

	if (fd == c->bell) {
		thread_bell_clear(fd);
		return;
	}
	w = watch_of(c, fd);
	if (w->engine != NULL)
		w->engine->ops->event(w->engine, fd, w->of, event->events);
}

/* Of what is to be waited, and the engines' timers. */
static int64_t
until(const struct client *c, int64_t wait_ns)
{
	int64_t due = INT64_MAX, ns;
	int i;

	for (i = 0; i < ENGINES; i++) {
		ns = c->engines[i]->ops->due_ns(c->engines[i]);
		if (ns < due)
			due = ns;
	}
	if (due != INT64_MAX) {
		ns = due - now_monotonic_ns();
		if (ns < wait_ns)
			wait_ns = ns;
	}
	return wait_ns > 0 ? wait_ns : 0;
}

/* To the nanosecond where the kernel can (5.11), as starts by the clock want
 * it; else rounded up to a millisecond. */
static int
wait_events(struct client *c, struct epoll_event *events, int64_t wait_ns)
{
	struct timespec t = { wait_ns / NS_PER_S, wait_ns % NS_PER_S };
	int n = -1;

	if (!c->is_coarse)
		n = epoll_pwait2(c->epoll_fd, events, EVENTS, &t, NULL);
	if (!c->is_coarse && (n >= 0 || errno != ENOSYS))
		return n;
	c->is_coarse = true;
	wait_ns = (wait_ns + NS_PER_MS - 1) / NS_PER_MS;
	return epoll_wait(c->epoll_fd, events, EVENTS,
	    wait_ns < INT32_MAX ? (int)wait_ns : INT32_MAX);
}

void
client_wake(struct client *c)
{
	thread_bell_ring(c->bell);
}

int
client_wait(struct client *c, int64_t wait_ns, struct why *why)
{
	struct epoll_event events[EVENTS];
	struct engine *e;
	int i, n;

	n = wait_events(c, events, until(c, wait_ns));
	if (n < 0 && errno != EINTR)
		return why_set(why, "epoll: %s", strerror(errno));
	for (i = 0; i < n; i++)
		take_event(c, &events[i]);
	for (i = 0; i < ENGINES; i++) {
		e = c->engines[i];
		if (e->ops->due_ns(e) != INT64_MAX)
			e->ops->tick(e, now_monotonic_ns());
	}
	if (c->error != 0)
		return why_set(why, "epoll: %s", strerror(c->error));
	return 0;
}
