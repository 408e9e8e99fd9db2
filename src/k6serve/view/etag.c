/* SPDX-License-Identifier: MIT */
/* Makes the tag of an answer, which is the beginning of a digest. */
#include "k6serve/view/etag.h"

#include <string.h>

#include "k6serve/http/digest.h"

enum { TAG_BYTES = 12 };

/* Is the tag in the list of If-None-Match? A weak one is as good. */
static bool
is_listed(const char *list, const char *tag)
{
	return list != NULL && (strcmp(list, "*") == 0 ||
	    strstr(list, tag) != NULL);
}

bool
etag_matches(struct call *c, struct span what)
{
	unsigned char digest[DIGEST_BYTES];
	struct buf tag = { 0 };
	struct why why;
	int i;

	if (digest_sha256(what, digest, &why) < 0)
		return false;
	buf_char(&tag, '"');
	for (i = 0; i < TAG_BYTES; i++)
		buf_printf(&tag, "%02x", digest[i]);
	buf_char(&tag, '"');
	reply_own_field(c->reply, "ETag", tag.p);
	reply_field(c->reply, "Vary", "Accept-Encoding");
	if (!is_listed(httpd_header(c->r, "If-None-Match"), tag.p))
		return false;
	c->reply->status = 304;
	return true;
}
