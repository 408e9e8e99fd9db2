/* SPDX-License-Identifier: MIT */
/* names: addresses of hosts, looked up by threads of their own. */
#ifndef K6PIPE_K6GEN_HTTP_NAMES_H
#define K6PIPE_K6GEN_HTTP_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/map.h"

enum {
	ADDRESSES = 4,		/* of a host that are tried */
	AUTHORITY = 256,	/* bytes of a longest host:port */
};

struct address {
	struct sockaddr_storage sa;
	socklen_t n;
};

/* A host's addresses. */
struct host {
	char *name;		/* owned; "host:port" */
	struct address addresses[ADDRESSES];	/* IPv4 first */
	int n;			/* 0: none were found */
	bool is_known;		/* else it is being looked up */
	int64_t until_ns;	/* then it is looked up anew; 0: never */
};

struct client;

struct names {
	struct client *client;	/* woken by each lookup that ends */
	int64_t ttl_ns;		/* of an answer; < 0: for good */
	struct map hosts;
	struct lookup *lookups;	/* under way */
};

/* The host of "host:port", owned by n; looked up if it is not known, or not
 * any more. */
struct host *names_find(struct names *n, const char *authority);

/* The same if it was found before; or NULL. */
struct host *names_get(const struct names *n, const char *authority);

/* Take the answers that have come. False: none has. */
bool names_collect(struct names *n);

/* Waits for lookups that are under way. */
void names_release(struct names *n);

#endif
