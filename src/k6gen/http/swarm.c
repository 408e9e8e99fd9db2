/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"
#include "base/units.h"
#include "k6gen/http/swarm_priv.h"

enum { EVENTS = 256 };		/* taken from the kernel at a time */

struct watch *
swarm_watch(struct swarm *s, int fd)
{
	size_t n = s->n_watches;

	if ((size_t)fd >= n) {
		n = (size_t)fd + 64;
		s->watches = xrealloc(s->watches, n * sizeof(*s->watches));
		memset(s->watches + s->n_watches, 0,
		    (n - s->n_watches) * sizeof(*s->watches));
		s->n_watches = n;
	}
	return &s->watches[fd];
}

static int
init_epoll(struct swarm *s, struct why *why)
{
	struct epoll_event e = { .events = EPOLLIN };

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0)
		return why_set(why, "epoll: %s", strerror(errno));
	s->wake_fd = thread_bell_open();
	e.data.fd = s->wake_fd;
	if (s->wake_fd < 0 || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD,
	    s->wake_fd, &e) != 0)
		return why_set(why, "eventfd: %s", strerror(errno));
	return 0;
}

static int
init(struct swarm *s, const struct swarm_options *o, struct why *why)
{
	static const struct swarm_texts none;
	int status = 0;
	unsigned i;

	if (init_epoll(s, why) < 0 || swarm_curl_init(s, why) < 0)
		return -1;
	for (i = 0; i < HEADER_SETS; i++)
		status |= swarm_setup_headers(&s->headers[i], o, &none, i);
	status |= swarm_setup_list(&s->connect_to, &o->connect_to);
	status |= swarm_setup_list(&s->resolve, &o->resolve);
	for (; s->n_users < o->n_users && status == 0; s->n_users++) {
		s->users[s->n_users].swarm = s;
		status = swarm_setup_user(&s->users[s->n_users], o);
	}
	return status == 0 ? 0 : why_set(why,
	    "libcurl cannot make %d users", o->n_users);
}

struct swarm *
swarm_new(const struct swarm_options *o, swarm_done *done, void *ctx,
    struct why *why)
{
	struct swarm *s;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		(void)why_set(why, "libcurl cannot start");
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	*s = (struct swarm){ .options = o, .epoll_fd = -1, .wake_fd = -1,
		.done = done, .ctx = ctx };
	s->users = xcalloc((size_t)o->n_users, sizeof(*s->users));
	plain_init(s);
	if (init(s, o, why) == 0)
		return s;
	swarm_free(s);
	return NULL;
}

void
swarm_free(struct swarm *s)
{
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n_users; i++) {
		swarm_cancel(s, i);
		curl_easy_cleanup(s->users[i].easy);
		(void)curl_share_cleanup(s->users[i].connections);
		curl_slist_free_all(s->users[i].headers);
		plain_release_user(&s->users[i]);
		buf_release(&s->users[i].body);
	}
	plain_release(s);
	(void)curl_multi_cleanup(s->multi);
	(void)curl_share_cleanup(s->shared);
	curl_slist_free_all(s->connect_to);
	curl_slist_free_all(s->resolve);
	for (i = 0; i < HEADER_SETS; i++)
		curl_slist_free_all(s->headers[i]);
	if (s->epoll_fd >= 0)
		(void)close(s->epoll_fd);
	if (s->wake_fd >= 0)
		(void)close(s->wake_fd);
	free(s->users);
	free(s->watches);
	free(s);
	curl_global_cleanup();
}

void
swarm_send(struct swarm *s, int user, const struct swarm_request *r)
{
	struct user *u = &s->users[user];

	u->is_busy = true;
	u->may_repeat = !swarm_wants_body(r) && (strcmp(r->method, "GET") == 0 ||
	    strcmp(r->method, "HEAD") == 0 ||
	    strcmp(r->method, "OPTIONS") == 0);
	u->is_tls = strncasecmp(r->url, "https:", 6) == 0;
	u->os_error = 0;
	u->body_bytes = 0;
	buf_reset(&u->body);
	u->error[0] = u->tls_version[0] = '\0';
	u->timeout_ns = r->timeout_ns;
	u->ready_ns = u->sent_ns = u->first_ns = 0;
	u->start_ns = now_monotonic_ns();
	u->is_plain = plain_send(u, r);
	if (u->is_plain)
		return;
	u->is_curled = true;
	swarm_setup_request(u, r);
	(void)curl_multi_add_handle(s->multi, u->easy);
}

void
swarm_cancel(struct swarm *s, int user)
{
	struct user *u = &s->users[user];

	if (u->is_busy && u->is_plain)
		plain_cancel(u);
	else if (u->is_busy)
		(void)curl_multi_remove_handle(s->multi, u->easy);
	u->is_busy = false;
}

void
swarm_forget(struct swarm *s, int user)
{
	if (s->users[user].is_curled || s->users[user].has_cookies)
		(void)curl_easy_setopt(s->users[user].easy,
		    CURLOPT_COOKIELIST, "ALL");
}

struct swarm_bytes
swarm_bytes(const struct swarm *s, int user)
{
	return s->users[user].bytes;
}

static void
take_event(struct swarm *s, const struct epoll_event *e)
{
	int fd = e->data.fd, what = 0;

	if (fd == s->wake_fd) {
		thread_bell_clear(fd);
		return;
	}
	if (swarm_watch(s, fd)->conn != NULL) {
		plain_event(s->watches[fd].user, s->watches[fd].conn,
		    e->events);
		return;
	}
	/* Closed, or idle and now at its end: curl sees that when it wants
	 * the connection again. */
	if (!swarm_watch(s, fd)->is_wanted) {
		if (s->watches[fd].events != 0)
			swarm_curl_unregister(s, fd);
		return;
	}
	if (e->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		what |= CURL_CSELECT_IN;
	if (e->events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (e->events & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	swarm_curl_act(s, fd, what);
}

/* Of what is to be waited, and the engines' timers. */
static int64_t
until(const struct swarm *s, int64_t wait_ns)
{
	int64_t due = plain_due_ns(s), left;

	if (s->timer_ns >= 0 && s->timer_ns < due)
		due = s->timer_ns;
	if (due != INT64_MAX) {
		left = due - now_monotonic_ns();
		if (left < wait_ns)
			wait_ns = left;
	}
	return wait_ns > 0 ? wait_ns : 0;
}

/* To the nanosecond where the kernel can (5.11), as starts by the clock want
 * it; else rounded up to a millisecond. */
static int
wait_events(struct swarm *s, struct epoll_event *events, int64_t wait_ns)
{
	struct timespec t = { wait_ns / NS_PER_S, wait_ns % NS_PER_S };
	int n = -1;

	if (!s->is_coarse)
		n = epoll_pwait2(s->epoll_fd, events, EVENTS, &t, NULL);
	if (!s->is_coarse && (n >= 0 || errno != ENOSYS))
		return n;
	s->is_coarse = true;
	wait_ns = (wait_ns + NS_PER_MS - 1) / NS_PER_MS;
	return epoll_wait(s->epoll_fd, events, EVENTS,
	    wait_ns < INT32_MAX ? (int)wait_ns : INT32_MAX);
}

void
swarm_wake(struct swarm *s)
{
	thread_bell_ring(s->wake_fd);
}

int
swarm_wait(struct swarm *s, int64_t wait_ns, struct why *why)
{
	struct epoll_event events[EVENTS];
	int i, n;

	n = wait_events(s, events, until(s, wait_ns));
	if (n < 0 && errno != EINTR)
		return why_set(why, "epoll: %s", strerror(errno));
	for (i = 0; i < n; i++)
		take_event(s, &events[i]);
	if (s->n_ended > 0 || s->lookups != NULL || s->sweep_ns != INT64_MAX)
		plain_tick(s, now_monotonic_ns());
	if (s->timer_ns >= 0 && now_monotonic_ns() >= s->timer_ns) {
		s->timer_ns = -1;
		swarm_curl_act(s, CURL_SOCKET_TIMEOUT, 0);
	}
	if (s->error != 0)
		return why_set(why, "epoll: %s", strerror(s->error));
	return 0;
}
