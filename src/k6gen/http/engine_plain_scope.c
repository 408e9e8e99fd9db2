/* SPDX-License-Identifier: MIT */
/* Which options and URLs the plain engine takes. */
#include <stdlib.h>
#include <string.h>

#include "k6gen/http/engine_plain_priv.h"
#include "k6gen/http/http1_priv.h"

const char *
plain_split_url(const char *url, char authority[AUTHORITY])
{
	const char *from = url + sizeof("http://") - 1, *path, *p;
	size_t n;

	if (strncmp(url, "http://", sizeof("http://") - 1) != 0)
		return NULL;
	path = from + strcspn(from, "/?#");
	n = (size_t)(path - from);
	if (n == 0 || n > AUTHORITY - 8 || strstr(path, "/.") != NULL)
		return NULL;
	for (p = from; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f ||
		    *p == '#' || *p == '\\' || (p < path && (*p == '@' ||
		    *p == '%')))
			return NULL;
	memcpy(authority, from, n);
	authority[n] = '\0';
	p = strrchr(authority, ':');
	if (p == NULL || p < (strrchr(authority, ']') != NULL ?
	    strrchr(authority, ']') : authority))
		memcpy(authority + n, ":80", sizeof(":80"));
	else if (p[1] == '\0')
		return NULL;
	return path;
}

/* curl's rules for proxies apply where there may be one. */
static bool
has_proxy(const struct http_options *o)
{
	static const char *const names[] = { "http_proxy", "all_proxy",
		"ALL_PROXY" };
	size_t i;

	if (o->proxy != NULL)
		return o->proxy[0] != '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]) != NULL)
			return true;
	return false;
}

bool
plain_takes_options(const struct http_options *o)
{
	return o->version != HTTP_2 && o->keep != HTTP_KEEP_SHARED &&
	    !has_proxy(o) && o->unix_socket == NULL && o->source == NULL &&
	    o->connect_to.n == 0 && o->resolve.n == 0 && !o->is_compressed &&
	    !http1_is_special(&o->headers);
}
