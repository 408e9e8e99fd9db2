/* SPDX-License-Identifier: MIT */
/* Plain HTTP/1.1 over TCP, the quick way; see swarm_priv.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/units.h"
#include "k6gen/http/swarm_priv.h"

enum { READ_BYTES = 1 << 16 };

/* curl's rules for proxies apply where there may be one. */
static bool
has_proxy(const struct swarm_options *o)
{
	static const char *const names[] = { "http_proxy", "all_proxy",
		"ALL_PROXY" };
	size_t i;

	if (o->proxy != NULL)
		return o->proxy[0] != '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]) != NULL)
			return true;
	return false;
}

void
plain_init(struct swarm *s)
{
	static const struct swarm_texts none;
	const struct swarm_options *o = s->options;
	unsigned i;

	s->can_plain = o->http != SWARM_HTTP_2 &&
	    o->keep != SWARM_KEEP_SHARED && !has_proxy(o) &&
	    o->unix_socket == NULL && o->source == NULL &&
	    o->connect_to.n == 0 && o->resolve.n == 0 && !o->is_compressed &&
	    !http_is_special(&o->headers);
	s->sweep_ns = INT64_MAX;
	s->ended = xcalloc((size_t)o->n_users, sizeof(*s->ended));
	for (i = 0; i < HEADER_SETS; i++) {
		http_lines(o, &none, i, &s->heads[i]);
		s->has_host[i] = swarm_has_header(&o->headers, "Host:");
	}
}

void
plain_release(struct swarm *s)
{
	unsigned i;

	names_release(s);
	free(s->ended);
	for (i = 0; i < HEADER_SETS; i++)
		buf_release(&s->heads[i]);
}

static void
close_conn(struct user *u, struct conn *c)
{
	if (c->fd > 0) {
		*swarm_watch(u->swarm, c->fd) = (struct watch){ 0 };
		(void)close(c->fd);
	}
	c->fd = 0;
	c->is_connected = c->is_closing = false;
}

void
plain_release_user(struct user *u)
{
	int i;

	for (i = 0; i < ORIGINS; i++)
		close_conn(u, &u->conns[i]);
	if (u->exchange == NULL)
		return;
	buf_release(&u->exchange->head);
	buf_release(&u->exchange->fields);
	buf_release(&u->exchange->location);
	free(u->exchange);
}

/* Take http://host[:port] apart if it is of the plain kind; curl knows how to
 * treat the others. Returns the path in it, or NULL. */
static const char *
split_url(const char *url, char authority[AUTHORITY])
{
	const char *from = url + sizeof("http://") - 1, *path, *p;
	size_t n;

	if (strncmp(url, "http://", sizeof("http://") - 1) != 0)
		return NULL;
	path = from + strcspn(from, "/?#");
	n = (size_t)(path - from);
	if (n == 0 || n > AUTHORITY - 8 || strstr(path, "/.") != NULL)
		return NULL;
	for (p = from; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f ||
		    *p == '#' || *p == '\\' || (p < path && (*p == '@' ||
		    *p == '%')))
			return NULL;
	memcpy(authority, from, n);
	authority[n] = '\0';
	p = strrchr(authority, ':');
	if (p == NULL || p < (strrchr(authority, ']') != NULL ?
	    strrchr(authority, ']') : authority))
		memcpy(authority + n, ":80", sizeof(":80"));
	else if (p[1] == '\0')
		return NULL;
	return path;
}

/* The user's connection to the authority, or NULL. */
static struct conn *
conn_to(struct user *u, const char *authority)
{
	struct conn *c;

	for (c = u->conns; c < u->conns + ORIGINS; c++)
		if (c->fd > 0 && strcmp(c->authority, authority) == 0)
			return c;
	return NULL;
}

/* The same, or one to make it with: an empty one, or the one that was used
 * longest ago. */
static struct conn *
conn_for(struct user *u, const char *authority)
{
	struct conn *oldest = &u->conns[0], *c = conn_to(u, authority);
	int i;

	if (c != NULL)
		return c;
	for (i = 0; i < ORIGINS; i++) {
		c = &u->conns[i];
		if (c->fd <= 0 ? oldest->fd > 0 :
		    oldest->fd > 0 && c->used_ns < oldest->used_ns)
			oldest = c;
	}
	close_conn(u, oldest);
	return oldest;
}

/* The request is over: is told by swarm_wait, as nobody expects a reply from
 * within swarm_send. */
static void
end_later(struct user *u, CURLcode code)
{
	u->ended = code;
	u->swarm->ended[u->swarm->n_ended++] = (int)(u - u->swarm->users);
}

static void
end(struct user *u, CURLcode code)
{
	struct swarm *s = u->swarm;
	struct exchange *x = u->exchange;
	struct conn *c = x->conn;
	struct swarm_reply r = { .user = (int)(u - s->users), .from = u };

	swarm_read_reply(u, code, &r);
	if (c != NULL && (code != CURLE_OK || c->is_closing ||
	    s->options->keep == SWARM_KEEP_NONE ||
	    !http_should_keep_alive(&x->parser)))
		close_conn(u, c);
	else if (c != NULL)
		c->used_ns = u->start_ns;
	x->conn = NULL;
	u->is_busy = false;
	s->done(s->ctx, &r);
}

static void
note_deadline(struct swarm *s, int64_t ns)
{
	if (ns < s->sweep_ns)
		s->sweep_ns = ns;
}

/* Send what is left of the request. Edge-triggered: epoll tells when there is
 * room again. */
static CURLcode
send_rest(struct user *u)
{
	struct exchange *x = u->exchange;
	size_t all = x->head.n + x->body.n, from;
	struct iovec parts[2];
	struct msghdr m = { .msg_iov = parts };
	ssize_t n;

	while (x->sent < all) {
		m.msg_iovlen = 0;
		if (x->sent < x->head.n)
			parts[m.msg_iovlen++] = (struct iovec){
				x->head.p + x->sent, x->head.n - x->sent };
		from = x->sent > x->head.n ? x->sent - x->head.n : 0;
		if (x->body.n > from)
			parts[m.msg_iovlen++] = (struct iovec){
				(char *)x->body.p + from, x->body.n - from };
		n = sendmsg(x->conn->fd, &m, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return CURLE_OK;
		if (n < 0) {
			u->os_error = errno;
			return CURLE_SEND_ERROR;
		}
		x->sent += (size_t)n;
		u->bytes.sent += n;
		u->sent_ns = now_monotonic_ns();
	}
	return CURLE_OK;
}

static CURLcode
begin_exchange(struct user *u, int64_t now_ns)
{
	http_begin(u);
	u->exchange->sent = 0;
	u->ready_ns = now_ns;
	u->sent_ns = u->first_ns = 0;
	return send_rest(u);
}

static int
open_socket(struct user *u, struct conn *c)
{
	const struct address *a = &c->host->addresses[c->address];
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP |
	    EPOLLET };
	int one = 1, fd;

	fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* 0 means "no descriptor" here. */
	if (fd == 0) {
		errno = EMFILE;
		return -1;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	*swarm_watch(u->swarm, fd) = (struct watch){ .user = u, .conn = c };
	c->fd = fd;
	e.data.fd = fd;
	if (epoll_ctl(u->swarm->epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&a->sa, a->n) != 0 &&
	    errno != EINPROGRESS)
		return -1;
	return 0;
}

/* Try the host's addresses from the connection's on. */
static CURLcode
dial(struct user *u, struct conn *c)
{
	for (; c->address < c->host->n; c->address++) {
		if (open_socket(u, c) == 0)
			return CURLE_OK;
		u->os_error = errno;
		close_conn(u, c);
	}
	return CURLE_COULDNT_CONNECT;
}

static CURLcode
connect_to(struct user *u, const struct host *h)
{
	struct exchange *x = u->exchange;
	struct conn *c = conn_for(u, x->authority);

	x->conn = c;
	x->is_reused = false;
	x->connect_ns = now_monotonic_ns();
	c->host = h;
	c->address = 0;
	c->ip[0] = '\0';
	memcpy(c->authority, x->authority, sizeof(c->authority));
	note_deadline(u->swarm, x->connect_ns + DIAL_MS * NS_PER_MS);
	return h->n > 0 ? dial(u, c) : CURLE_COULDNT_RESOLVE_HOST;
}

static CURLcode
connect_anew(struct user *u)
{
	struct host *h = names_find(u->swarm, u->exchange->authority);

	if (h->is_known)
		return connect_to(u, h);
	u->exchange->conn = NULL;
	return CURLE_OK;
}

bool
plain_send(struct user *u, const struct swarm_request *r)
{
	struct swarm *s = u->swarm;
	char authority[AUTHORITY];
	const char *path;
	struct exchange *x;
	struct conn *c;
	CURLcode code;

	u->given = NULL;
	u->was_given = false;
	path = s->can_plain ? split_url(r->url, authority) : NULL;
	if (path != NULL && u->has_cookies)
		u->given = conn_to(u, authority);
	if (path == NULL || u->has_cookies || (r->headers.n > 0 &&
	    http_is_special(&r->headers)) || strcmp(r->method,
	    "CONNECT") == 0)
		return false;
	if (u->exchange == NULL)
		u->exchange = xcalloc(1, sizeof(*u->exchange));
	x = u->exchange;
	x->path = path;
	x->body = r->body.p != NULL ? r->body : (struct span){ "", 0 };
	x->is_head = strcmp(r->method, "HEAD") == 0;
	memcpy(x->authority, authority, sizeof(authority));
	x->deadline_ns = u->start_ns + r->timeout_ns;
	x->connect_ns = 0;
	note_deadline(s, x->deadline_ns);
	http_head(u, r);
	c = conn_for(u, authority);
	x->is_reused = c->fd > 0;
	x->conn = c;
	/* A write that fails is a dead connection: the event says so. */
	code = x->is_reused ? begin_exchange(u, now_monotonic_ns()) :
	    connect_anew(u);
	if (code != CURLE_OK && x->is_reused && u->may_repeat) {
		u->may_repeat = false;
		close_conn(u, c);
		code = connect_anew(u);
	}
	if (code != CURLE_OK)
		end_later(u, code);
	return true;
}

static bool
is_same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return a4->sin_port == b4->sin_port &&
		    a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a->sa_family == AF_INET6 && a6->sin6_port == b6->sin6_port &&
	    memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0;
}

int
plain_give(struct user *u, const struct sockaddr *to)
{
	struct conn *c = u->given;
	struct watch w = { .is_ours = true, .is_given = true, .user = u };
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);
	int fd;

	if (c == NULL || c->fd <= 0 || !c->is_connected || c->is_closing ||
	    getpeername(c->fd, (struct sockaddr *)&peer, &n) != 0 ||
	    !is_same_address((const struct sockaddr *)&peer, to) ||
	    !swarm_curl_bytes(c->fd, &w.bytes))
		return -1;
	fd = c->fd;
	swarm_curl_unregister(u->swarm, fd);
	*swarm_watch(u->swarm, fd) = w;
	c->fd = 0;
	c->is_connected = false;
	u->given = NULL;
	u->was_given = true;
	return fd;
}

void
plain_cancel(struct user *u)
{
	struct swarm *s = u->swarm;
	int i;

	if (u->exchange->conn != NULL)
		close_conn(u, u->exchange->conn);
	u->exchange->conn = NULL;
	for (i = 0; i < s->n_ended; i++)
		if (s->ended[i] == (int)(u - s->users))
			s->ended[i] = s->ended[--s->n_ended];
}

/* The server closed a kept connection while the request was on its way. Go,
 * and so k6, then tries once more with a new one; it stays one request. */
static bool
repeat(struct user *u, CURLcode code)
{
	struct exchange *x = u->exchange;

	if (!u->may_repeat || !x->is_reused || u->first_ns != 0 ||
	    (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR &&
	    code != CURLE_GOT_NOTHING))
		return false;
	u->may_repeat = false;
	close_conn(u, x->conn);
	code = connect_anew(u);
	if (code != CURLE_OK)
		end(u, code);
	return true;
}

static void
fail(struct user *u, CURLcode code)
{
	if (!repeat(u, code))
		end(u, code);
}

/* Read what there is. Edge-triggered: until there is no more. Returns false
 * once the request is over. */
static bool
receive(struct user *u)
{
	struct exchange *x = u->exchange;
	char bytes[READ_BYTES];
	CURLcode code;
	ssize_t n;

	for (;;) {
		n = recv(x->conn->fd, bytes, sizeof(bytes), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			u->os_error = errno;
			fail(u, CURLE_RECV_ERROR);
			return false;
		}
		if (n == 0 && u->first_ns == 0) {
			fail(u, CURLE_GOT_NOTHING);
			return false;
		}
		if (u->first_ns == 0)
			u->first_ns = now_monotonic_ns();
		u->bytes.received += n;
		code = http_take(u, bytes, (size_t)n);
		if (code != CURLE_OK || x->is_complete) {
			end(u, code);
			return false;
		}
		/* Less than asked for: there is no more now. */
		if ((size_t)n < sizeof(bytes))
			return true;
	}
}

static void
note_ip(struct conn *c)
{
	const struct sockaddr_storage *sa =
	    &c->host->addresses[c->address].sa;
	const void *address = sa->ss_family == AF_INET ?
	    (const void *)&((const struct sockaddr_in *)sa)->sin_addr :
	    (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr;

	if (inet_ntop(sa->ss_family, address, c->ip, sizeof(c->ip)) == NULL)
		c->ip[0] = '\0';
}

/* The connection was made, or not. Returns false once the request is over. */
static bool
finish_connect(struct user *u, struct conn *c)
{
	socklen_t n = sizeof(u->os_error);
	CURLcode code;

	(void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &u->os_error, &n);
	if (u->os_error == 0) {
		c->is_connected = true;
		note_ip(c);
		code = begin_exchange(u, now_monotonic_ns());
	} else {
		close_conn(u, c);
		c->address++;
		code = dial(u, c);
	}
	if (code == CURLE_OK)
		return c->is_connected;
	end(u, code);
	return false;
}

void
plain_event(struct user *u, struct conn *c, uint32_t events)
{
	CURLcode code;

	/* Idle: the server closes it, or says what nobody asked for; or there
	 * is room, which is no news. */
	if (!u->is_busy || !u->is_plain || u->exchange->conn != c) {
		if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
			close_conn(u, c);
		return;
	}
	if (!c->is_connected && (!(events & (EPOLLOUT | EPOLLERR |
	    EPOLLHUP)) || !finish_connect(u, c)))
		return;
	c->is_closing = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
	if (events & EPOLLOUT) {
		code = send_rest(u);
		/* An answer may say why; it is read below. */
		if (code != CURLE_OK && !(events & EPOLLIN)) {
			fail(u, code);
			return;
		}
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) ||
	    !receive(u))
		return;
	/* A short read hides the end that came behind it; no event will tell
	 * of it again. */
	if (c->is_closing)
		(void)receive(u);
}

void
plain_go_on(struct swarm *s)
{
	struct user *u;
	struct host *h;
	CURLcode code;
	int i;

	for (i = 0; i < s->n_users; i++) {
		u = &s->users[i];
		if (!u->is_busy || !u->is_plain || u->exchange->conn != NULL)
			continue;
		h = map_get(&s->hosts, span_of(u->exchange->authority));
		if (h == NULL || !h->is_known)
			continue;
		code = connect_to(u, h);
		if (code != CURLE_OK)
			end(u, code);
	}
}

/* When the user's request is too late; the limit of making a connection is
 * one of its own. */
static int64_t
deadline_of(const struct user *u)
{
	const struct exchange *x = u->exchange;
	int64_t dial_ns = x->connect_ns + DIAL_MS * NS_PER_MS;

	if (u->ready_ns == 0 && x->connect_ns != 0 &&
	    dial_ns < x->deadline_ns)
		return dial_ns;
	return x->deadline_ns;
}

static void
sweep(struct swarm *s, int64_t now_ns)
{
	struct user *u;
	int64_t ns;
	int i;

	s->sweep_ns = INT64_MAX;
	for (i = 0; i < s->n_users; i++) {
		u = &s->users[i];
		if (!u->is_busy || !u->is_plain)
			continue;
		ns = deadline_of(u);
		if (ns <= now_ns)
			end(u, CURLE_OPERATION_TIMEDOUT);
		else
			note_deadline(s, ns);
	}
}

void
plain_tick(struct swarm *s, int64_t now_ns)
{
	struct user *u;
	int n = s->n_ended;

	/* Replies may end more, which wait for the next time. */
	while (n-- > 0 && s->n_ended > 0) {
		u = &s->users[s->ended[0]];
		memmove(s->ended, s->ended + 1,
		    (size_t)--s->n_ended * sizeof(*s->ended));
		end(u, u->ended);
	}
	if (s->lookups != NULL)
		names_take(s);
	if (now_ns >= s->sweep_ns)
		sweep(s, now_ns);
}

int64_t
plain_due_ns(const struct swarm *s)
{
	return s->n_ended > 0 ? 0 : s->sweep_ns;
}
