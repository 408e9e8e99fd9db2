/* SPDX-License-Identifier: MIT */
/* The connections of httpd: how many, how long, from whom. libmicrohttpd's
 * own limits count silence only, so that one byte a second holds a connection
 * for ever, and at its limit it takes no new ones. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/units.h"
#include "k6serve/http/httpd_priv.h"

enum {
	HEAD_S = 10,		/* from connect to the end of the head */
	GRACE_MS = 250,		/* an honest head needs less than that */
	IDLE_GRACE_S = 5,
	BODY_GRACE_S = 2,
	REPLY_GRACE_S = 5,
	STREAMS_PART = 4,	/* of all connections, for streams */
	ADDRESS_PART = 2,	/* of these, for one address */
};

/* As the 16 bytes of an IPv6 address. */
static void
address_of(const struct sockaddr *sa, unsigned char address[16])
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;

	memset(address, 0, 16);
	if (sa != NULL && sa->sa_family == AF_INET6) {
		memcpy(address, &v6->sin6_addr, 16);
	} else if (sa != NULL && sa->sa_family == AF_INET) {
		memset(address + 10, 0xff, 2);
		memcpy(address + 12, &v4->sin_addr, 4);
	}
}

static bool
is_loopback(const unsigned char address[16])
{
	static const unsigned char mapped[13] = { [10] = 0xff, 0xff, 127 },
	    v6[16] = { [15] = 1 };

	return memcmp(address, mapped, sizeof(mapped)) == 0 ||
	    memcmp(address, v6, sizeof(v6)) == 0;
}

void
peers_address(struct MHD_Connection *connection, unsigned char address[16])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	address_of(info != NULL ? info->client_addr : NULL, address);
}

/* All users of this machine share an address, so it has no maximum. */
enum MHD_Result
peers_welcome(void *ctx, const struct sockaddr *sa, socklen_t n)
{
	struct httpd *h = ctx;
	unsigned char address[16];
	const struct peer *peer;
	size_t count = 0;

	(void)n;
	address_of(sa, address);
	if (h->config.address_max == 0 || is_loopback(address))
		return MHD_YES;
	(void)pthread_mutex_lock(&h->lock);
	for (peer = h->peers; peer != NULL; peer = peer->next)
		count += memcmp(peer->address, address, 16) == 0;
	(void)pthread_mutex_unlock(&h->lock);
	return count < h->config.address_max ? MHD_YES : MHD_NO;
}

/* A suspended stream would not notice. */
static void
peer_cut(struct peer *peer)
{
	if (!peer->is_cut)
		(void)shutdown(peer->fd, SHUT_RDWR);
	peer->is_cut = true;
	if (peer->stream != NULL)
		stream_wake(peer->stream);
}

/* The connection that has been in a phase for longest, and longer than an
 * honest one needs; NULL: none. */
static struct peer *
oldest_in(const struct httpd *h, enum phase phase, int64_t now)
{
	static const int64_t grace[PHASES] = { [PHASE_HEAD] =
	    GRACE_MS * NS_PER_MS, [PHASE_IDLE] = IDLE_GRACE_S * NS_PER_S,
	    [PHASE_BODY] = BODY_GRACE_S * NS_PER_S,
	    [PHASE_REPLY] = REPLY_GRACE_S * NS_PER_S };
	struct peer *oldest = NULL, *peer;

	for (peer = h->peers; peer != NULL; peer = peer->next)
		if (!peer->is_cut && peer->phase == phase &&
		    now - peer->since_ns > grace[phase] && (oldest == NULL ||
		    peer->since_ns < oldest->since_ns))
			oldest = peer;
	return oldest;
}

/* Nearly full: the connection that has been at its head for longest goes, or
 * else the one that was silent for longest, or that sends its body or takes its
 * reply most slowly. An honest client has its head out at once, and knows that
 * an idle connection may be closed. False: there is none. */
static bool
shed_one(struct httpd *h, int64_t now)
{
	static const enum phase order[] = { PHASE_HEAD, PHASE_IDLE,
	    PHASE_BODY, PHASE_REPLY };
	struct peer *peer = NULL;
	size_t i;

	for (i = 0; peer == NULL && i < sizeof(order) / sizeof(order[0]); i++)
		peer = oldest_in(h, order[i], now);
	if (peer != NULL)
		peer_cut(peer);
	return peer != NULL;
}

/* The one that is slowest in that phase goes. */
static void
shed_slowest(struct httpd *h, enum phase phase)
{
	struct peer *peer;

	(void)pthread_mutex_lock(&h->lock);
	peer = oldest_in(h, phase, now_monotonic_ns());
	if (peer != NULL)
		peer_cut(peer);
	(void)pthread_mutex_unlock(&h->lock);
}

/* How many connections are too near to the limit, at which none would be
 * accepted and so none shed. */
static unsigned
surplus(const struct httpd *h)
{
	unsigned mark = h->connections_max - h->connections_max / 8, n = 0;
	const struct peer *peer;

	for (peer = h->peers; peer != NULL; peer = peer->next)
		n += !peer->is_cut;
	return n > mark ? n - mark : 0;
}

void
peers_shed_body(struct httpd *h)
{
	shed_slowest(h, PHASE_BODY);
}

void
httpd_shed_reply(struct httpd *h)
{
	shed_slowest(h, PHASE_REPLY);
}

static struct peer *
peer_begin(struct httpd *h, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct peer *peer = xcalloc(1, sizeof(*peer));

	peer->fd = info != NULL ? info->connect_fd : -1;
	peer->since_ns = now_monotonic_ns();
	peer->deadline_ns = peer->since_ns + HEAD_S * NS_PER_S;
	peers_address(connection, peer->address);
	peer->next = h->peers;
	if (peer->next != NULL)
		peer->next->previous = peer;
	h->peers = peer;
	if (++h->n_peers > h->connections_max - h->connections_max / 8)
		(void)shed_one(h, peer->since_ns);
	return peer;
}

/* The descriptor is still open. */
static void
peer_end(struct httpd *h, struct peer *peer)
{
	if (peer->next != NULL)
		peer->next->previous = peer->previous;
	if (peer->previous != NULL)
		peer->previous->next = peer->next;
	else
		h->peers = peer->next;
	h->n_peers--;
	free(peer);
}

void
peers_notify(void *ctx, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	struct httpd *h = ctx;

	(void)pthread_mutex_lock(&h->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = peer_begin(h, connection);
	} else if (*context != NULL) {
		peer_end(h, *context);
		*context = NULL;
	}
	(void)pthread_mutex_unlock(&h->lock);
}

struct peer *
peers_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

/* h->lock is held. */
static void
peer_enter(struct peer *peer, enum phase phase, int64_t now, int seconds)
{
	if (peer->phase != phase)
		peer->since_ns = now;
	peer->phase = phase;
	peer->stream = NULL;
	peer->deadline_ns = seconds == 0 ? 0 : now + seconds * NS_PER_S;
}

void
peers_enter(struct httpd *h, struct MHD_Connection *connection,
    enum phase phase, int seconds)
{
	struct peer *peer = peers_of(connection);

	if (peer == NULL)
		return;
	(void)pthread_mutex_lock(&h->lock);
	peer_enter(peer, phase, now_monotonic_ns(), seconds);
	(void)pthread_mutex_unlock(&h->lock);
}

/* How many streams there are, from an address or (NULL) from all, and the
 * oldest of them. */
static unsigned
count_streams(const struct httpd *h, const unsigned char *address,
    struct peer **oldest)
{
	struct peer *peer;
	unsigned n = 0;

	*oldest = NULL;
	for (peer = h->peers; peer != NULL; peer = peer->next) {
		if (peer->phase != PHASE_STREAM || peer->is_cut ||
		    (address != NULL &&
		    memcmp(peer->address, address, 16) != 0))
			continue;
		n++;
		if (*oldest == NULL || peer->since_ns < (*oldest)->since_ns)
			*oldest = peer;
	}
	return n;
}

struct peer *
peers_enter_stream(struct httpd *h, struct MHD_Connection *connection,
    struct stream *stream)
{
	unsigned most = h->connections_max / STREAMS_PART;
	struct peer *peer = peers_of(connection), *oldest;

	if (peer == NULL)
		return NULL;
	(void)pthread_mutex_lock(&h->lock);
	peer_enter(peer, PHASE_STREAM, now_monotonic_ns(), 0);
	peer->stream = stream;
	if (count_streams(h, peer->address, &oldest) > most / ADDRESS_PART ||
	    count_streams(h, NULL, &oldest) > most)
		peer_cut(oldest);
	(void)pthread_mutex_unlock(&h->lock);
	return peer;
}

/* libmicrohttpd does not look at a suspended connection, and so does not see
 * that its other side went away. */
static void
find_gone(struct httpd *h)
{
	struct pollfd *fds = NULL;
	struct peer **waiting = NULL, *peer;
	size_t n = 0, cap = 0, cap_fds = 0, i;

	for (peer = h->peers; peer != NULL; peer = peer->next) {
		if (peer->is_cut || (peer->phase != PHASE_BUSY &&
		    peer->phase != PHASE_STREAM))
			continue;
		fds = xgrow(fds, n, &cap_fds, sizeof(fds[0]));
		waiting = xgrow(waiting, n, &cap, sizeof(waiting[0]));
		fds[n] = (struct pollfd){ .fd = peer->fd,
		    .events = POLLRDHUP };
		waiting[n++] = peer;
	}
	if (n != 0 && poll(fds, n, 0) > 0)
		for (i = 0; i < n; i++) {
			if (fds[i].revents == 0)
				continue;
			waiting[i]->is_gone = true;
			if (waiting[i]->phase == PHASE_STREAM)
				peer_cut(waiting[i]);
		}
	free(fds);
	free(waiting);
}

void
peers_expire(struct httpd *h)
{
	int64_t now = now_monotonic_ns();
	struct peer *peer;
	unsigned n;

	(void)pthread_mutex_lock(&h->lock);
	for (peer = h->peers; peer != NULL; peer = peer->next)
		if (peer->deadline_ns != 0 && now > peer->deadline_ns)
			peer_cut(peer);
	for (n = surplus(h); n > 0 && shed_one(h, now); n--)
		;
	find_gone(h);
	(void)pthread_mutex_unlock(&h->lock);
}
