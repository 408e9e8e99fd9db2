/* SPDX-License-Identifier: MIT */
/* Reads the field Accept-Encoding: names with weights. */
#include "k6serve/http/accept.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANK " \t"

/* Is the element, which ends at a comma, that coding? */
static bool
is_coding(const char *element, const char *coding)
{
	size_t n = strcspn(element, BLANK ";,");

	return n == strlen(coding) && strncasecmp(element, coding, n) == 0;
}

/* An element without a weight is wanted; one of weight 0 is not. */
static bool
is_wanted(const char *element)
{
	const char *p = element + strcspn(element, ";,");

	if (*p != ';')
		return true;
	p += 1 + strspn(p + 1, BLANK);
	return strncasecmp(p, "q=", 2) != 0 || strtod(p + 2, NULL) > 0;
}

bool
accepts_gzip(const struct httpd_request *r)
{
	const char *p = httpd_header(r, "Accept-Encoding");
	bool takes_any = false;

	if (p == NULL)
		return false;
	while (*(p += strspn(p, BLANK ",")) != '\0') {
		if (is_coding(p, "gzip") || is_coding(p, "x-gzip"))
			return is_wanted(p);
		if (is_coding(p, "*"))
			takes_any = is_wanted(p);
		p += strcspn(p, ",");
	}
	return takes_any;
}
