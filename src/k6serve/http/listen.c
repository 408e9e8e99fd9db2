/* SPDX-License-Identifier: MIT */
/* Parses addresses, and opens a listening socket. */
#include "k6serve/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"

enum { HOST_TEXT = 256, BACKLOG = 128 };

/* Split at the last colon; brackets around an IPv6 address go. */
static int
split(const char *where, char host[HOST_TEXT], const char **port,
    struct why *why)
{
	const char *colon = strrchr(where, ':');
	int64_t number;
	size_t n;

	*port = "";
	if (colon == NULL || colon[1] == '\0')
		return why_set(why, "the port is missing "
		    "(as in 127.0.0.1:6570)");
	if (!num_parse_int(colon + 1, 0, 65535, &number))
		return why_set(why, "the port is not a number up to 65535");
	n = (size_t)(colon - where);
	if (n >= 2 && where[0] == '[' && where[n - 1] == ']') {
		where++;
		n -= 2;
	} else if (memchr(where, ':', n) != NULL) {
		return why_set(why, "an IPv6 address needs brackets");
	}
	if (n >= HOST_TEXT)
		return why_set(why, "the name is too long");
	memcpy(host, where, n);
	host[n] = '\0';
	*port = colon + 1;
	return 0;
}

static bool
is_loopback(const struct sockaddr *sa)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;

	if (sa->sa_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return sa->sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* Fill in what the kernel made of it. */
static int
describe(struct listener *l, struct why *why)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	char host[INET6_ADDRSTRLEN];
	const struct sockaddr_in *v4 = (const void *)&sa;
	const struct sockaddr_in6 *v6 = (const void *)&sa;
	bool is_v6;

	if (getsockname(l->fd, (void *)&sa, &n) < 0)
		return why_set(why, "%s", strerror(errno));
	is_v6 = sa.ss_family == AF_INET6;
	l->is_loopback = is_loopback((const void *)&sa);
	l->port = ntohs(is_v6 ? v6->sin6_port : v4->sin_port);
	if (inet_ntop(sa.ss_family, is_v6 ? (const void *)&v6->sin6_addr :
	    (const void *)&v4->sin_addr, host, sizeof(host)) == NULL)
		return why_set(why, "%s", strerror(errno));
	(void)snprintf(l->address, sizeof(l->address),
	    is_v6 ? "[%s]:%d" : "%s:%d", host, l->port);
	return 0;
}

int
listen_check(const char *where, struct why *why)
{
	char host[HOST_TEXT];
	const char *port;

	return split(where, host, &port, why);
}

int
listen_open(struct listener *l, const char *where, struct why *why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found;
	char host[HOST_TEXT];
	const char *port;
	int status, on = 1;

	l->fd = -1;
	if (split(where, host, &port, why) < 0)
		return -1;
	status = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints,
	    &found);
	if (status != 0)
		return why_set(why, "%s", gai_strerror(status));
	l->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (l->fd < 0 ||
	    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(l->fd, found->ai_addr, found->ai_addrlen) < 0 ||
	    listen(l->fd, BACKLOG) < 0)
		status = why_set(why, "%s", strerror(errno));
	else
		status = describe(l, why);
	freeaddrinfo(found);
	if (status < 0 && l->fd >= 0) {
		(void)close(l->fd);
		l->fd = -1;
	}
	return status;
}
