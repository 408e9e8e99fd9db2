/* SPDX-License-Identifier: MIT */
/*
 * fetch: HTTP requests to the cloud, several at a time, beside a descriptor
 * that the caller waits for too. Connections are kept. Redirects are not
 * followed, so that a token goes to no other host; replies are cut at 64 KiB.
 */
#ifndef K6PIPE_IO_FETCH_H
#define K6PIPE_IO_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"

enum { FETCH_BODY_MAX = 1 << 16 };

struct fetch_options {
	int64_t timeout_ns;	/* for one whole request */
	const char *user_agent;
	const char *ca_file;	/* NULL: the system's */
	bool is_insecure;	/* whoever has the address is believed */
	bool needs_tls13;
	const char *cert_file, *key_file;	/* of the client; NULL: none */
};

/* What opens a server that has no tokens. All borrowed; NULL: none. */
struct fetch_access {
	const char *const *headers;	/* as below */
	const char *user, *password;
	const char *aws_sigv4;	/* "aws:amz:REGION:SERVICE": user and password
				 * are the access key and the secret one */
};

struct fetch_request {
	const char *url;
	const char *const *headers;	/* "Name: value", NULL ends */
	const char *token;	/* Authorization: Token ...; NULL: none */
	const struct fetch_access *access;	/* NULL: none */
	bool is_post;
	bool is_retry;		/* the last try failed: on a new connection, to
				   an address that is looked up anew */
	struct span body;	/* borrowed until the request is done */
};

/* What came back. Valid during the callback only. */
struct fetch_reply {
	int status;		/* 0: no complete reply */
	struct span body;	/* up to FETCH_BODY_MAX of it */
	const char *type;	/* its Content-Type; NULL: not said */
	const char *reason;	/* "Internal Server Error", or what failed */
	const char *proxy;	/* of the environment, that took the request;
				   may hold a password. NULL: none */
	int64_t retry_after_ns;	/* -1: not said */
	void *headers;		/* for fetch_header */
};

typedef void fetch_done(void *ctx, const struct fetch_reply *reply);

struct fetcher;

/* The value of a header of a reply, within its callback; NULL: it has none. */
const char *fetch_header(const struct fetch_reply *reply, const char *name);

/* NULL: why. Free ends the requests under way without calling back. */
struct fetcher *fetcher_new(const struct fetch_options *o, struct why *why);
void fetcher_free(struct fetcher *f);

/* Start a request to a URL that was checked; done is called from
 * fetcher_wait. -1: libcurl cannot start it, done is not called. */
int fetch_start(struct fetcher *f, const struct fetch_request *request,
    fetch_done *done, void *ctx, struct why *why);

/* End the requests with this ctx; their done is not called. */
void fetch_cancel(struct fetcher *f, const void *ctx);

/* Go on with the requests until something happened, fd (-1: none) can be
 * read, or timeout_ms are over; callbacks run in here. True: fd can be read,
 * or is at its end. */
bool fetcher_wait(struct fetcher *f, int fd, int timeout_ms);

#endif
