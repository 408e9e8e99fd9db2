/* SPDX-License-Identifier: MIT */
/* Host and port of a URL; hosts with letters beyond ASCII. */
#include "k6gen/http/authority.h"

#include <idn2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PORT_DIGITS = 5 };

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

/* Are these the digits of a port that can be asked? */
static bool
is_port(const char *p, const char *end)
{
	int port = 0;

	if (p == end || end - p > PORT_DIGITS)
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		port = port * 10 + (*p - '0');
	return p == end && port > 0 && port <= UINT16_MAX;
}

/* Are there no brackets, or those of an IPv6 address? */
static bool
has_right_brackets(const char *host, const char *end)
{
	size_t n = (size_t)(end - host);

	if (*host == '[')
		return n > 2 && memchr(host, ']', n) == end - 1;
	return memchr(host, '[', n) == NULL && memchr(host, ']', n) == NULL;
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
	if (port == host || !has_right_brackets(host, port != NULL ? port :
	    end) || (port != NULL && !is_port(port + 1, end)))
		return NULL;
	if (port == NULL)
		memcpy(authority + n, *has_tls ? ":443" : ":80", *has_tls ?
		    sizeof(":443") : sizeof(":80"));
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

static bool
is_ascii_text(const char *p, const char *end)
{
	uint64_t eight, all = 0;

	for (; end - p >= 8; p += 8) {
		memcpy(&eight, p, sizeof(eight));
		all |= eight;
	}
	for (; p < end; p++)
		all |= (unsigned char)*p;
	return (all & 0x8080808080808080U) == 0;
}

bool
authority_to_ascii(const char *url, struct buf *out)
{
	bool has_tls, is_ascii = false;
	const char *end, *host, *port;
	char *name, *ascii = NULL;

	/* Nearly all of them; to look for the host costs more. */
	if (is_ascii_text(url, url + strlen(url)))
		return false;
	host = host_in(url, &end, &has_tls);
	if (host == NULL || is_ascii_text(host, end))
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
