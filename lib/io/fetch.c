/* SPDX-License-Identifier: MIT */
/* Calls to the cloud over libcurl, many at a time, with deadlines. */
#include "io/fetch.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"

/*
 * Timers by which a run does not go silent for two minutes, after which the
 * cloud calls it timed out: what is dead is noticed in seconds, and an address
 * that changed is seen.
 */
enum {
	CONNECT_MS = 4000,
	UNACKED_MS = 5000,	/* sent, and the peer's TCP is silent */
	STALLED_S = 20,		/* not a byte either way */
	IDLE_S = 60,		/* a connection unused so long is not trusted */
	OLD_S = 600,		/* nor one so old */
};

/* One request under way. */
struct transfer {
	CURL *easy;
	struct curl_slist *headers;
	struct buf body;
	char reason[128];
	char error[CURL_ERROR_SIZE];
	char *proxy;		/* NULL: none */
	fetch_done *done;
	void *ctx;
	struct transfer *next;
};

struct fetcher {
	CURLM *multi;
	struct transfer *transfers;
	char *user_agent, *ca_file, *cert_file, *key_file;
	bool is_insecure, needs_tls13;
	long timeout_ms;
};

struct fetcher *
fetcher_new(const struct fetch_options *o, struct why *why)
{
	const char *const files[] = { o->ca_file, o->cert_file, o->key_file };
	struct fetcher *f;
	size_t i;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		(void)why_set(why, "libcurl does not start");
		return NULL;
	}
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i] != NULL && access(files[i], R_OK) != 0) {
			(void)why_set(why, "%s: cannot be read", files[i]);
			return NULL;
		}
	f = xcalloc(1, sizeof(*f));
	f->multi = curl_multi_init();
	if (f->multi == NULL) {
		free(f);
		(void)why_set(why, "libcurl is out of memory");
		return NULL;
	}
	f->user_agent = xstrdup(o->user_agent);
	f->ca_file = o->ca_file != NULL ? xstrdup(o->ca_file) : NULL;
	f->cert_file = o->cert_file != NULL ? xstrdup(o->cert_file) : NULL;
	f->key_file = o->key_file != NULL ? xstrdup(o->key_file) : NULL;
	f->is_insecure = o->is_insecure;
	f->needs_tls13 = o->needs_tls13;
	f->timeout_ms = (long)(o->timeout_ns / NS_PER_MS);
	return f;
}

static void
transfer_free(struct fetcher *f, struct transfer *t)
{
	struct transfer **at = &f->transfers;

	while (*at != NULL && *at != t)
		at = &(*at)->next;
	if (*at == t)
		*at = t->next;
	(void)curl_multi_remove_handle(f->multi, t->easy);
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	buf_release(&t->body);
	free(t->proxy);
	free(t);
}

void
fetcher_free(struct fetcher *f)
{
	if (f == NULL)
		return;
	while (f->transfers != NULL)
		transfer_free(f, f->transfers);
	(void)curl_multi_cleanup(f->multi);
	free(f->user_agent);
	free(f->ca_file);
	free(f->cert_file);
	free(f->key_file);
	free(f);
	curl_global_cleanup();
}

/* Keep what fits; the rest is read and thrown away. */
static size_t
on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t left = FETCH_BODY_MAX - t->body.n;

	buf_add(&t->body, bytes, size * n < left ? size * n : left);
	return size * n;
}

/* The status line's reason, for k6's "unexpected HTTP error" text. */
static size_t
on_header(char *line, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t length = size * n, skip = 0, i;
	int spaces = 0;

	if (length < 5 || strncmp(line, "HTTP/", 5) != 0)
		return length;
	for (i = 0; i < length && spaces < 2; i++)
		if (line[i] == ' ') {
			spaces++;
			skip = i + 1;
		}
	while (length > skip && (line[length - 1] == '\r' ||
	    line[length - 1] == '\n'))
		length--;
	(void)snprintf(t->reason, sizeof(t->reason), "%.*s",
	    spaces == 2 ? (int)(length - skip) : 0, line + skip);
	return size * n;
}

/* Which proxy libcurl chose from the environment it tells only here (there is
 * no CURLINFO of it before 8.7). */
static int
on_debug(CURL *easy, curl_infotype type, char *text, size_t n, void *ctx)
{
	static const char start[] = "Uses proxy env variable ";
	const char *name = text + sizeof(start) - 1, *end = text + n, *from;
	struct transfer *t = ctx;

	(void)easy;
	if (type != CURLINFO_TEXT || n < sizeof(start) + 8 ||
	    strncmp(text, start, sizeof(start) - 1) != 0 ||
	    strncasecmp(name, "no_proxy", 8) == 0)
		return 0;
	from = memchr(name, '\'', (size_t)(end - name));
	end = memrchr(name, '\'', (size_t)(end - name));
	if (from == NULL || end <= from)
		return 0;
	free(t->proxy);
	t->proxy = xstrndup(from + 1, (size_t)(end - from - 1));
	return 0;
}

static bool
add_header(struct transfer *t, const char *line)
{
	struct curl_slist *longer = curl_slist_append(t->headers, line);

	if (longer != NULL)
		t->headers = longer;
	return longer != NULL;
}

/* False: there is no memory for them all, and without one of them the request
 * is another. */
static bool
add_headers(struct transfer *t, const struct fetch_request *r)
{
	/* libcurl signs all that stands here, also what it does not send. */
	bool is_signed = r->access != NULL && r->access->aws_sigv4 != NULL;
	bool is_added = is_signed || add_header(t, "Expect:");
	char *line;
	size_t i;

	for (i = 0; is_added && r->headers != NULL && r->headers[i] != NULL;
	    i++)
		is_added = add_header(t, r->headers[i]);
	for (i = 0; is_added && r->access != NULL &&
	    r->access->headers != NULL && r->access->headers[i] != NULL; i++)
		is_added = add_header(t, r->access->headers[i]);
	if (r->token == NULL || r->token[0] == '\0')
		return is_added;
	line = xasprintf("Authorization: Token %s", r->token);
	is_added = is_added && add_header(t, line);
	explicit_bzero(line, strlen(line));
	free(line);
	return is_added;
}

/* libcurl made a socket. */
static int
on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	const unsigned unacked_ms = UNACKED_MS;

	(void)ctx;
	(void)purpose;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms,
	    sizeof(unacked_ms));
	return CURL_SOCKOPT_OK;
}

static CURLcode
set_timers(const struct fetcher *f, CURL *e, bool is_retry)
{
	CURLcode code;

	code = curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, f->timeout_ms);
	code |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
	    f->timeout_ms > 0 && f->timeout_ms < CONNECT_MS ? f->timeout_ms
	    : (long)CONNECT_MS);
	code |= curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	code |= curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
	code |= curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket);
	code |= curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	code |= curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
	code |= curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, (long)OLD_S);
	code |= curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, (long)is_retry);
	return code | curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
}

/* What the TLS of a server needs, and who we are. */
static CURLcode
set_access(const struct fetcher *f, CURL *e, const struct fetch_access *a)
{
	CURLcode code = CURLE_OK;

	code |= curl_easy_setopt(e, CURLOPT_SSLVERSION, f->needs_tls13
	    ? (long)CURL_SSLVERSION_TLSv1_3 : (long)CURL_SSLVERSION_TLSv1_2);
	if (f->ca_file != NULL)
		code |= curl_easy_setopt(e, CURLOPT_CAINFO, f->ca_file);
	if (f->is_insecure) {
		code |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
		code |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (f->cert_file != NULL)
		code |= curl_easy_setopt(e, CURLOPT_SSLCERT, f->cert_file);
	if (f->key_file != NULL)
		code |= curl_easy_setopt(e, CURLOPT_SSLKEY, f->key_file);
	if (a == NULL || a->user == NULL)
		return code;
	if (a->aws_sigv4 != NULL)
		code |= curl_easy_setopt(e, CURLOPT_AWS_SIGV4, a->aws_sigv4);
	else
		code |= curl_easy_setopt(e, CURLOPT_HTTPAUTH,
		    (long)CURLAUTH_BASIC);
	code |= curl_easy_setopt(e, CURLOPT_USERNAME, a->user);
	return code | curl_easy_setopt(e, CURLOPT_PASSWORD,
	    a->password != NULL ? a->password : "");
}

static CURLcode
set_options(const struct fetcher *f, struct transfer *t,
    const struct fetch_request *r)
{
	CURL *e = t->easy;
	CURLcode code;

	code = curl_easy_setopt(e, CURLOPT_URL, r->url);
	code |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	code |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	code |= curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	code |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	code |= curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
	code |= curl_easy_setopt(e, CURLOPT_USERAGENT, f->user_agent);
	code |= set_access(f, e, r->access);
	code |= set_timers(f, e, r->is_retry);
	code |= curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
	code |= curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_debug);
	code |= curl_easy_setopt(e, CURLOPT_DEBUGDATA, t);
	code |= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
	code |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	code |= curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	code |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	code |= curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	code |= curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
	code |= curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	if (r->is_post) {
		code |= curl_easy_setopt(e, CURLOPT_POST, 1L);
		code |= curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)r->body.n);
		code |= curl_easy_setopt(e, CURLOPT_POSTFIELDS,
		    r->body.n != 0 ? r->body.p : "");
	}
	return code;
}

int
fetch_start(struct fetcher *f, const struct fetch_request *r,
    fetch_done *done, void *ctx, struct why *why)
{
	struct transfer *t;

	t = xcalloc(1, sizeof(*t));
	t->easy = curl_easy_init();
	t->done = done;
	t->ctx = ctx;
	if (t->easy == NULL || !add_headers(t, r) ||
	    set_options(f, t, r) != CURLE_OK ||
	    curl_multi_add_handle(f->multi, t->easy) != CURLM_OK) {
		transfer_free(f, t);
		return why_set(why, "libcurl is out of memory");
	}
	t->next = f->transfers;
	f->transfers = t;
	return 0;
}

void
fetch_cancel(struct fetcher *f, const void *ctx)
{
	struct transfer *t, *next;

	for (t = f->transfers; t != NULL; t = next) {
		next = t->next;
		if (t->ctx == ctx)
			transfer_free(f, t);
	}
}

const char *
fetch_header(const struct fetch_reply *reply, const char *name)
{
	struct curl_header *h;

	return reply->headers != NULL && curl_easy_header(reply->headers, name,
	    0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

/* Hand out one finished transfer. The callback may start the next. */
static void
finish(struct fetcher *f, const CURLMsg *msg)
{
	struct fetch_reply reply = { .retry_after_ns = -1 };
	CURLcode code = msg->data.result;
	struct transfer *t = NULL;
	curl_off_t wait = 0;
	long status = 0;

	(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
	if (code == CURLE_OK) {
		(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE,
		    &status);
		(void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &wait);
		reply.reason = t->reason;
	} else {
		reply.reason = t->error[0] != '\0' ? t->error
		    : curl_easy_strerror(code);
	}
	reply.status = (int)status;
	reply.proxy = t->proxy;
	reply.headers = t->easy;
	reply.body = (struct span){ t->body.p, t->body.n };
	(void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &reply.type);
	if (wait > 0)
		reply.retry_after_ns = (int64_t)wait < 3600
		    ? (int64_t)wait * NS_PER_S : 3600 * NS_PER_S;
	t->done(t->ctx, &reply);
	transfer_free(f, t);
}

bool
fetcher_wait(struct fetcher *f, int fd, int timeout_ms)
{
	struct curl_waitfd extra = { .fd = fd, .events = CURL_WAIT_POLLIN };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	CURLMsg *msg;
	int left;

	(void)curl_multi_perform(f->multi, &left);
	while ((msg = curl_multi_info_read(f->multi, &left)) != NULL) {
		finish(f, msg);
		timeout_ms = 0;
	}
	(void)curl_multi_poll(f->multi, &extra, fd >= 0, timeout_ms, NULL);
	(void)curl_multi_perform(f->multi, &left);
	while ((msg = curl_multi_info_read(f->multi, &left)) != NULL)
		finish(f, msg);
	return fd >= 0 && poll(&p, 1, 0) > 0;
}
