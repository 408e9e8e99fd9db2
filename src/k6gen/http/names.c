/* SPDX-License-Identifier: MIT */
/* Looks up host names by c-ares on the client's epoll, and keeps the addresses
 * as long as the options say. */
#include "k6gen/http/names.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/random.h"
#include "base/units.h"
#include "k6gen/http/engine.h"

#define AGAIN_NS NS_PER_S	/* before a failed refresh is tried again */

struct names_resolver {
	ares_channel channel;
};

int
names_init(struct names *n, struct engine *e, struct why *why)
{
	*n = (struct names){ .engine = e };
	random_bytes(&n->random, sizeof(n->random));
	/* Counted: each client does so. */
	if (ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS)
		return 0;
	n->engine = NULL;
	return why_set(why, "c-ares cannot start");
}

/* c-ares wants to know of events of its socket, of none when it closes it. */
static void
on_socket(void *ctx, ares_socket_t fd, int is_in, int is_out)
{
	struct names *n = ctx;
	uint32_t events = (is_in ? EPOLLIN : 0U) | (is_out ? EPOLLOUT : 0U);

	if (events == 0)
		client_unwatch(n->engine->client, fd);
	else
		(void)client_watch(n->engine->client, fd, events, n->engine,
		    n);
}

static struct names_resolver *
resolver_of(struct names *n)
{
	struct ares_options o = { .sock_state_cb = on_socket,
		.sock_state_cb_data = n };
	struct names_resolver *r;

	if (n->resolver != NULL)
		return n->resolver;
	r = xcalloc(1, sizeof(*r));
	if (ares_init_options(&r->channel, &o, ARES_OPT_SOCK_STATE_CB) ==
	    ARES_SUCCESS)
		n->resolver = r;
	else
		free(r);
	return n->resolver;
}

static void
add_family(struct host *h, const struct ares_addrinfo *list, int family)
{
	const struct ares_addrinfo_node *a;

	for (a = list->nodes; a != NULL && h->n < ADDRESSES; a = a->ai_next) {
		if (a->ai_family != family ||
		    a->ai_addrlen > sizeof(struct sockaddr_in6))
			continue;
		memcpy(&h->addresses[h->n].sa, a->ai_addr, a->ai_addrlen);
		h->addresses[h->n++].n = a->ai_addrlen;
	}
}

static void
keep_answer(struct host *h, const struct ares_addrinfo *list)
{
	const struct http_options *o = h->names->engine->options;
	bool is_6_first = o->dns_policy == DNS_PREFER_6;

	h->n = 0;
	add_family(h, list, is_6_first ? AF_INET6 : AF_INET);
	add_family(h, list, is_6_first ? AF_INET : AF_INET6);
	h->until_ns = o->dns_ttl_ns < 0 ? 0 : now_monotonic_ns() +
	    o->dns_ttl_ns;
}

static void
on_answer(void *ctx, int status, int timeouts, struct ares_addrinfo *list)
{
	struct host *h = ctx;
	int64_t ttl_ns;

	(void)timeouts;
	if (status == ARES_EDESTRUCTION) {
		ares_freeaddrinfo(list);
		return;
	}
	ttl_ns = h->names->engine->options->dns_ttl_ns;
	h->is_known = true;
	h->names->n_asked--;
	h->names->is_news = true;
	if (status == ARES_SUCCESS && list->nodes != NULL)
		keep_answer(h, list);
	else if (h->n > 0)
		h->until_ns = now_monotonic_ns() + (ttl_ns < AGAIN_NS ?
		    ttl_ns : AGAIN_NS);
	else
		h->until_ns = 1;
	ares_freeaddrinfo(list);
}

/* Split "host:port". */
static int
split_authority(const char *authority, char host[AUTHORITY])
{
	struct span s = authority_host(authority);

	memcpy(host, s.p, s.n);
	host[s.n] = '\0';
	return (int)strtol(strrchr(authority, ':') + 1, NULL, 10);
}

/* An address needs no asking. */
static bool
take_address(struct host *h, const char *host, int port)
{
	struct address *a = &h->addresses[0];

	*a = (struct address){ .n = 0 };
	if (inet_pton(AF_INET, host, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons((uint16_t)port);
		a->n = sizeof(a->in);
	} else if (inet_pton(AF_INET6, host, &a->in6.sin6_addr) == 1) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons((uint16_t)port);
		a->n = sizeof(a->in6);
	} else {
		return false;
	}
	h->n = 1;
	h->is_known = true;
	h->until_ns = 0;
	return true;
}

/* RFC 6761 6.3: they are all this machine. */
static bool
is_local(const char *host)
{
	size_t n = strlen(host), tail = sizeof(".localhost") - 1;

	if (n > 0 && host[n - 1] == '.')
		n--;
	return n > tail && strncasecmp(host + n - tail, ".localhost", tail) ==
	    0;
}

static void
start_lookup(struct names *n, struct host *h)
{
	static const int families[] = { [DNS_PREFER_4] = AF_UNSPEC,
		[DNS_PREFER_6] = AF_UNSPEC, [DNS_ONLY_4] = AF_INET,
		[DNS_ONLY_6] = AF_INET6, [DNS_ANY] = AF_UNSPEC };
	struct ares_addrinfo_hints hints = {
		.ai_family = families[n->engine->options->dns_policy],
		.ai_socktype = SOCK_STREAM,
		.ai_flags = ARES_AI_NUMERICSERV | ARES_AI_NOSORT };
	struct names_resolver *r;
	char host[AUTHORITY];
	int port = split_authority(h->name, host);

	if (h->n == 0 && take_address(h, host, port))
		return;
	r = resolver_of(n);
	if (r == NULL) {
		h->is_known = true;
		h->until_ns = 1;
		return;
	}
	h->is_known = false;
	n->n_asked++;
	ares_getaddrinfo(r->channel, is_local(host) ? "localhost" : host,
	    strrchr(h->name, ':') + 1, &hints, on_answer, h);
}

struct host *
names_get(const struct names *n, const char *authority)
{
	return map_get(&n->hosts, span_of(authority));
}

struct host *
names_find(struct names *n, const char *authority)
{
	struct host *h = names_get(n, authority);

	if (h == NULL) {
		h = xcalloc(1, sizeof(*h));
		h->name = xstrdup(authority);
		h->names = n;
		map_put(&n->hosts, span_of(h->name), h);
		start_lookup(n, h);
	} else if (h->is_known && h->until_ns != 0 &&
	    now_monotonic_ns() >= h->until_ns) {
		start_lookup(n, h);
	}
	return h;
}

/* As wyrand: good enough to choose with. */
static unsigned
next_random(struct names *n)
{
	n->random = n->random * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (unsigned)(n->random >> 33);
}

/* How many addresses at the beginning are as good as the first: those of its
 * family, unless any is. */
static int
count_equals(const struct names *n, const struct host *h)
{
	int i;

	if (n->engine->options->dns_policy == DNS_ANY)
		return h->n;
	for (i = 1; i < h->n; i++)
		if (h->addresses[i].sa.sa_family !=
		    h->addresses[0].sa.sa_family)
			break;
	return i;
}

int
names_choose(struct names *n, struct host *h, struct address to[ADDRESSES])
{
	int i, first = 0, equals;

	if (h->n == 0)
		return 0;
	equals = count_equals(n, h);
	if (n->engine->options->dns_select == DNS_RANDOM)
		first = (int)(next_random(n) % (unsigned)equals);
	else if (n->engine->options->dns_select == DNS_ROUND_ROBIN)
		first = (int)(h->turn++ % (unsigned)equals);
	for (i = 0; i < equals; i++)
		to[i] = h->addresses[(first + i) % equals];
	for (; i < h->n; i++)
		to[i] = h->addresses[i];
	return h->n;
}

void
names_event(struct names *n, int fd, uint32_t events)
{
	if (n->resolver != NULL)
		ares_process_fd(n->resolver->channel,
		    events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? fd :
		    ARES_SOCKET_BAD, events & EPOLLOUT ? fd :
		    ARES_SOCKET_BAD);
}

int64_t
names_due_ns(const struct names *n)
{
	struct timeval t;

	if (n->is_news)
		return 0;
	if (n->n_asked == 0 || n->resolver == NULL ||
	    ares_timeout(n->resolver->channel, NULL, &t) == NULL)
		return INT64_MAX;
	return now_monotonic_ns() + t.tv_sec * NS_PER_S +
	    t.tv_usec * NS_PER_US;
}

bool
names_tick(struct names *n)
{
	bool is_news;

	if (n->n_asked > 0 && n->resolver != NULL)
		ares_process_fd(n->resolver->channel, ARES_SOCKET_BAD,
		    ARES_SOCKET_BAD);
	is_news = n->is_news;
	n->is_news = false;
	return is_news;
}

void
names_release(struct names *n)
{
	struct host *h;
	size_t at = 0;

	if (n->engine == NULL)
		return;
	if (n->resolver != NULL)
		ares_destroy(n->resolver->channel);
	free(n->resolver);
	while ((h = map_next(&n->hosts, &at)) != NULL) {
		free(h->name);
		free(h);
	}
	map_release(&n->hosts);
	ares_library_cleanup();
}
