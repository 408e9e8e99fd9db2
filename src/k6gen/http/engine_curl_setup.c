/* SPDX-License-Identifier: MIT */
/* Sets libcurl's options: once for a user, and for each request. */
#include <stdlib.h>

#include "base/units.h"
#include "k6gen/http/authority.h"
#include "k6gen/http/engine_curl_priv.h"

static int
append(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return -1;
	*list = longer;
	return 0;
}

/* A header with an empty value is "Name;" for curl. */
static int
append_line(struct curl_slist **list, const char *line)
{
	size_t n = strcspn(line, ":");
	char *empty;
	int status;

	if (!header_has_value(line) ||
	    line[n + 1 + strspn(line + n + 1, " \t")] != '\0')
		return append(list, line);
	empty = xasprintf("%.*s;", (int)n, line);
	status = append(list, empty);
	free(empty);
	return status;
}

static int
append_all(struct curl_slist **list, const struct http_texts *t,
    const struct http_texts *instead, unsigned leave_out)
{
	int status = 0;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (!header_is_left_out(t->items[i], leave_out) &&
		    !header_is_in(instead, t->items[i]) &&
		    !header_is(t->items[i], "Cookie"))
			status |= append_line(list, t->items[i]);
	return status;
}

/* The options' headers and a request's own. A line without a value takes away
 * what curl would add and k6 does not. Returns -1 when memory is out. */
static int
append_headers(struct curl_slist **list, const struct http_options *o,
    const struct http_texts *own, unsigned leave_out)
{
	static const struct http_texts none;
	int status = append_all(list, &o->headers, own, leave_out);

	status |= append_all(list, own, &none, leave_out);
	if (!header_is_in(&o->headers, "Expect:") && !header_is_in(own,
	    "Expect:"))
		status |= append(list, "Expect:");
	if (leave_out & HTTP_NO_CONTENT ||
	    (!header_is_in(&o->headers, "Content-Type:") &&
	    !header_is_in(own, "Content-Type:")))
		status |= append(list, "Content-Type:");
	return status;
}

static CURLcode
set_tls(CURL *e, const struct http_options *o)
{
	CURLcode code = CURLE_OK;

	if (o->ca_file != NULL)
		code |= curl_easy_setopt(e, CURLOPT_CAINFO, o->ca_file);
	if (o->cert_file != NULL)
		code |= curl_easy_setopt(e, CURLOPT_SSLCERT, o->cert_file);
	if (o->key_file != NULL)
		code |= curl_easy_setopt(e, CURLOPT_SSLKEY, o->key_file);
	if (o->is_insecure) {
		code |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
		code |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (o->tls_version == TLS_1_2)
		code |= curl_easy_setopt(e, CURLOPT_SSLVERSION,
		    CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2);
	if (o->tls_version == TLS_1_3)
		code |= curl_easy_setopt(e, CURLOPT_SSLVERSION,
		    CURL_SSLVERSION_TLSv1_3);
	if (o->is_session_new)
		code |= curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	return code;
}

static int
append_texts(struct curl_slist **list, const struct http_texts *t)
{
	size_t i;
	int status = 0;

	for (i = 0; i < t->n; i++)
		status |= append(list, t->items[i]);
	return status;
}

int
libcurl_make_lists(struct libcurl_engine *e)
{
	static const struct http_texts none;
	const struct http_options *o = e->engine.options;
	int status = append_texts(&e->connect_to, &o->connect_to);
	unsigned i;

	status |= append_texts(&e->resolve, &o->resolve);
	for (i = 0; i < HEADER_SETS; i++)
		status |= append_headers(&e->headers[i], o, &none, i);
	return status;
}

static CURLcode
set_network(struct libcurl_user *u, const struct http_options *o)
{
	static const long versions[] = {
		[HTTP_OFFERED] = CURL_HTTP_VERSION_2TLS,
		[HTTP_1] = CURL_HTTP_VERSION_1_1,
		[HTTP_2] = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
	};
	CURL *e = u->easy;
	CURLcode code = curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
	    versions[o->version]);

	if (o->proxy != NULL)
		code |= curl_easy_setopt(e, CURLOPT_PROXY, o->proxy);
	if (o->unix_socket != NULL)
		code |= curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH,
		    o->unix_socket);
	if (o->source != NULL)
		code |= curl_easy_setopt(e, CURLOPT_INTERFACE, o->source);
	if (o->is_compressed)
		code |= curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "");
	if (o->keep == HTTP_KEEP_NONE)
		code |= curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	/* Whoever comes while a connection is being made waits: it may become
	 * one of HTTP/2, which all use at the same time. */
	if (o->keep == HTTP_KEEP_SHARED)
		code |= curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
	if (o->connect_to.n > 0)
		code |= curl_easy_setopt(e, CURLOPT_CONNECT_TO,
		    u->engine->connect_to);
	if (o->resolve.n > 0)
		code |= curl_easy_setopt(e, CURLOPT_RESOLVE,
		    u->engine->resolve);
	return code | curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT,
	    o->dns_ttl_ns < 0 ? -1L : (long)(o->dns_ttl_ns / NS_PER_S));
}

/* Does the request use HTTP/2 by prior knowledge? */
static bool
knows_http2(const struct libcurl_user *u)
{
	return u->engine->engine.options->version == HTTP_2 && !u->is_tls;
}

/* Connections are in a pool that only this user joins, or all: curl's own
 * pool belongs to the multi handle and would lend them to other users. What
 * curl must know of a connection that is kept (set_version) is known of a
 * user's own. */
static CURLSH *
pool_of(struct libcurl_user *u)
{
	if (u->engine->engine.options->keep == HTTP_KEEP_SHARED &&
	    !knows_http2(u))
		return u->engine->shared;
	if (u->connections != NULL)
		return u->connections;
	u->connections = curl_share_init();
	if (u->connections != NULL)
		(void)curl_share_setopt(u->connections, CURLSHOPT_SHARE,
		    CURL_LOCK_DATA_CONNECT);
	return u->connections;
}

int
libcurl_set_up_user(struct libcurl_user *u)
{
	const struct http_options *o = u->engine->engine.options;
	CURLSH *pool = pool_of(u);
	CURL *e;

	u->easy = e = curl_easy_init();
	if (e == NULL || pool == NULL)
		return -1;
	(void)curl_easy_setopt(e, CURLOPT_SHARE, pool);
	libcurl_set_callbacks(u);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	/* A redirect may lead to mailto:80: no host of that name. */
	(void)curl_easy_setopt(e, CURLOPT_DEFAULT_PROTOCOL, "none");
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(o->connect_ns / NS_PER_MS));
	(void)curl_easy_setopt(e, CURLOPT_USERAGENT, o->user_agent);
	return set_tls(e, o) == CURLE_OK && set_network(u, o) == CURLE_OK ?
	    0 : -1;
}

static struct curl_slist *
headers_of(struct libcurl_user *u, const struct http_request *r)
{
	curl_slist_free_all(u->headers);
	u->headers = NULL;
	if (r->headers.n == 0)
		return u->engine->headers[r->leave_out];
	(void)append_headers(&u->headers, u->engine->engine.options,
	    &r->headers, r->leave_out);
	return u->headers;
}

/* curl 7.88 speaks HTTP/2 by prior knowledge only on a new connection (its
 * issue 10634); on a kept one it must not be told. */
static void
set_version(struct libcurl_user *u)
{
	bool is_kept = u->is_h2c && u->engine->engine.options->keep !=
	    HTTP_KEEP_NONE;

	if (u->engine->engine.options->keep == HTTP_KEEP_SHARED)
		(void)curl_easy_setopt(u->easy, CURLOPT_SHARE, pool_of(u));
	if (knows_http2(u))
		(void)curl_easy_setopt(u->easy, CURLOPT_HTTP_VERSION,
		    is_kept ? (long)CURL_HTTP_VERSION_2_0 :
		    (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
}

static void
set_cookies(struct libcurl_user *u, const struct http_request *r)
{
	struct buf cookies = { 0 };
	char authority[AUTHORITY];
	bool has_tls;
	const char *path = authority_split(r->url, authority, &has_tls);

	header_write_cookies(&r->headers,
	    &u->engine->engine.options->headers, r->leave_out, &cookies);
	if (path != NULL)
		user_write_cookies(u->user, authority, path, has_tls,
		    &cookies);
	(void)curl_easy_setopt(u->easy, CURLOPT_COOKIE, cookies.n > 0 ?
	    cookies.p : NULL);
	buf_release(&cookies);
}

static void
set_request(struct libcurl_user *u, const struct http_request *r)
{
	CURL *e = u->easy;
	int64_t ms = (r->timeout_ns + NS_PER_MS - 1) / NS_PER_MS;

	(void)curl_easy_setopt(e, CURLOPT_URL, r->url);
	(void)curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	if (header_wants_body(r)) {
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)r->body.n);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS,
		    r->body.p != NULL ? r->body.p : "");
	} else if (strcmp(r->method, "HEAD") == 0) {
		(void)curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	}
	(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST,
	    strcmp(r->method, "GET") == 0 ? NULL : r->method);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers_of(u, r));
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS,
	    ms < INT32_MAX ? (long)ms : (long)INT32_MAX);
}

void
libcurl_set_up_request(struct libcurl_user *u, const struct http_request *r)
{
	set_version(u);
	set_cookies(u, r);
	set_request(u, r);
}
