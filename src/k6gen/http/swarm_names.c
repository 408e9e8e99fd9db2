/* SPDX-License-Identifier: MIT */
/* Names of hosts: a thread for each lookup, answers kept as options say. */
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/units.h"
#include "k6gen/http/swarm_priv.h"

struct lookup {
	struct lookup *next;
	struct swarm *swarm;
	struct host *host;
	pthread_t thread;
	int is_done;		/* atomic */
	struct address found[ADDRESSES];
	int n;
};

static void
add_family(struct lookup *l, const struct addrinfo *list, int family)
{
	const struct addrinfo *a;

	for (a = list; a != NULL && l->n < ADDRESSES; a = a->ai_next) {
		if (a->ai_family != family ||
		    a->ai_addrlen > sizeof(l->found[0].sa))
			continue;
		memcpy(&l->found[l->n].sa, a->ai_addr, a->ai_addrlen);
		l->found[l->n++].n = a->ai_addrlen;
	}
}

/* Split "host:port"; the brackets of an IPv6 address are taken off. */
static void
split(const char *authority, char host[AUTHORITY], const char **port)
{
	const char *colon = strrchr(authority, ':');
	size_t n = (size_t)(colon - authority);

	*port = colon + 1;
	if (n >= 2 && authority[0] == '[') {
		authority++;
		n -= 2;
	}
	memcpy(host, authority, n);
	host[n] = '\0';
}

static void
look_up(struct lookup *l, int flags)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = flags }, *list = NULL;
	char host[AUTHORITY];
	const char *port;

	split(l->host->name, host, &port);
	if (getaddrinfo(host, port, &hints, &list) != 0)
		return;
	add_family(l, list, AF_INET);
	add_family(l, list, AF_INET6);
	freeaddrinfo(list);
}

static void *
run_lookup(void *ctx)
{
	struct lookup *l = ctx;

	look_up(l, AI_ADDRCONFIG);
	__atomic_store_n(&l->is_done, 1, __ATOMIC_RELEASE);
	swarm_wake(l->swarm);
	return NULL;
}

static void
keep(struct lookup *l)
{
	int64_t ttl_ns = l->swarm->options->dns_ttl_ns;

	memcpy(l->host->addresses, l->found, sizeof(l->found));
	l->host->n = l->n;
	l->host->is_known = true;
	l->host->until_ns = ttl_ns < 0 ? 0 : now_monotonic_ns() + ttl_ns;
}

static void
start(struct swarm *s, struct host *h)
{
	struct lookup *l = xcalloc(1, sizeof(*l));

	h->is_known = false;
	*l = (struct lookup){ .swarm = s, .host = h, .next = s->lookups };
	/* An address needs no asking. */
	look_up(l, AI_NUMERICHOST);
	if (l->n > 0) {
		keep(l);
		h->until_ns = 0;
		free(l);
		return;
	}
	if (pthread_create(&l->thread, NULL, run_lookup, l) != 0) {
		keep(l);
		free(l);
		return;
	}
	s->lookups = l;
}

struct host *
names_find(struct swarm *s, const char *authority)
{
	struct host *h = map_get(&s->hosts, span_of(authority));

	if (h == NULL) {
		h = xcalloc(1, sizeof(*h));
		h->name = xstrdup(authority);
		map_put(&s->hosts, span_of(h->name), h);
		start(s, h);
	} else if (h->is_known && h->until_ns != 0 &&
	    now_monotonic_ns() >= h->until_ns) {
		start(s, h);
	}
	return h;
}

void
names_take(struct swarm *s)
{
	struct lookup **at = &s->lookups, *l;
	bool is_any = false;

	while ((l = *at) != NULL) {
		if (!__atomic_load_n(&l->is_done, __ATOMIC_ACQUIRE)) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		(void)pthread_join(l->thread, NULL);
		keep(l);
		free(l);
		is_any = true;
	}
	if (is_any)
		plain_go_on(s);
}

void
names_release(struct swarm *s)
{
	struct lookup *l;
	struct host *h;
	size_t at = 0;

	while ((l = s->lookups) != NULL) {
		s->lookups = l->next;
		(void)pthread_join(l->thread, NULL);
		free(l);
	}
	while ((h = map_next(&s->hosts, &at)) != NULL) {
		free(h->name);
		free(h);
	}
	map_release(&s->hosts);
}
