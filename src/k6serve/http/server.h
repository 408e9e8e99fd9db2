/* SPDX-License-Identifier: MIT */
/* server: which requests are answered, by which route, on which thread. */
#ifndef K6PIPE_K6SERVE_HTTP_SERVER_H
#define K6PIPE_K6SERVE_HTTP_SERVER_H

#include "k6serve/http/call.h"
#include "k6serve/http/meter.h"
#include "k6serve/store/readers.h"
#include "k6serve/store/writer.h"
#include "k6serve/trouble.h"

#define BODY_MAX ((size_t)128 << 20)		/* bytes as sent */
#define BODIES_MAX ((size_t)256 << 20)		/* all at a time */
#define ANSWER_MAX ((size_t)64 << 20)		/* bytes of one that is read */
#define ANSWERS_MAX ((size_t)96 << 20)		/* on their way, then no more
						   are begun */

/* Constant while the server runs: all threads read it. */
struct server_config {
	const char *address;	/* "127.0.0.1:6570" */
	const char *scheme;	/* "http" or "https" */
	const char *url;	/* what others reach it by; NULL: the above */
	int port;
	bool is_loopback;
	const struct route_table *tables;
};

/* Wrong tokens that came from an address in a second. */
struct guesses {
	unsigned char address[16];
	int64_t second;
	int n;
};

enum { GUESSERS = 256 };	/* addresses watched, by their hash */

/* What the server's thread owns: set up before it starts, and used by nobody
 * else until it ends. */
struct server {
	const struct server_config *config;
	struct store *store;	/* it reads a little by this one */
	struct writer *writer;	/* to which it hands what writes, */
	struct readers *readers;	/* and what takes long to read */
	struct guesses guesses[GUESSERS];
	struct meter meter;	/* the writer's thread adds to a part of it */
	struct trouble reads, writes;	/* that the database does not answer */
};

/* httpd_tick, and room is made for answers when many take theirs slowly. */
void server_tick(struct server *server, struct httpd *h);

/* Does the URL name this machine, for those that are on it? */
bool server_url_is_local(const char *url);

/* For httpd_config; ctx is the struct server. */
int server_admit(void *ctx, struct httpd_request *r,
    struct httpd_reply *reply);
void server_answer(void *ctx, const struct httpd_request *r,
    struct httpd_reply *reply);
void server_replied(void *ctx, const struct httpd_request *r,
    const struct httpd_reply *reply);

#endif
