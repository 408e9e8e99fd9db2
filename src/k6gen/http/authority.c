/* SPDX-License-Identifier: MIT */
/* Host and port of a URL; hosts with letters beyond ASCII. */
#include "k6gen/http/authority.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where the host begins, behind the scheme and a user. */
static const char *
host_in(const char *url, const char **end, bool *has_tls)
{
	const char *from, *at, *p;

	if (strncasecmp(url, "http://", 7) == 0)
		from = url + 7;
	else if (strncasecmp(url, "https://", 8) == 0)
		from = url + 8;
	else
		return NULL;
	*has_tls = from == url + 8;
	*end = from + strcspn(from, "/?#");
	for (at = from, p = from; p < *end; p++)
		if (*p == '@')
			at = p + 1;
	return at;
}

/* The colon before a port; NULL: there is none. */
static const char *
port_in(const char *host, const char *end)
{
	const char *p;

	for (p = end; p > host && p[-1] != ']'; p--)
		if (p[-1] == ':')
			return p - 1;
	return NULL;
}

const char *
authority_split(const char *url, char authority[AUTHORITY], bool *has_tls)
{
	const char *end, *host = host_in(url, &end, has_tls), *port;
	size_t n;

	if (host == NULL || host == end || end - host > AUTHORITY - 8)
		return NULL;
	n = (size_t)(end - host);
	memcpy(authority, host, n);
	authority[n] = '\0';
	port = port_in(host, end);
	if (port == host)
		return NULL;
	if (port == NULL)
		memcpy(authority + n, *has_tls ? ":443" : ":80", *has_tls ?
		    sizeof(":443") : sizeof(":80"));
	else if (port + 1 == end)
		return NULL;
	return end;
}

struct span
authority_host(const char *authority)
{
	struct span host = { authority, (size_t)(strrchr(authority, ':') -
	    authority) };

	if (host.n >= 2 && host.p[0] == '[')
		host = (struct span){ host.p + 1, host.n - 2 };
	return host;
}

bool
authority_to_ascii(const char *url, struct buf *out)
{
	bool has_tls, is_ascii = true;
	const char *end, *host = host_in(url, &end, &has_tls), *port, *p;
	char *name, *ascii = NULL;

	for (p = host; p != NULL && p < end; p++)
		is_ascii = is_ascii && (unsigned char)*p < 0x80;
	if (is_ascii)
		return false;
	port = port_in(host, end);
	if (port == NULL)
		port = end;
	name = xstrndup(host, (size_t)(port - host));
	if (idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT |
	    IDN2_NONTRANSITIONAL) == IDN2_OK) {
		buf_reset(out);
		buf_add(out, url, (size_t)(host - url));
		buf_text(out, ascii);
		buf_text(out, port);
		idn2_free(ascii);
		is_ascii = true;
	}
	free(name);
	return is_ascii;
}
