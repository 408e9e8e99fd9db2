/* SPDX-License-Identifier: MIT */
/* The connections of httpd: how many, how long, from whom. libmicrohttpd's
 * own limits count silence only, so that one byte a second holds a connection
 * for ever, and at its limit it takes no new ones. */
#include <arpa/inet.h>
#include <netinet/in.h>
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

static void
peer_cut(struct peer *peer)
{
	if (!peer->is_cut)
		(void)shutdown(peer->fd, SHUT_RDWR);
	peer->is_cut = true;
}

/* Nearly full: the connection that has been at its head for longest goes, or
 * else the one that was silent for longest. An honest client has its head out
 * at once, and knows that an idle connection may be closed. False: there is
 * none. */
static bool
shed_one(struct httpd *h, int64_t now)
{
	static const int64_t grace[PHASES] = { [PHASE_HEAD] =
	    GRACE_MS * NS_PER_MS, [PHASE_IDLE] = IDLE_GRACE_S * NS_PER_S };
	struct peer *oldest[PHASES] = { NULL }, *peer;

	for (peer = h->peers; peer != NULL; peer = peer->next)
		if (!peer->is_cut && grace[peer->phase] != 0 &&
		    now - peer->since_ns > grace[peer->phase] &&
		    (oldest[peer->phase] == NULL ||
		    peer->since_ns < oldest[peer->phase]->since_ns))
			oldest[peer->phase] = peer;
	peer = oldest[PHASE_HEAD] != NULL ? oldest[PHASE_HEAD]
	    : oldest[PHASE_IDLE];
	if (peer != NULL)
		peer_cut(peer);
	return peer != NULL;
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
	int64_t now = now_monotonic_ns();
	struct peer *oldest = NULL, *peer;

	(void)pthread_mutex_lock(&h->lock);
	for (peer = h->peers; peer != NULL; peer = peer->next)
		if (!peer->is_cut && peer->phase == PHASE_BODY &&
		    now - peer->since_ns > BODY_GRACE_S * NS_PER_S &&
		    (oldest == NULL || peer->since_ns < oldest->since_ns))
			oldest = peer;
	if (oldest != NULL)
		peer_cut(oldest);
	(void)pthread_mutex_unlock(&h->lock);
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

void
peers_enter(struct httpd *h, struct MHD_Connection *connection,
    enum phase phase, int seconds)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct peer *peer = info != NULL ? info->socket_context : NULL;
	int64_t now = now_monotonic_ns();

	if (peer == NULL)
		return;
	(void)pthread_mutex_lock(&h->lock);
	if (peer->phase != phase)
		peer->since_ns = now;
	peer->phase = phase;
	peer->deadline_ns = seconds == 0 ? 0 : now + seconds * NS_PER_S;
	(void)pthread_mutex_unlock(&h->lock);
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
	(void)pthread_mutex_unlock(&h->lock);
}
