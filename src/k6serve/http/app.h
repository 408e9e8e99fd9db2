/* SPDX-License-Identifier: MIT */
/* app: what the parts of k6serve share: its state, routes, plain replies. */
#ifndef K6PIPE_K6SERVE_HTTP_APP_H
#define K6PIPE_K6SERVE_HTTP_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "data/jsn.h"
#include "k6serve/http/httpd.h"
#include "k6serve/ingest/run_settings_offer.h"
#include "k6serve/store/store.h"
#include "k6serve/view/assets.h"
#include "k6serve/view/cache.h"
#include "k6serve/view/view.h"

#define BODY_MAX ((size_t)128 << 20)		/* bytes as sent */
#define BODIES_MAX ((size_t)256 << 20)		/* all at a time */
#define INFLATED_MAX ((size_t)128 << 20)	/* bytes unpacked */

struct writer;

/* Wrong tokens that came from an address in a second. */
struct guesses {
	unsigned char address[16];
	int64_t second;
	int n;
};

enum { GUESSERS = 256 };	/* addresses watched, by their hash */

/* Set up before the server starts. The server's thread reads by its store;
 * the writer has a copy with another one. */
struct app {
	struct store *store;
	struct writer *writer;
	const char *address;	/* "127.0.0.1:6570" */
	const char *scheme;	/* "http" or "https" */
	const char *url;	/* what others reach it by; NULL: the above */
	struct buf certificate, key;	/* PEM texts; n 0: no TLS */
	struct offer offer;	/* to clients that make runs */
	int port;
	bool is_loopback;
	int64_t timeout_ns;	/* silence after which a run is timed out */
	int64_t keep_ns;	/* age at which a run is removed; 0: never */
	int64_t keep_bytes;	/* of the database; past it the oldest runs
				   are removed; 0: never */
	int64_t max_series;	/* of a run; the rest overflows */
	struct guesses guesses[GUESSERS];
	struct cache cache;	/* of what the pages ask for */
};

/* A request that found its route. */
struct call {
	struct app *app;
	const struct httpd_request *r;
	const struct route *route;
	int64_t run;		/* the path's number; 0: none there */
	const char *owner;	/* whose token came; store_everybody: none, or
				   any; for the store's functions */
	struct httpd_reply *reply;
};

enum access {
	ACCESS_OPEN,	/* anybody */
	ACCESS_READ,	/* needs a token only if others can connect */
	ACCESS_WRITE,	/* needs a token as soon as there is one; answered by
			   the writer */
};

struct route {
	const char *method;
	const char *path;	/* "*" stands for a run's number */
	enum access access;
	void (*answer)(struct call *c);
	bool takes_any_type;	/* of body; else it must be JSON */
	bool takes_run_token;	/* the token of a started run is enough, too */
	bool is_newer;		/* of k6's newer API: errors have other codes */
	bool names_other;	/* the number is not that of a run */
	view_put *view;		/* api_routes: what is shown */
	const char *saved_as;	/* and the name of its download */
	enum asset file;	/* page_routes: what is sent, */
	const char *type;	/* and its media type */
};

/* Tables, ended by a NULL method. */
extern const struct route ingest_routes[], session_routes[],
    provision_routes[], api_routes[], page_routes[];

/* For httpd_config; ctx is the app. */
int app_admit(void *ctx, struct httpd_request *r,
    struct httpd_reply *reply);
void app_answer(void *ctx, const struct httpd_request *r,
    struct httpd_reply *reply);

/* Answer by the route, if the run of the path is there for the caller
 * (app_has_run). For app_answer and the writer. */
void app_call(struct call *c);

/* Replies. reply_error writes k6's error body (code 0: left away); what it
 * replaces of the reply is dropped. reply_json starts a JSON body. */
void reply_error(struct httpd_reply *reply, int status, int code,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
struct jsn_out reply_json(struct httpd_reply *reply, int status);
void reply_field(struct httpd_reply *reply, const char *name,
    const char *value);

/* The error that a reply holds as the newer API has it: with a code that is a
 * text. Replies without an error stay. */
void reply_newer_error(struct httpd_reply *reply);

/* Append the base URL of this server as the client sees it. Its Host was found
 * to be ours. */
void app_put_url(const struct call *c, struct buf *out);

/* A failure of the store. */
void reply_store(struct httpd_reply *reply, enum store_result result,
    const struct why *why);

/* The owner of what the call makes; "": nobody. */
struct span app_new_owner(const struct call *c);

/* Is the run of the path there, and may the caller see it? If not, or if the
 * store fails, the reply says so. */
bool app_has_run(struct call *c);

#endif
