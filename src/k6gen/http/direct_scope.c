/* SPDX-License-Identifier: MIT */
/* Which options and URLs the direct engine takes. */
#include <stdlib.h>
#include <string.h>

#include "k6gen/http/direct_priv.h"

const char *
direct_split_url(const char *url, char authority[AUTHORITY], bool *has_tls)
{
	const char *path = authority_split(url, authority, has_tls), *p;

	if (path == NULL || strstr(path, "/.") != NULL)
		return NULL;
	for (p = url; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f ||
		    *p == '#' || *p == '\\' || (p < path && (*p == '@' ||
		    *p == '%')))
			return NULL;
	return path;
}

/* curl's rules for proxies apply where there may be one. */
static bool
has_proxy(const struct http_options *o)
{
	static const char *const names[] = { "http_proxy", "https_proxy",
		"HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
	size_t i;

	if (o->proxy != NULL)
		return o->proxy[0] != '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]) != NULL)
			return true;
	return false;
}

bool
direct_takes_options(const struct http_options *o)
{
	return !has_proxy(o) && o->unix_socket == NULL && o->source == NULL &&
	    o->connect_to.n == 0 && o->resolve.n == 0 && !o->is_compressed &&
	    !http1_is_special(&o->headers);
}
