/* SPDX-License-Identifier: MIT */
/*
 * request: an HTTP request, how it is made, and the reply. A request that
 * fails has a reply too, with k6's error code (PROTOCOL 1.7).
 */
#ifndef K6PIPE_K6GEN_REQUEST_H
#define K6PIPE_K6GEN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "data/trail.h"

/* HTTP/2 where a TLS server offers it; never; also without TLS (h2c), at
 * once. */
enum http_version { HTTP_OFFERED, HTTP_1, HTTP_2 };

/* A connection is kept by its user; is any user's; is closed after each
 * request. */
enum http_keep { HTTP_KEEP, HTTP_KEEP_SHARED, HTTP_KEEP_NONE };

/* k6's words: which of a host's addresses a new connection goes to first, and
 * of which families they are. */
enum dns_select { DNS_RANDOM, DNS_ROUND_ROBIN, DNS_FIRST };
enum dns_policy { DNS_PREFER_4, DNS_PREFER_6, DNS_ONLY_4, DNS_ONLY_6,
	DNS_ANY };

enum tls_versions { TLS_ANY, TLS_1_2, TLS_1_3 };

struct http_texts {
	const char *const *items;
	size_t n;
};

/* How all requests of a run are made. Borrowed. */
struct http_options {
	struct http_texts headers;	/* "Name: value", of every request */
	const char *user_agent;
	const char *ca_file;	/* NULL: the system's */
	const char *cert_file, *key_file;	/* PEM; NULL: none */
	bool is_insecure;	/* accept any certificate */
	bool is_session_new;	/* never resume a TLS session */
	enum tls_versions tls_version;
	int64_t connect_ns;	/* limit of making a connection */
	enum http_version version;
	enum http_keep keep;
	bool is_compressed;	/* ask for it */
	const char *proxy;	/* URL; "": none; NULL: the environment's */
	const char *unix_socket;	/* path, instead of TCP; NULL: none */
	const char *source;	/* address or interface; NULL: any */
	struct http_texts connect_to;	/* HOST:PORT:HOST:PORT, as curl's */
	struct http_texts resolve;	/* HOST:PORT:ADDRESS, as curl's */
	int64_t dns_ttl_ns;	/* of a looked-up name; < 0: for good */
	enum dns_select dns_select;
	enum dns_policy dns_policy;
	size_t keep_body;	/* bytes of a body that a reply holds */
	int64_t max_body;	/* longer bodies fail; 0: no limit */
};

/* Headers of the options that one request goes without. */
enum {
	HTTP_NO_SECRETS = 1,	/* Authorization, Cookie: another origin */
	HTTP_NO_CONTENT = 2,	/* Content-*: the body was dropped */
};

/* All memory is borrowed until the reply. */
struct http_request {
	const char *method;
	const char *url;
	struct span body;	/* p NULL: none */
	struct http_texts headers;	/* instead of those of the options
					   that have the same name */
	unsigned leave_out;	/* HTTP_NO_*, of all headers */
	int64_t timeout_ns;	/* > 0 */
};

/* Bytes that a user's requests have moved so far: of the sockets, with
 * headers and, of TLS, handshakes and records. */
struct http_bytes {
	int64_t sent, received;
};

/* Lives as long as the call that hands it over. */
struct http_reply {
	int user;
	int status;		/* HTTP status; 0: the request failed */
	int error_code;		/* k6's; 0: no error */
	const char *error;	/* NULL unless the request failed */
	int os_error;		/* errno of a failure, where known */
	const char *proto;	/* "HTTP/1.1"; NULL if it failed */
	const char *tls_version;	/* "tls1.3"; NULL without TLS */
	const char *location;	/* where a redirect leads; NULL: nowhere */
	const char *ip;		/* of the server; NULL if not connected */
	struct span headers;	/* lines "Name: value\n"; empty if it failed */
	struct span body;	/* as far as it was kept; p NULL: not */
	int64_t body_bytes;	/* all of it, as it came */
	int64_t time_ns;	/* Unix time of the end of the body */
	int64_t late_ns;	/* how long ago that was; 0: not known */
	int64_t offset_ns;	/* of the wall clock to the monotonic one */
	int64_t ns[TIMINGS];	/* of a failure: as far as it came */
};

/* Find the next header of that name in lines "Name: value\n", from *at on
 * (0 at first), which moves behind it. The value is borrowed from the lines.
 * False: there is none. */
bool http_find_header(struct span lines, const char *name, size_t *at,
    struct span *value);

#endif
