/* SPDX-License-Identifier: MIT */
/* Names of hosts: a thread for each lookup, answers kept as long as asked. */
#include "k6gen/http/names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/units.h"
#include "k6gen/http/client.h"

struct lookup {
	struct lookup *next;
	struct names *names;
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
split_authority(const char *authority, char host[AUTHORITY], const char **port)
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

	split_authority(l->host->name, host, &port);
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
	client_wake(l->names->client);
	return NULL;
}

static void
keep_answer(struct lookup *l)
{
	int64_t ttl_ns = l->names->ttl_ns;

	memcpy(l->host->addresses, l->found, sizeof(l->found));
	l->host->n = l->n;
	l->host->is_known = true;
	l->host->until_ns = ttl_ns < 0 ? 0 : now_monotonic_ns() + ttl_ns;
}

static void
start_lookup(struct names *n, struct host *h)
{
	struct lookup *l = xcalloc(1, sizeof(*l));

	h->is_known = false;
	*l = (struct lookup){ .names = n, .host = h, .next = n->lookups };
	/* An address needs no asking. */
	look_up(l, AI_NUMERICHOST);
	if (l->n > 0) {
		keep_answer(l);
		h->until_ns = 0;
		free(l);
		return;
	}
	if (pthread_create(&l->thread, NULL, run_lookup, l) != 0) {
		keep_answer(l);
		free(l);
		return;
	}
	n->lookups = l;
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
		map_put(&n->hosts, span_of(h->name), h);
		start_lookup(n, h);
	} else if (h->is_known && h->until_ns != 0 &&
	    now_monotonic_ns() >= h->until_ns) {
		start_lookup(n, h);
	}
	return h;
}

bool
names_collect(struct names *n)
{
	struct lookup **at = &n->lookups, *l;
	bool is_any = false;

	while ((l = *at) != NULL) {
		if (!__atomic_load_n(&l->is_done, __ATOMIC_ACQUIRE)) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		(void)pthread_join(l->thread, NULL);
		keep_answer(l);
		free(l);
		is_any = true;
	}
	return is_any;
}

void
names_release(struct names *n)
{
	struct lookup *l;
	struct host *h;
	size_t at = 0;

	while ((l = n->lookups) != NULL) {
		n->lookups = l->next;
		(void)pthread_join(l->thread, NULL);
		free(l);
	}
	while ((h = map_next(&n->hosts, &at)) != NULL) {
		free(h->name);
		free(h);
	}
	map_release(&n->hosts);
}
