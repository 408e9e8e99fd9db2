/* SPDX-License-Identifier: MIT */
/*
 * upload: packages of samples on their way to the server. A package is cut
 * once, with its idempotency key; it stays here until the server has it.
 */
#ifndef K6PIPE_K6PUSH_UPLOAD_H
#define K6PIPE_K6PUSH_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/sample.h"
#include "data/settings.h"
#include "io/fetch.h"

struct amount {
	uint64_t points, requests, packages;
};

struct package;

struct uploader {
	struct fetcher *fetcher;
	const struct settings *settings;	/* read anew each time */
	const char *url;	/* NULL until the run exists */
	const char *token;
	struct package *filling;	/* takes samples; NULL: none */
	struct package *first, *last;	/* cut, in order, not yet acked */
	struct package *refused;	/* never to be taken */
	size_t queued_bytes;
	int in_flight;
	int failures;		/* tries in a row without an answer */
	int64_t retry_at_ns;	/* monotonic; no try before */
	bool is_stopped;	/* the run takes no more: nothing is sent */
	const char *told;	/* kind of trouble last told; NULL: none */
	struct amount acked;
	struct amount dropped;	/* came after the stop, and were not kept */
	uint64_t resent;	/* tries after the first */
};

void uploader_release(struct uploader *u);

/* Add a sample to the package that is filling; cut it when it is full. */
void uploader_add(struct uploader *u, const struct sample *s);

/* Cut the package that is filling, as the push interval has passed. */
void uploader_cut(struct uploader *u);

/* Start what may start now. Replies come through fetcher_wait. */
void uploader_start(struct uploader *u);

/* When uploader_start could start more; INT64_MAX if that needs no timer. */
int64_t uploader_next_ns(const struct uploader *u);

/* Nothing is waiting or under way. */
bool uploader_is_idle(const struct uploader *u);

/* So much waits that reading should pause: back-pressure, not loss. */
bool uploader_is_full(const struct uploader *u);

/* What is not acknowledged: waiting, refused, or stopped. */
struct amount uploader_left(const struct uploader *u);

#endif
