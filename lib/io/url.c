/* SPDX-License-Identifier: MIT */
/* Decides by libcurl's parser which URLs are accepted, and what of them is
 * secret. */
#include "io/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/num.h"

enum { SERVER_MAX = 2000, HOST_MAX = 255 };

/* A URL taken apart by curl. Texts are curl's; NULL: not there. */
struct parts {
	char *scheme, *user, *password, *host, *port;
};

static char *
part(CURLU *u, CURLUPart which, unsigned flags)
{
	char *text = NULL;

	return curl_url_get(u, which, &text, flags) == CURLUE_OK ? text : NULL;
}

/* What is not CURLUE_OK leaves p empty. */
static CURLUcode
take_apart(const char *url, struct parts *p)
{
	CURLU *u = curl_url();
	CURLUcode code;

	*p = (struct parts){ 0 };
	code = curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	if (code == CURLUE_OK)
		*p = (struct parts){ part(u, CURLUPART_SCHEME, 0),
			part(u, CURLUPART_USER, 0),
			part(u, CURLUPART_PASSWORD, 0),
			part(u, CURLUPART_HOST, 0),
			part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT) };
	curl_url_cleanup(u);
	return code;
}

static void
release_parts(struct parts *p)
{
	curl_free(p->scheme);
	curl_free(p->user);
	curl_free(p->password);
	curl_free(p->host);
	curl_free(p->port);
}

static bool
is_http(const struct parts *p)
{
	return p->scheme != NULL && (strcasecmp(p->scheme, "http") == 0 ||
	    strcasecmp(p->scheme, "https") == 0);
}

static int
check_parts(const char *url, const struct parts *p, bool allows_user,
    struct why *why)
{
	int64_t port;

	if (!is_http(p))
		return why_set(why, "unsupported scheme \"%.32s\" "
		    "(http and https are known)",
		    p->scheme != NULL ? p->scheme : "");
	/* curl forgives a third slash, others see an empty host. */
	if (p->host == NULL || p->host[0] == '\0' ||
	    strchr("/?#", strstr(url, "://")[3]) != NULL)
		return why_set(why, "no host");
	if (strlen(p->host) > HOST_MAX)
		return why_set(why, "the host name is too long");
	if (p->port == NULL || !num_parse_int(p->port, 1, 65535, &port))
		return why_set(why, "the port is not 1 to 65535");
	if (!allows_user && (p->user != NULL || p->password != NULL))
		return why_set(why, "a user or password in the URL");
	return 0;
}

static int
check_text(const char *url, struct why *why)
{
	const char *p;

	if (strlen(url) > URL_MAX)
		return why_set(why, "longer than %d bytes", (int)URL_MAX);
	for (p = url; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return why_set(why, "a blank or control byte in it");
	if (strstr(url, "://") == NULL)
		return why_set(why, "no scheme (http:// or https://)");
	return 0;
}

int
url_check(const char *url, bool allows_user, struct why *why)
{
	struct parts p;
	CURLUcode code;
	int status;

	if (check_text(url, why) < 0)
		return -1;
	code = take_apart(url, &p);
	if (code == CURLUE_OK)
		status = check_parts(url, &p, allows_user, why);
	else if (code == CURLUE_BAD_PORT_NUMBER)
		status = why_set(why, "the port is not 1 to 65535");
	else if (code == CURLUE_BAD_SCHEME)
		status = why_set(why, "no scheme (http:// or https://)");
	else
		status = why_set(why, "not a URL: %s",
		    curl_url_strerror(code));
	release_parts(&p);
	return status;
}

int
url_check_server(const char *url, bool has_token, bool allows_http,
    struct why *why)
{
	struct why reason;
	char *masked;
	int status;

	if (strlen(url) > SERVER_MAX)
		return why_set(why, "URL longer than %d bytes",
		    (int)SERVER_MAX);
	status = url_check(url, false, &reason);
	if (status == 0 && has_token && !allows_http && !url_is_private(url))
		status = why_set(&reason, "a token would go over plain http: "
		    "use https, or --insecure-http");
	if (status == 0)
		return 0;
	masked = url_mask(url);
	(void)why_set(why, "%.120s: %.120s", masked, reason.text);
	free(masked);
	return -1;
}

/* Host as curl has it: numbers are whole addresses, IPv6 stands in []. */
static bool
is_loopback(const char *host)
{
	char text[INET6_ADDRSTRLEN] = "";
	size_t n = strlen(host);
	struct in6_addr a6;
	struct in_addr a4;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &a4) == 1)
		return ntohl(a4.s_addr) >> 24 == 127;
	if (host[0] != '[' || n < 3 || n - 2 >= sizeof(text))
		return false;
	memcpy(text, host + 1, n - 2);
	return inet_pton(AF_INET6, text, &a6) == 1 &&
	    IN6_IS_ADDR_LOOPBACK(&a6);
}

bool
url_is_private(const char *url)
{
	struct parts p;
	bool is_private;

	(void)take_apart(url, &p);
	is_private = is_http(&p) && p.host != NULL &&
	    (strcasecmp(p.scheme, "https") == 0 || is_loopback(p.host));
	release_parts(&p);
	return is_private;
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

bool
url_same_origin(const char *a, const char *b)
{
	struct parts p, q;
	bool is_same;

	(void)take_apart(a, &p);
	(void)take_apart(b, &q);
	is_same = same(p.scheme, q.scheme) && same(p.host, q.host) &&
	    same(p.port, q.port);
	release_parts(&p);
	release_parts(&q);
	return is_same;
}

char *
url_resolve(const char *base, const char *reference)
{
	const unsigned flags = CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE |
	    CURLU_ALLOW_SPACE;
	CURLU *u = curl_url();
	CURLUcode code = curl_url_set(u, CURLUPART_URL, base, flags);
	char *text = NULL, *copy = NULL;

	/* These two name the document itself; curl would cut its last
	 * segment off. */
	if (code == CURLUE_OK && reference[0] == '\0')
		code = curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	else if (code == CURLUE_OK && reference[0] == '#')
		code = curl_url_set(u, CURLUPART_FRAGMENT, reference + 1,
		    CURLU_URLENCODE);
	else if (code == CURLUE_OK)
		code = curl_url_set(u, CURLUPART_URL, reference, flags);
	if (code == CURLUE_OK)
		text = part(u, CURLUPART_URL, 0);
	if (text != NULL)
		copy = xstrdup(text);
	curl_free(text);
	curl_url_cleanup(u);
	return copy;
}

/* Of what curl does not take, all that could be a password is masked. */
static char *
mask_text(const char *url)
{
	const char *start = strstr(url, "://"), *at = strrchr(url, '@');

	if (at == NULL)
		return xstrdup(url);
	start = start != NULL && start < at ? start + 3 : url;
	return xasprintf("%.*s****%s", (int)(start - url), url, at);
}

/* Put stars in place of user and password; false: there are none. */
static bool
mask_parts(CURLU *u)
{
	static const CURLUPart secrets[] = { CURLUPART_USER,
		CURLUPART_PASSWORD };
	bool has_any = false;
	char *text;
	size_t i;

	for (i = 0; i < 2; i++) {
		text = part(u, secrets[i], 0);
		has_any |= text != NULL;
		if (text != NULL)
			(void)curl_url_set(u, secrets[i], "****", 0);
		curl_free(text);
	}
	return has_any;
}

char *
url_mask(const char *url)
{
	char *text = NULL, *copy;
	bool is_known;
	CURLU *u;

	if (strchr(url, '@') == NULL)
		return xstrdup(url);
	u = curl_url();
	is_known = curl_url_set(u, CURLUPART_URL, url,
	    CURLU_NON_SUPPORT_SCHEME | CURLU_ALLOW_SPACE) == CURLUE_OK;
	if (is_known && !mask_parts(u)) {
		copy = xstrdup(url);
	} else {
		if (is_known)
			text = part(u, CURLUPART_URL, 0);
		copy = text != NULL ? xstrdup(text) : mask_text(url);
	}
	curl_free(text);
	curl_url_cleanup(u);
	return copy;
}
