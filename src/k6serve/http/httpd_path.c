/* SPDX-License-Identifier: MIT */
/* Decodes paths and queries. */
#include <string.h>

#include "base/mem.h"
#include "k6serve/http/httpd_priv.h"

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;
	int digit = at != NULL ? (int)(at - digits) : -1;

	return digit < 16 ? digit : digit - 6;
}

/* Write what is escaped at p, or its first byte. Returns what is behind it. */
static const char *
unescape_one(const char *p, char **to)
{
	int high = p[0] == '%' ? hex_digit(p[1]) : -1;
	int low = high >= 0 ? hex_digit(p[2]) : -1;
	int byte = high * 16 + low;

	if (low < 0 || byte == HTTPD_SLASH) {	/* which is never decoded */
		*(*to)++ = *p;
		return p + 1;
	}
	*(*to)++ = byte == '/' ? HTTPD_SLASH : (char)byte;
	return p + 3;
}

char *
path_clean(const char *uri)
{
	size_t n = strcspn(uri, "?");
	char *path = xmalloc(n + 1), *to = path;
	const char *end = uri + n, *p = uri, *nul = strstr(uri, "%00");

	while (p < end)
		if (p[0] == '/' && to != path && to[-1] == '/')
			p++;
		else if (nul != NULL && nul < end)
			*to++ = *p++;
		else
			p = unescape_one(p, &to);
	*to = '\0';
	return path;
}

size_t
query_unescape(void *ctx, struct MHD_Connection *connection, char *text)
{
	(void)ctx;
	(void)connection;
	return strstr(text, "%00") != NULL ? strlen(text)
	    : MHD_http_unescape(text);
}
