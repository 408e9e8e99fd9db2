/* SPDX-License-Identifier: MIT */
/*
 * meter: counts what this server did since its start, for /metrics in
 * Prometheus' text format; and whether it can work, for /ready.
 */
#ifndef K6PIPE_K6SERVE_HTTP_METER_H
#define K6PIPE_K6SERVE_HTTP_METER_H

#include <stdatomic.h>
#include <stdint.h>

#include "k6serve/http/call.h"

/* What a request is counted as. */
enum meter_class {
	METER_OTHER,		/* refused before it had a route, or none */
	METER_PUSH,		/* samples of a run */
	METER_WRITE,		/* anything else that changes the database */
	METER_READ,
	METER_PAGE,		/* files of the pages, and /metrics */
	METER_OPEN,		/* what needs no token */
	METER_CLASSES
};

enum { METER_STATUS_LEAST = 100, METER_STATUSES = 500 };

struct meter {
	int64_t started_ns;	/* Unix; set before the server starts */
	/* of the server's thread alone */
	uint64_t requests[METER_CLASSES][METER_STATUSES];
	uint64_t body_bytes[METER_CLASSES];
	/* of what is on disk; added to by the writer's thread */
	_Atomic uint64_t batches, repeated, samples, http_reqs;
};

enum meter_class meter_class_of(const struct route *route);

/* Count a reply. On the server's thread. */
void meter_reply(struct meter *m, const struct httpd_request *r,
    const struct httpd_reply *reply);

/* Count what a call stored, after it is on disk. On the writer's thread. */
void meter_stored(struct meter *m, const struct call_stored *stored);

/* /metrics and /ready; the ctx is the struct server. */
extern const struct route meter_routes[];

#endif
