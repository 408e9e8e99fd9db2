/* SPDX-License-Identifier: MIT */
/* Reads what of a head libmicrohttpd hands over as it came, and refuses heads
 * that it takes and that others would read in another way: behind a proxy they
 * could smuggle in a request (RFC 9112). */
#include <string.h>

#include "base/mem.h"
#include "k6serve/http/httpd_priv.h"

/* A name that a head may have once. */
enum once { LENGTH, HOST, CODING, ORIGIN, TOKEN, TYPE, ONCE };

static const char *const once_names[ONCE] = { "Content-Length", "Host",
	"Transfer-Encoding", "Origin", "Authorization", "Content-Type" };

/* While the fields of a head are looked at. */
struct head {
	unsigned n[ONCE];
	const char *fault;	/* the first; NULL: none */
};

static void
fail(struct head *h, const char *fault)
{
	if (h->fault == NULL)
		h->fault = fault;
}

/* A token of RFC 9110. */
static bool
is_name(const char *p, size_t n)
{
	return n != 0 && strspn(p, "!#$%&'*+-.^_`|~0123456789"
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == n;
}

/* Did the line end in CR LF? libmicrohttpd takes a lone CR or LF too, and
 * writes a NUL over each byte of the end, in place: behind the NUL of a text
 * then stands that of the LF (a later version may leave the LF), or white space
 * that was cut off, but not what follows. The empty line at the end of each
 * head makes sure that there is such a byte. */
static bool
has_ended(const char *text, size_t n)
{
	return text[n + 1] == '\0' || strchr("\n \t", text[n + 1]) != NULL;
}

static bool
has_control(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (((unsigned char)p[i] < ' ' && p[i] != '\t') ||
		    p[i] == 0x7f)
			return true;
	return false;
}

static enum MHD_Result
see_field(void *ctx, enum MHD_ValueKind kind, const char *name,
    size_t name_n, const char *value, size_t n)
{
	struct head *h = ctx;
	int i;

	(void)kind;
	if (!is_name(name, name_n))
		fail(h, "the name of a field is not valid");
	if (value == NULL)
		return MHD_YES;
	if (has_control(value, n))
		fail(h, "a field has a control character");
	else if (!has_ended(value, n))
		fail(h, "a line does not end in CR LF");
	for (i = 0; i < ONCE; i++)
		if (strcasecmp(name, once_names[i]) == 0 && ++h->n[i] > 1)
			fail(h, "a field comes twice that may come once");
	if (strcasecmp(name, once_names[CODING]) == 0 &&
	    strcasecmp(value, "chunked") != 0)
		fail(h, "the Transfer-Encoding is not chunked");
	return MHD_YES;
}

const char *
head_path(const char *target, char **host)
{
	const char *from = strncasecmp(target, "http://", 7) == 0 ?
	    target + 7 : strncasecmp(target, "https://", 8) == 0 ?
	    target + 8 : NULL;
	size_t n;

	*host = NULL;
	if (from == NULL)
		return target;
	n = strcspn(from, "/?");
	*host = xstrndup(from, n);
	return from[n] == '/' ? from + n : "/";
}

const char *
head_fault(struct MHD_Connection *connection, const char *version)
{
	struct head h = { .fault = NULL };

	if (version[0] != '\0' && !has_ended(version, strlen(version)))
		fail(&h, "a line does not end in CR LF");
	(void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND,
	    see_field, &h);
	return h.fault;
}
