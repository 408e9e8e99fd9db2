/* SPDX-License-Identifier: MIT */
/* call: a request that has found its route; routes; how replies are written. */
#ifndef K6PIPE_K6SERVE_HTTP_CALL_H
#define K6PIPE_K6SERVE_HTTP_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "data/jsn.h"
#include "k6serve/http/errors.h"
#include "k6serve/http/httpd.h"
#include "k6serve/store/store.h"

struct meter;
struct server_config;
struct route;

/* What a call put into the database. */
struct call_stored {
	bool is_batch;		/* a batch of samples, */
	bool is_repeated;	/* or one that was there */
	int64_t samples, http_reqs;	/* of the batch */
};

struct call {
	const struct server_config *server;
	struct store *store;	/* of the thread that answers */
	void *ctx;		/* of the route's table */
	const struct httpd_request *r;
	const struct route *route;
	int64_t run;		/* the path's number; 0: none there */
	const char *last;	/* the path has "last" instead, of that name;
				   "": of any; NULL: it has not */
	const char *owner;	/* whose token came; store_everybody: none, or
				   any; for the store's functions */
	struct httpd_reply *reply;
	struct meter *meter;	/* the server's */
	struct call_stored stored;	/* filled in by the answer */
};

enum access {
	ACCESS_OPEN,	/* anybody */
	ACCESS_READ,	/* needs a token only if others can connect */
	ACCESS_WRITE,	/* needs a token as soon as there is one; answered on
			   the writer's thread */
};

struct route {
	const char *method;
	const char *path;	/* "*" stands for a run's number, or, if the
				   route has words or takes_last, for "last" or
				   "last:NAME" */
	enum access access;
	void (*answer)(struct call *c);
	/* Balancers and supervisors ask for it by an address, or by no name at
	 * all; it tells nothing that a page of another site could use. */
	bool takes_any_host;
	bool is_quick;		/* answered on the server's thread */
	bool is_short;		/* reads little: a reader gives up sooner */
	bool needs_no_store;	/* of ACCESS_READ: where no token is needed, it
				   comes to answer without the database */
	bool takes_any_type;	/* of body; else it must be JSON */
	bool takes_form;	/* multipart/form-data, too */
	bool takes_run_token;	/* the token of a started run is enough, too */
	bool names_other;	/* the number is not that of a run */
	bool takes_data;	/* of a run; so k6 is told if it was removed, */
	bool is_of_push;	/* as it is by other calls of a push */
	bool takes_last;	/* for a number, although it has no words */
	bool takes_any_run;	/* the answer says itself if it is not there */
	const void *what;	/* for answer: what this one is about */
	const char *words;	/* which the query may have, separated by
				   blanks; NULL: what is unknown is ignored */
};

/* Routes, ended by one with a NULL method, and what their answers work with.
 * Answers of ACCESS_WRITE run on the writer's thread, those of ACCESS_READ on
 * the readers', of which there are several, unless they are quick; all others
 * on the server's thread. So a ctx is constant, or has a lock. */
struct route_table {
	const struct route *routes;	/* NULL: the end of all tables */
	void *ctx;
};

/* Answer by the route, if the run of the path is there for the caller
 * (call_has_run). */
void call_answer(struct call *c);

/* Is the run of the path there, and may the caller see it? If not, or if the
 * store fails, the reply says so. */
bool call_has_run(struct call *c);

/* The name behind "last" or "last:", which are the first n bytes of the text;
 * it goes on as the text does. "": of any name; NULL: it is neither. */
const char *call_name_of_last(const char *text, size_t n);

/* The number of the last run of that name. 0: the reply says why there is
 * none. */
int64_t call_find_last(struct call *c, struct span name);

/* The owner of what the call makes; "": nobody. */
struct span call_new_owner(const struct call *c);

/* Append the base URL of this server as the client sees it. Its Host was found
 * to be ours. */
void call_put_url(const struct call *c, struct buf *out);

/* Give the reply a field whose text is owned by it from then on; two at
 * most. */
void reply_own_field(struct httpd_reply *reply, const char *name, char *text);

/* Replies. reply_error writes k6's error body; what it replaces of the reply is
 * dropped. reply_json starts a JSON body. */
void reply_error(struct httpd_reply *reply, int status, enum error_code code,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
struct jsn_out reply_json(struct httpd_reply *reply, int status);
void reply_field(struct httpd_reply *reply, const char *name,
    const char *value);
void reply_drop_fields(struct httpd_reply *reply);

/* The error that a reply holds as the API of the request's path has it: the
 * code of k6's newer one is its number as a text, that of our own its name; a
 * browser that opens a page gets one. Other replies stay. */
void reply_as_asked(const struct httpd_request *r,
    struct httpd_reply *reply);

/* A failure of the store: what came of a change, or of the last thing that was
 * read, with the reason. */
void call_fail(struct call *c, const struct why *why);
void reply_store(struct httpd_reply *reply, enum store_result result,
    const struct why *why);

/* What is wrong with the database, for the log. */
void reply_cause(struct httpd_reply *reply, const struct why *why);

#endif
