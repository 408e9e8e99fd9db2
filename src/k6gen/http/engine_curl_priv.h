/* SPDX-License-Identifier: MIT */
/*
 * engine_curl_priv: what the parts of the engine of libcurl share. Nobody
 * else includes it.
 */
#ifndef K6PIPE_K6GEN_HTTP_ENGINE_CURL_PRIV_H
#define K6PIPE_K6GEN_HTTP_ENGINE_CURL_PRIV_H

#include <curl/curl.h>

#include "k6gen/http/engine.h"
#include "k6gen/http/header.h"

/* What this engine has of a user. */
struct libcurl_user {
	struct libcurl_engine *engine;
	struct user *user;
	CURL *easy;
	CURLSH *connections;	/* a connection pool of its own */
	int64_t begun_ns;	/* when curl was given its request */
	int64_t shaking_ns;	/* when it began to shake hands; 0: not yet */
	bool is_tls;
	bool is_h2c;		/* the last answer was HTTP/2 without TLS */
	bool is_head_over;	/* of the answer: what follows are trailers */
	size_t head_bytes;	/* of the answer so far */
	struct curl_slist *headers;	/* of its request alone; or NULL */
	char ip[64];
	char tls_version[16];
	char error[CURL_ERROR_SIZE];
};

/* What is known of a descriptor. */
struct libcurl_socket {
	bool is_ours;		/* opened and closed by our callbacks */
	bool is_wanted;		/* curl waits for events */
	uint32_t events;	/* registered; 0: not registered */
	struct libcurl_user *user;	/* of ours: who opened it */
	struct http_bytes bytes;	/* counted so far */
};

struct libcurl_engine {
	struct engine engine;
	CURLM *multi;
	CURLSH *shared;		/* connections, if all users share them */
	int64_t timer_ns;	/* when curl wants to be called; -1: never */
	struct libcurl_user *users;
	struct libcurl_socket *sockets;	/* by descriptor */
	size_t n_sockets;
	struct curl_slist *headers[HEADER_SETS];
	struct curl_slist *connect_to, *resolve;
};

/* engine_curl: what is known of a descriptor; until it is called again. */
struct libcurl_socket *libcurl_socket_of(struct libcurl_engine *e, int fd);

/* engine_curl_callbacks: let a user's handle call them; add to the user's bytes
 * what fd has moved since the last time. */
void libcurl_set_callbacks(struct libcurl_user *u);
void libcurl_count_bytes(struct libcurl_user *u, int fd);

/* engine_curl_setup: the lists that all requests share; a user's handle; a
 * request of it. -1: no memory, or curl cannot do what is asked. */
int libcurl_make_lists(struct libcurl_engine *e);
int libcurl_set_up_user(struct libcurl_user *u);
void libcurl_set_up_request(struct libcurl_user *u,
    const struct http_request *r);

/* engine_curl_reply: a number that curl has of the user's request; fill in
 * what came of a request that is over, before it is taken off the multi
 * handle. */
int64_t libcurl_info(const struct libcurl_user *u, CURLINFO which);
void libcurl_fill_reply(struct libcurl_user *u, CURLcode code,
    struct http_reply *r);

/* The same of its connection alone. The phase that lasts counts up to now_ns;
 * 0: it failed, and counts as nothing. */
void libcurl_fill_connection(struct libcurl_user *u, int64_t now_ns,
    struct http_reply *r);

#endif
