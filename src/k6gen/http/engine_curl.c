/* SPDX-License-Identifier: MIT */
/* The engine for rare cases (proxies, compression, UNIX sockets and others):
 * libcurl's multi interface on the client's epoll. */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/units.h"
#include "k6gen/http/authority.h"
#include "k6gen/http/engine_curl_priv.h"

struct libcurl_socket *
libcurl_socket_of(struct libcurl_engine *e, int fd)
{
	size_t n = e->n_sockets;

	if ((size_t)fd >= n) {
		n = (size_t)fd + 64;
		e->sockets = xrealloc(e->sockets, n * sizeof(*e->sockets));
		memset(e->sockets + e->n_sockets, 0,
		    (n - e->n_sockets) * sizeof(*e->sockets));
		e->n_sockets = n;
	}
	return &e->sockets[fd];
}

static void
unregister(struct libcurl_engine *e, int fd)
{
	client_unwatch(e->engine.client, fd);
	libcurl_socket_of(e, fd)->events = 0;
}

/* An idle connection stays registered, so that its next request costs no
 * system call; libcurl_event drops it when the server closes it. That is safe
 * only for sockets whose closing we see: a descriptor that curl closes by
 * itself (the resolver's) could come back under the same number. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *unused)
{
	struct libcurl_engine *e = ctx;
	struct libcurl_socket *s = libcurl_socket_of(e, fd);
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) |
	    (what & CURL_POLL_OUT ? EPOLLOUT : 0U);

	(void)easy;
	(void)unused;
	s->is_wanted = what != CURL_POLL_REMOVE;
	if (!s->is_wanted) {
		if (!s->is_ours)
			unregister(e, fd);
		return 0;
	}
	if (events == s->events)
		return 0;
	s->events = events;
	if (!client_watch(e->engine.client, fd, events, &e->engine, NULL))
		client_fail(e->engine.client, errno);
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct libcurl_engine *e = ctx;

	(void)multi;
	e->timer_ns = timeout_ms < 0 ? -1 :
	    now_monotonic_ns() + timeout_ms * NS_PER_MS;
	return 0;
}

static int
make_multi(struct libcurl_engine *e)
{
	e->timer_ns = -1;
	e->multi = curl_multi_init();
	e->shared = curl_share_init();
	if (e->multi == NULL || e->shared == NULL)
		return -1;
	(void)curl_share_setopt(e->shared, CURLSHOPT_SHARE,
	    CURL_LOCK_DATA_CONNECT);
	(void)curl_multi_setopt(e->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(e->multi, CURLMOPT_SOCKETDATA, e);
	(void)curl_multi_setopt(e->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)curl_multi_setopt(e->multi, CURLMOPT_TIMERDATA, e);
	/* Of one user's pool: never close a connection to save room. */
	(void)curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, 1000000L);
	return 0;
}

static void
give_to_curl(struct libcurl_user *u)
{
	u->begun_ns = now_monotonic_ns();
	u->shaking_ns = 0;
	(void)curl_multi_add_handle(u->engine->multi, u->easy);
}

/* The server closed a kept connection while the request was on its way. Go,
 * and so k6, then tries once more with a new one; it stays one request. */
static bool
repeat_request(struct libcurl_user *u, CURLcode code)
{
	struct user *user = u->user;

	if (!user->may_repeat || user->first_ns != 0 || user->ready_ns == 0 ||
	    libcurl_info(u, CURLINFO_NUM_CONNECTS) > 0 ||
	    (code != CURLE_RECV_ERROR && code != CURLE_SEND_ERROR &&
	    code != CURLE_GOT_NOTHING))
		return false;
	user->may_repeat = false;
	user->ready_ns = user->sent_ns = 0;
	(void)curl_multi_remove_handle(u->engine->multi, u->easy);
	give_to_curl(u);
	return true;
}

/* libcurl takes three digits of HTTP/2 for a status, whatever they are. */
static bool
has_no_status(const struct libcurl_user *u)
{
	int64_t status = libcurl_info(u, CURLINFO_RESPONSE_CODE);

	return status < 100 || status > 999;
}

static void
end_request(struct libcurl_user *u, CURLcode code)
{
	struct http_reply r = { .user = u->user->number };
	curl_socket_t fd = CURL_SOCKET_BAD;
	char authority[AUTHORITY];
	const char *path;
	bool has_tls;

	if (code == CURLE_OK && has_no_status(u))
		code = CURLE_WEIRD_SERVER_REPLY;
	libcurl_fill_reply(u, code, &r);
	path = authority_split(u->user->request.url, authority, &has_tls);
	if (code == CURLE_OK && path != NULL)
		user_take_cookies(u->user, authority, path);
	u->is_h2c = code == CURLE_OK && !u->is_tls &&
	    libcurl_info(u, CURLINFO_HTTP_VERSION) == CURL_HTTP_VERSION_2_0;
	if (curl_easy_getinfo(u->easy, CURLINFO_ACTIVESOCKET, &fd) ==
	    CURLE_OK && fd != CURL_SOCKET_BAD)
		libcurl_count_bytes(u, fd);
	(void)curl_multi_remove_handle(u->engine->multi, u->easy);
	user_end_request(u->user, &r);
}

/* Let curl see to a descriptor, or the timer. */
static void
act_on(struct libcurl_engine *e, curl_socket_t fd, int what)
{
	struct libcurl_user *u = NULL;
	CURLMsg *m;
	CURLcode code;
	int n;

	(void)curl_multi_socket_action(e->multi, fd, what, &n);
	while ((m = curl_multi_info_read(e->multi, &n)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		code = m->data.result;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &u);
		if (!repeat_request(u, code))
			end_request(u, code);
	}
}

/* What a user needs of curl is made when the user first needs curl: most never
 * do. -1: no memory, or curl cannot do what is asked. */
static int
make_user(struct libcurl_engine *e, int number)
{
	struct libcurl_user *u = &e->users[number];

	if (u->easy != NULL)
		return 0;
	u->engine = e;
	u->user = &e->engine.users[number];
	return libcurl_set_up_user(u);
}

static bool
libcurl_send(struct engine *engine, struct user *user,
    const struct http_request *r)
{
	struct libcurl_engine *e = (struct libcurl_engine *)engine;
	struct libcurl_user *u = &e->users[user->number];

	if (make_user(e, user->number) < 0) {
		client_fail(engine->client, ENOMEM);
		return true;
	}
	u->is_tls = strncasecmp(r->url, "https:", 6) == 0;
	u->is_head_over = false;
	u->head_bytes = 0;
	u->error[0] = u->tls_version[0] = '\0';
	libcurl_set_up_request(u, r);
	give_to_curl(u);
	return true;
}

static void
libcurl_fill(struct engine *engine, struct user *user, int64_t now_ns,
    struct http_reply *r)
{
	struct libcurl_engine *e = (struct libcurl_engine *)engine;

	libcurl_fill_connection(&e->users[user->number], now_ns, r);
}

static void
libcurl_cancel(struct engine *engine, struct user *user)
{
	struct libcurl_engine *e = (struct libcurl_engine *)engine;

	(void)curl_multi_remove_handle(e->multi, e->users[user->number].easy);
}

static void
libcurl_event(struct engine *engine, int fd, void *of, uint32_t events)
{
	struct libcurl_engine *e = (struct libcurl_engine *)engine;
	int what = 0;

	(void)of;
	/* Idle and now at its end: curl sees that when it wants the
	 * connection again. */
	if (!libcurl_socket_of(e, fd)->is_wanted) {
		if (e->sockets[fd].events != 0)
			unregister(e, fd);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		what |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	act_on(e, fd, what);
}

static int64_t
libcurl_due_ns(const struct engine *engine)
{
	const struct libcurl_engine *e = (const struct libcurl_engine *)engine;

	return e->timer_ns >= 0 ? e->timer_ns : INT64_MAX;
}

static void
libcurl_tick(struct engine *engine, int64_t now_ns)
{
	struct libcurl_engine *e = (struct libcurl_engine *)engine;

	if (now_ns < e->timer_ns)
		return;
	e->timer_ns = -1;
	act_on(e, CURL_SOCKET_TIMEOUT, 0);
}

static void
libcurl_free(struct engine *engine)
{
	struct libcurl_engine *e = (struct libcurl_engine *)engine;
	int i;

	for (i = 0; i < engine->n_users; i++) {
		curl_easy_cleanup(e->users[i].easy);
		(void)curl_share_cleanup(e->users[i].connections);
		curl_slist_free_all(e->users[i].headers);
	}
	(void)curl_multi_cleanup(e->multi);
	(void)curl_share_cleanup(e->shared);
	curl_slist_free_all(e->connect_to);
	curl_slist_free_all(e->resolve);
	for (i = 0; i < HEADER_SETS; i++)
		curl_slist_free_all(e->headers[i]);
	free(e->users);
	free(e->sockets);
	free(e);
	curl_global_cleanup();
}

static const struct engine_ops libcurl_ops = {
	.send = libcurl_send, .fill = libcurl_fill, .cancel = libcurl_cancel,
	.event = libcurl_event, .due_ns = libcurl_due_ns,
	.tick = libcurl_tick, .free = libcurl_free,
};

struct engine *
engine_curl_new(const struct engine *base, struct why *why)
{
	struct libcurl_engine *e;
	int status;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		(void)why_set(why, "libcurl cannot start");
		return NULL;
	}
	e = xcalloc(1, sizeof(*e));
	e->engine = *base;
	e->engine.ops = &libcurl_ops;
	e->users = xcalloc((size_t)base->n_users, sizeof(*e->users));
	status = make_multi(e);
	if (status < 0)
		(void)why_set(why, "libcurl is out of memory");
	else if ((status = libcurl_make_lists(e)) < 0 ||
	    (status = make_user(e, 0)) < 0)
		(void)why_set(why, "libcurl cannot do what is asked");
	if (status == 0)
		return &e->engine;
	libcurl_free(&e->engine);
	return NULL;
}
