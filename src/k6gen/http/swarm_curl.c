/* SPDX-License-Identifier: MIT */
/* libcurl's multi interface on our epoll, and the times and bytes of its
 * requests. */
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel's own struct, as glibc's has no bytes. */
#include <linux/tcp.h>

#include "base/units.h"
#include "k6gen/http/swarm_priv.h"

void
swarm_curl_unregister(struct swarm *s, int fd)
{
	(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	s->watches[fd].events = 0;
}

/* An idle connection stays registered, so that its next request costs no
 * system call; take_event drops it when the server closes it. That is safe
 * only for sockets whose closing we see: a descriptor that curl closes by
 * itself (the resolver's) could come back under the same number. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *unused)
{
	struct swarm *s = ctx;
	struct watch *w = swarm_watch(s, fd);
	struct epoll_event e = { .data.fd = fd };
	int op = w->events != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	(void)easy;
	(void)unused;
	w->is_wanted = what != CURL_POLL_REMOVE;
	if (!w->is_wanted) {
		if (!w->is_ours)
			swarm_curl_unregister(s, fd);
		return 0;
	}
	e.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) |
	    (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
	if (e.events == w->events)
		return 0;
	w->events = e.events;
	if (epoll_ctl(s->epoll_fd, op, fd, &e) != 0 && (errno != ENOENT ||
	    epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0))
		s->error = errno;
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct swarm *s = ctx;

	(void)multi;
	s->timer_ns = timeout_ms < 0 ? -1 :
	    now_monotonic_ns() + timeout_ms * NS_PER_MS;
	return 0;
}

static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct user *u = ctx;
	int fd = a->socktype == SOCK_STREAM ? plain_give(u, &a->addr) : -1;

	(void)purpose;
	if (fd >= 0)
		return fd;
	fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	if (fd < 0) {
		u->os_error = errno;
		return CURL_SOCKET_BAD;
	}
	*swarm_watch(u->swarm, fd) = (struct watch){ .is_ours = true,
		.user = u };
	return fd;
}

static int
on_opened(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	struct user *u = ctx;

	(void)purpose;
	return swarm_watch(u->swarm, fd)->is_given
	    ? CURL_SOCKOPT_ALREADY_CONNECTED : CURL_SOCKOPT_OK;
}

bool
swarm_curl_bytes(int fd, struct swarm_bytes *bytes)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t n = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0)
		return false;
	bytes->sent = (int64_t)(info.tcpi_bytes_sent -
	    info.tcpi_bytes_retrans);
	/* The end of the stream counts as a byte there. */
	bytes->received = (int64_t)info.tcpi_bytes_received -
	    (info.tcpi_state == 8 /* CLOSE_WAIT */);
	return true;
}

/* Add to u what fd has moved since the last time. curl's own counts lack the
 * seals of TLS records and the frames of HTTP/2; the kernel's have all. */
static void
count_bytes(struct swarm *s, struct user *u, int fd)
{
	struct watch *w = swarm_watch(s, fd);
	struct swarm_bytes now;

	if (!w->is_ours || !swarm_curl_bytes(fd, &now))
		return;
	u->bytes.sent += now.sent - w->bytes.sent;
	if (now.received > w->bytes.received)
		u->bytes.received += now.received - w->bytes.received;
	w->bytes = now;
}

static int
close_socket(void *ctx, curl_socket_t fd)
{
	struct swarm *s = ctx;
	struct watch *w = swarm_watch(s, fd);

	if (w->user != NULL)
		count_bytes(s, w->user, fd);
	*w = (struct watch){ 0 };
	return close(fd);
}

/* The protocol version of the connection, as k6 writes it: tls1.3. It can be
 * asked for only while the request is under way. */
static void
note_tls_version(struct user *u)
{
	struct curl_tlssessioninfo *info = NULL;
	const char *name;

	u->tls_version[0] = '\0';
	if (curl_easy_getinfo(u->easy, CURLINFO_TLS_SSL_PTR, &info) !=
	    CURLE_OK || info == NULL || info->internals == NULL ||
	    info->backend != CURLSSLBACKEND_OPENSSL)
		return;
	name = SSL_get_version(info->internals);
	(void)snprintf(u->tls_version, sizeof(u->tls_version), "tls%s",
	    strcmp(name, "TLSv1") == 0 ? "1.0" :
	    strncmp(name, "TLSv", 4) == 0 ? name + 4 : name);
}

/* The connection is there, the request is about to be written. Comes again if
 * curl finds a kept connection dead and starts over. */
static int
on_ready(void *ctx, char *a, char *b, int c, int d)
{
	struct user *u = ctx;

	(void)a, (void)b, (void)c, (void)d;
	if (u->is_tls)
		note_tls_version(u);
	u->ready_ns = now_monotonic_ns();
	u->sent_ns = u->first_ns = 0;
	return CURL_PREREQFUNC_OK;
}

/* curl calls this just behind each send() and recv(). Only of what is not TCP
 * are bytes counted here. */
static int
on_traffic(CURL *easy, curl_infotype type, char *data, size_t n, void *ctx)
{
	struct user *u = ctx;
	bool counts = u->swarm->options->unix_socket != NULL;

	(void)easy;
	(void)data;
	switch (type) {
	case CURLINFO_HEADER_OUT:
	case CURLINFO_DATA_OUT:
		u->sent_ns = now_monotonic_ns();
		/* FALLTHROUGH */
	case CURLINFO_SSL_DATA_OUT:
		u->bytes.sent += counts ? (int64_t)n : 0;
		break;
	case CURLINFO_HEADER_IN:
	case CURLINFO_DATA_IN:
	case CURLINFO_SSL_DATA_IN:
		u->bytes.received += counts ? (int64_t)n : 0;
		break;
	default:
		break;
	}
	return 0;
}

static size_t
on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct user *u = ctx;

	(void)data;
	if (u->first_ns == 0)
		u->first_ns = now_monotonic_ns();
	return size * n;
}

/* A body that is longer than allowed fails by the wrong return value. */
static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct user *u = ctx;
	const struct swarm_options *o = u->swarm->options;
	size_t room = o->keep_body - u->body.n;

	n *= size;
	u->body_bytes += (int64_t)n;
	if (o->max_body > 0 && u->body_bytes > o->max_body)
		return 0;
	if (room > 0)
		buf_add(&u->body, data, n < room ? n : room);
	return n;
}

void
swarm_curl_watch(struct user *u)
{
	CURL *e = u->easy;

	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, u);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, u->error);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, u);
	(void)curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_opened);
	(void)curl_easy_setopt(e, CURLOPT_SOCKOPTDATA, u);
	(void)curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	(void)curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, u->swarm);
	(void)curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_ready);
	(void)curl_easy_setopt(e, CURLOPT_PREREQDATA, u);
	(void)curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_traffic);
	(void)curl_easy_setopt(e, CURLOPT_DEBUGDATA, u);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, u);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, u);
}

int
swarm_curl_init(struct swarm *s, struct why *why)
{
	s->timer_ns = -1;
	s->multi = curl_multi_init();
	s->shared = curl_share_init();
	if (s->multi == NULL || s->shared == NULL)
		return why_set(why, "libcurl is out of memory");
	(void)curl_share_setopt(s->shared, CURLSHOPT_SHARE,
	    CURL_LOCK_DATA_CONNECT);
	(void)curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s);
	(void)curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s);
	/* Of one user's pool: never close a connection to save room. */
	(void)curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, 1000000L);
	return 0;
}

/* The server closed a kept connection while the request was on its way. Go,
 * and so k6, then tries once more with a new one; it stays one request. */
static bool
repeat(struct user *u, CURLcode code)
{
	if (!u->may_repeat || u->first_ns != 0 || u->ready_ns == 0 ||
	    (swarm_info(u, CURLINFO_NUM_CONNECTS) > 0 && !u->was_given) ||
	    (code != CURLE_RECV_ERROR && code != CURLE_SEND_ERROR &&
	    code != CURLE_GOT_NOTHING))
		return false;
	u->may_repeat = u->was_given = false;
	(void)curl_multi_remove_handle(u->swarm->multi, u->easy);
	(void)curl_multi_add_handle(u->swarm->multi, u->easy);
	return true;
}

static void
finish(struct user *u, CURLcode code)
{
	struct swarm *s = u->swarm;
	struct swarm_reply r = { .user = (int)(u - s->users), .from = u };
	curl_socket_t fd = CURL_SOCKET_BAD;

	swarm_read_reply(u, code, &r);
	u->is_h2c = code == CURLE_OK && !u->is_tls &&
	    swarm_info(u, CURLINFO_HTTP_VERSION) == CURL_HTTP_VERSION_2_0;
	if (curl_easy_getinfo(u->easy, CURLINFO_ACTIVESOCKET, &fd) ==
	    CURLE_OK && fd != CURL_SOCKET_BAD)
		count_bytes(s, u, fd);
	(void)curl_multi_remove_handle(s->multi, u->easy);
	u->is_busy = false;
	s->done(s->ctx, &r);
}

void
swarm_curl_act(struct swarm *s, curl_socket_t fd, int what)
{
	struct user *u = NULL;
	CURLMsg *m;
	CURLcode code;
	int n;

	(void)curl_multi_socket_action(s->multi, fd, what, &n);
	while ((m = curl_multi_info_read(s->multi, &n)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		code = m->data.result;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &u);
		if (!repeat(u, code))
			finish(u, code);
	}
}
