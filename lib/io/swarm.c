/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The kernel's own struct, as glibc's has no bytes. */
#include <linux/tcp.h>

#include "base/units.h"
#include "io/swarm_priv.h"

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

static void
unregister(struct swarm *s, int fd)
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
			unregister(s, fd);
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
	int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

	(void)purpose;
	if (fd < 0) {
		u->os_error = errno;
		return CURL_SOCKET_BAD;
	}
	*swarm_watch(u->swarm, fd) = (struct watch){ .is_ours = true,
		.user = u };
	return fd;
}

/* Add to u what fd has moved since the last time. curl's own counts lack the
 * seals of TLS records and the frames of HTTP/2; the kernel's have all. */
static void
count_bytes(struct swarm *s, struct user *u, int fd)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t n = sizeof(info);
	struct watch *w = swarm_watch(s, fd);
	int64_t sent, received;

	if (!w->is_ours || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info,
	    &n) != 0)
		return;
	sent = (int64_t)(info.tcpi_bytes_sent - info.tcpi_bytes_retrans);
	/* The end of the stream counts as a byte there. */
	received = (int64_t)info.tcpi_bytes_received -
	    (info.tcpi_state == 8 /* CLOSE_WAIT */);
	u->bytes.sent += sent - w->bytes.sent;
	if (received > w->bytes.received)
		u->bytes.received += received - w->bytes.received;
	w->bytes = (struct swarm_bytes){ sent, received };
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

static bool
starts_with(const char *line, const char *prefix)
{
	return strncasecmp(line, prefix, strlen(prefix)) == 0;
}

bool
swarm_leaves_out(const char *line, unsigned leave_out)
{
	if (leave_out & SWARM_NO_SECRETS && (starts_with(line, "Cookie:") ||
	    starts_with(line, "Authorization:") ||
	    starts_with(line, "Proxy-Authorization:")))
		return true;
	return leave_out & SWARM_NO_CONTENT && starts_with(line, "Content-");
}

bool
swarm_has_header(const struct swarm_texts *t, const char *line)
{
	size_t i, n = strcspn(line, ":") + 1;

	for (i = 0; i < t->n; i++)
		if (strncasecmp(t->items[i], line, n) == 0)
			return true;
	return false;
}

static int
append(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return -1;
	*list = longer;
	return 0;
}

static int
append_all(struct curl_slist **list, const struct swarm_texts *t,
    const struct swarm_texts *instead, unsigned leave_out)
{
	int status = 0;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (!swarm_leaves_out(t->items[i], leave_out) &&
		    !swarm_has_header(instead, t->items[i]) &&
		    !starts_with(t->items[i], "Cookie:"))
			status |= append(list, t->items[i]);
	return status;
}

/* The cookies that a header names, which curl joins with those of its jar. */
static const char *
cookies_of(const struct swarm_texts *t)
{
	size_t i, n = sizeof("Cookie:") - 1;

	for (i = 0; i < t->n; i++)
		if (starts_with(t->items[i], "Cookie:"))
			return t->items[i] + n + strspn(t->items[i] + n, " ");
	return NULL;
}

/* The options' headers and a request's own. A line without a value takes away
 * what curl would add and k6 does not. Returns -1 when memory is out. */
static int
make_headers(struct curl_slist **list, const struct swarm_options *o,
    const struct swarm_texts *own, unsigned leave_out)
{
	static const struct swarm_texts none;
	int status = append_all(list, &o->headers, own, leave_out);

	status |= append_all(list, own, &none, leave_out);
	if (!swarm_has_header(&o->headers, "Expect:") && !swarm_has_header(own,
	    "Expect:"))
		status |= append(list, "Expect:");
	if (leave_out & SWARM_NO_CONTENT ||
	    (!swarm_has_header(&o->headers, "Content-Type:") &&
	    !swarm_has_header(own, "Content-Type:")))
		status |= append(list, "Content-Type:");
	return status;
}

static void
set_callbacks(struct user *u)
{
	CURL *e = u->easy;

	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, u);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, u->error);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, u);
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

static CURLcode
set_tls(CURL *e, const struct swarm_options *o)
{
	CURLcode code = CURLE_OK;

	if (o->ca_file != NULL)
		code |= curl_easy_setopt(e, CURLOPT_CAINFO, o->ca_file);
	if (o->cert_file != NULL)
		code |= curl_easy_setopt(e, CURLOPT_SSLCERT, o->cert_file);
	if (o->key_file != NULL)
		code |= curl_easy_setopt(e, CURLOPT_SSLKEY, o->key_file);
	if (o->is_insecure) {
		code |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
		code |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (o->is_session_new)
		code |= curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	return code;
}

/* Of curl's lists, which the user keeps. -1: no memory. */
static int
make_list(struct curl_slist **list, const struct swarm_texts *t)
{
	size_t i;
	int status = 0;

	for (i = 0; i < t->n; i++)
		status |= append(list, t->items[i]);
	return status;
}

static CURLcode
set_network(struct user *u, const struct swarm_options *o)
{
	static const long versions[] = {
		[SWARM_HTTP_OFFERED] = CURL_HTTP_VERSION_2TLS,
		[SWARM_HTTP_1] = CURL_HTTP_VERSION_1_1,
		[SWARM_HTTP_2] = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
	};
	CURL *e = u->easy;
	CURLcode code = curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
	    versions[o->http]);

	if (o->proxy != NULL)
		code |= curl_easy_setopt(e, CURLOPT_PROXY, o->proxy);
	if (o->unix_socket != NULL)
		code |= curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH,
		    o->unix_socket);
	if (o->source != NULL)
		code |= curl_easy_setopt(e, CURLOPT_INTERFACE, o->source);
	if (o->is_compressed)
		code |= curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "");
	if (o->keep == SWARM_KEEP_NONE)
		code |= curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	if (o->connect_to.n > 0)
		code |= curl_easy_setopt(e, CURLOPT_CONNECT_TO,
		    u->swarm->connect_to);
	if (o->resolve.n > 0)
		code |= curl_easy_setopt(e, CURLOPT_RESOLVE,
		    u->swarm->resolve);
	return code | curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT,
	    o->dns_ttl_ns < 0 ? -1L : (long)(o->dns_ttl_ns / NS_PER_S));
}

/* Connections are in a pool that only this user joins, or all: curl's own
 * pool belongs to the multi handle and would lend them to other users. */
static CURLSH *
pool_of(struct user *u)
{
	if (u->swarm->options->keep == SWARM_KEEP_SHARED)
		return u->swarm->shared;
	u->connections = curl_share_init();
	if (u->connections != NULL)
		(void)curl_share_setopt(u->connections, CURLSHOPT_SHARE,
		    CURL_LOCK_DATA_CONNECT);
	return u->connections;
}

/* Returns -1 when memory is out, or curl cannot do what is asked. */
static int
init_user(struct user *u, const struct swarm_options *o)
{
	CURLSH *pool = pool_of(u);
	CURL *e;

	u->easy = e = curl_easy_init();
	if (e == NULL || pool == NULL)
		return -1;
	(void)curl_easy_setopt(e, CURLOPT_SHARE, pool);
	set_callbacks(u);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	/* A redirect may lead to mailto:80: no host of that name. */
	(void)curl_easy_setopt(e, CURLOPT_DEFAULT_PROTOCOL, "none");
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)DIAL_MS);
	(void)curl_easy_setopt(e, CURLOPT_COOKIEFILE, "");
	(void)curl_easy_setopt(e, CURLOPT_USERAGENT, o->user_agent);
	return set_tls(e, o) == CURLE_OK && set_network(u, o) == CURLE_OK ?
	    0 : -1;
}

static int
init_epoll(struct swarm *s, struct why *why)
{
	struct epoll_event e = { .events = EPOLLIN };

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0)
		return why_set(why, "epoll: %s", strerror(errno));
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e.data.fd = s->wake_fd;
	if (s->wake_fd < 0 || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD,
	    s->wake_fd, &e) != 0)
		return why_set(why, "eventfd: %s", strerror(errno));
	return 0;
}

static int
init_multi(struct swarm *s, struct why *why)
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

static int
init(struct swarm *s, const struct swarm_options *o, struct why *why)
{
	static const struct swarm_texts none;
	int status = 0;
	unsigned i;

	if (init_epoll(s, why) < 0 || init_multi(s, why) < 0)
		return -1;
	for (i = 0; i < HEADER_SETS; i++)
		status |= make_headers(&s->headers[i], o, &none, i);
	status |= make_list(&s->connect_to, &o->connect_to);
	status |= make_list(&s->resolve, &o->resolve);
	for (; s->n_users < o->n_users && status == 0; s->n_users++) {
		s->users[s->n_users].swarm = s;
		status = init_user(&s->users[s->n_users], o);
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

static bool
wants_body(const struct swarm_request *r)
{
	return r->body.p != NULL || strcmp(r->method, "POST") == 0 ||
	    strcmp(r->method, "PUT") == 0 || strcmp(r->method, "PATCH") == 0;
}

static struct curl_slist *
headers_of(struct user *u, const struct swarm_request *r)
{
	curl_slist_free_all(u->headers);
	u->headers = NULL;
	if (r->headers.n == 0)
		return u->swarm->headers[r->leave_out];
	(void)make_headers(&u->headers, u->swarm->options, &r->headers,
	    r->leave_out);
	return u->headers;
}

/* curl 7.88 speaks HTTP/2 by prior knowledge only on a new connection (its
 * issue 10634); on a kept one it must not be told. */
static void
set_version(struct user *u)
{
	bool is_kept = u->is_h2c && u->swarm->options->keep !=
	    SWARM_KEEP_NONE;

	if (u->swarm->options->http == SWARM_HTTP_2 && !u->is_tls)
		(void)curl_easy_setopt(u->easy, CURLOPT_HTTP_VERSION,
		    is_kept ? (long)CURL_HTTP_VERSION_2_0 :
		    (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
}

static void
set_cookies(struct user *u, const struct swarm_request *r)
{
	const char *cookies = cookies_of(&r->headers);

	if (cookies == NULL)
		cookies = cookies_of(&u->swarm->options->headers);
	if (r->leave_out & SWARM_NO_SECRETS)
		cookies = NULL;
	(void)curl_easy_setopt(u->easy, CURLOPT_COOKIE, cookies);
}

static void
set_request(struct user *u, const struct swarm_request *r)
{
	CURL *e = u->easy;
	int64_t ms = (r->timeout_ns + NS_PER_MS - 1) / NS_PER_MS;

	(void)curl_easy_setopt(e, CURLOPT_URL, r->url);
	(void)curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	if (wants_body(r)) {
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)r->body.n);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS,
		    r->body.p != NULL ? r->body.p : "");
	} else if (strcmp(r->method, "HEAD") == 0) {
		(void)curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	}
	(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST,
	    strcmp(r->method, "GET") == 0 ? NULL : r->method);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers_of(u, r));
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS,
	    ms < INT32_MAX ? (long)ms : (long)INT32_MAX);
}

void
swarm_send(struct swarm *s, int user, const struct swarm_request *r)
{
	struct user *u = &s->users[user];

	u->is_busy = true;
	u->may_repeat = !wants_body(r) && (strcmp(r->method, "GET") == 0 ||
	    strcmp(r->method, "HEAD") == 0 ||
	    strcmp(r->method, "OPTIONS") == 0);
	u->is_tls = starts_with(r->url, "https:");
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
	set_version(u);
	set_cookies(u, r);
	set_request(u, r);
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

/* The server closed a kept connection while the request was on its way. Go,
 * and so k6, then tries once more with a new one; it stays one request. */
static bool
repeat(struct user *u, CURLcode code)
{
	if (!u->may_repeat || u->first_ns != 0 || u->ready_ns == 0 ||
	    swarm_info(u, CURLINFO_NUM_CONNECTS) > 0 ||
	    (code != CURLE_RECV_ERROR && code != CURLE_SEND_ERROR &&
	    code != CURLE_GOT_NOTHING))
		return false;
	u->may_repeat = false;
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

static void
act(struct swarm *s, curl_socket_t fd, int what)
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

static void
take_event(struct swarm *s, const struct epoll_event *e)
{
	int fd = e->data.fd, what = 0;
	uint64_t wakes;

	if (fd == s->wake_fd) {
		(void)!read(fd, &wakes, sizeof(wakes));
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
			unregister(s, fd);
		return;
	}
	if (e->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		what |= CURL_CSELECT_IN;
	if (e->events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (e->events & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	act(s, fd, what);
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
	uint64_t one = 1;

	(void)!write(s->wake_fd, &one, sizeof(one));
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
		act(s, CURL_SOCKET_TIMEOUT, 0);
	}
	if (s->error != 0)
		return why_set(why, "epoll: %s", strerror(s->error));
	return 0;
}
