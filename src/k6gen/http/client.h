/* SPDX-License-Identifier: MIT */
/*
 * client: N virtual users that make HTTP requests, each one at a time, in one
 * thread; each thread has a client. A user's connections are kept alive, and
 * are not used by another user unless the options share them. Redirects are
 * reported, not followed.
 */
#ifndef K6PIPE_K6GEN_HTTP_CLIENT_H
#define K6PIPE_K6GEN_HTTP_CLIENT_H

#include "base/why.h"
#include "k6gen/request.h"

struct client;

typedef void client_done(void *ctx, const struct http_reply *reply);

/* Options are borrowed as long as the client lives. NULL: why (no memory, no
 * file for epoll, options that curl cannot do). The caller frees the client;
 * requests under way end then without a reply. The first client must be made
 * while no other thread runs one. */
struct client *client_new(const struct http_options *o, int n_users,
    client_done *done, void *ctx, struct why *why);
void client_free(struct client *c);	/* NULL is allowed */

/* Let user 0..n-1, who has no request under way, make one; whatever is wrong
 * with it becomes its reply. May be called from within done. */
void client_send(struct client *c, int user, const struct http_request *r);

/* Give up a user's request, if one is under way: its connection is closed, no
 * reply comes. */
void client_cancel(struct client *c, int user);

/* The same; the request counts as failed: the reply, with its times so far,
 * lives until the user's next request. False: none was under way. */
bool client_abandon(struct client *c, int user, struct http_reply *reply);

/* Forget a user's cookies. */
void client_forget_cookies(struct client *c, int user);

struct http_bytes client_bytes(const struct client *c, int user);

/* Wait up to wait_ns (0 or less: not at all) for something to do, and do it;
 * replies are handed to done from in here. 0: also after a signal or
 * client_wake, which end the wait. -1: epoll failed, why says how; the client
 * can only be freed. */
int client_wait(struct client *c, int64_t wait_ns, struct why *why);

/* End the wait of the thread that waits, or its next. From any thread. */
void client_wake(struct client *c);

#endif
