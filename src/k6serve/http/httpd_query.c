/* SPDX-License-Identifier: MIT */
/* What a handler reads of a request's head: fields, the query, a password. */
#include <string.h>

#include "k6serve/http/httpd_priv.h"

const char *
httpd_header(const struct httpd_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
	    name);
}

const char *
httpd_query(const struct httpd_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection,
	    MHD_GET_ARGUMENT_KIND, name);
}

/* While the words of a query are looked at. */
struct query_words {
	const char *known, *other;
};

static enum MHD_Result
look_at_word(void *ctx, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct query_words *w = ctx;
	const char *p = w->known;
	size_t n = strlen(name);

	(void)kind;
	(void)value;
	while ((p = strstr(p, name)) != NULL) {
		if (n > 0 && (p == w->known || p[-1] == ' ') &&
		    (p[n] == ' ' || p[n] == '\0'))
			return MHD_YES;
		p++;
	}
	w->other = name;
	return MHD_NO;
}

const char *
httpd_query_other(const struct httpd_request *r, const char *words)
{
	struct query_words w = { .known = words };

	(void)MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND,
	    look_at_word, &w);
	return w.other;
}

/* While the values of a word are gathered. */
struct query_values {
	const char *name, **values;
	size_t n, most;
};

static enum MHD_Result
take_value(void *ctx, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct query_values *q = ctx;

	(void)kind;
	if (strcmp(name, q->name) != 0)
		return MHD_YES;
	if (q->n < q->most)
		q->values[q->n] = value != NULL ? value : "";
	q->n++;
	return MHD_YES;
}

size_t
httpd_query_all(const struct httpd_request *r, const char *name,
    const char **values, size_t most)
{
	struct query_values q = { .name = name, .values = values,
	    .most = most };

	(void)MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND,
	    take_value, &q);
	return q.n;
}

/* While one that comes twice is looked for. */
struct query_twice {
	const struct httpd_request *r;
	const char *name;
};

static enum MHD_Result
look_at_count(void *ctx, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct query_twice *t = ctx;

	(void)kind;
	(void)value;
	if (strcmp(name, "tag") == 0 ||
	    httpd_query_all(t->r, name, NULL, 0) < 2)
		return MHD_YES;
	t->name = name;
	return MHD_NO;
}

const char *
httpd_query_twice(const struct httpd_request *r)
{
	struct query_twice t = { .r = r };

	(void)MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND,
	    look_at_count, &t);
	return t.name;
}

void
httpd_password(const struct httpd_request *r, struct buf *out)
{
	char *password = NULL;
	char *user = MHD_basic_auth_get_username_password(r->connection,
	    &password);

	if (password != NULL)
		buf_text(out, password);
	MHD_free(user);
	MHD_free(password);
}
