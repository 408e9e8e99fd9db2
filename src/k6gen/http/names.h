/* SPDX-License-Identifier: MIT */
/* names: addresses of hosts, looked up by c-ares, which never waits. */
#ifndef K6PIPE_K6GEN_HTTP_NAMES_H
#define K6PIPE_K6GEN_HTTP_NAMES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/map.h"
#include "base/why.h"
#include "k6gen/http/authority.h"

enum { ADDRESSES = 8 };	/* of a host that are tried */

struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t n;
};

/* A host's addresses. */
struct host {
	char *name;		/* owned; "host:port" */
	struct names *names;
	struct address addresses[ADDRESSES];	/* in the policy's order */
	int n;			/* 0: none were found */
	unsigned turn;		/* of roundRobin */
	bool is_known;		/* else it is being looked up */
	int64_t until_ns;	/* then it is looked up anew; 0: never */
};

struct engine;
struct names_resolver;

struct names {
	struct engine *engine;
	struct map hosts;
	struct names_resolver *resolver;	/* NULL until it is needed */
	int n_asked;		/* lookups under way */
	bool is_news;		/* one has ended */
	uint64_t random;
};

/* -1: why. Events of its descriptors go to the engine, with n as of. */
int names_init(struct names *n, struct engine *e, struct why *why);

/* Gives up the lookups that are under way. */
void names_release(struct names *n);

/* The host of "host:port", owned by n; looked up if it is not known, or not
 * any more. What was not found is asked for again the next time; when a host
 * that was found is not found again, its addresses stay. */
struct host *names_find(struct names *n, const char *authority);

/* The same if it was found before; or NULL. */
struct host *names_get(const struct names *n, const char *authority);

/* The addresses of a host, in the order in which a new connection tries them.
 * Returns how many. */
int names_choose(struct names *n, struct host *h,
    struct address to[ADDRESSES]);

/* For the engine: an event; when names_tick has something to do (INT64_MAX:
 * never); true if lookups have ended since it was called last. */
void names_event(struct names *n, int fd, uint32_t events);
int64_t names_due_ns(const struct names *n);
bool names_tick(struct names *n);

#endif
