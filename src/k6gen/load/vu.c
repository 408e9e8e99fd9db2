/* SPDX-License-Identifier: MIT */
/* The request of a virtual user: its target with placeholders filled in. */
#include "k6gen/load/vu.h"

#include <stdlib.h>

#include "k6gen/http/redirect.h"

void
vu_release(struct vu *v)
{
	size_t i;

	for (i = 0; i < v->cap; i++)
		buf_release(&v->headers[i]);
	free(v->headers);
	free(v->lines);
	free(v->hop_url);
	buf_release(&v->url);
	buf_release(&v->body);
}

/* The text, filled in if it has placeholders. */
static struct span
fill(const struct text *t, const struct text_values *values, struct buf *out)
{
	if (text_is_fixed(t))
		return t->source;
	buf_reset(out);
	text_fill(t, values, out);
	return buf_whole(out);
}

/* A cell's line break would end the header: a blank instead (RFC 9110 5.5). */
static const char *
fill_header(const struct text *t, const struct text_values *values,
    struct buf *out)
{
	char *p;

	if (text_is_fixed(t))
		return t->source.p;
	(void)fill(t, values, out);
	for (p = out->p; p < out->p + out->n; p++)
		if (*p == '\r' || *p == '\n' || *p == '\0')
			*p = ' ';
	return out->p;
}

static void
make_room(struct vu *v, size_t n)
{
	if (n <= v->cap)
		return;
	v->headers = xrealloc(v->headers, n * sizeof(*v->headers));
	v->lines = xrealloc(v->lines, n * sizeof(*v->lines));
	memset(v->headers + v->cap, 0, (n - v->cap) * sizeof(*v->headers));
	v->cap = n;
}

void
vu_prepare(struct vu *v, const struct text_values *values)
{
	const struct target *t = v->target;
	size_t i;

	v->request = (struct http_request){ .method = t->method,
		.url = fill(&t->url, values, &v->url).p };
	if (t->has_body)
		v->request.body = fill(&t->body, values, &v->body);
	make_room(v, t->n_headers);
	for (i = 0; i < t->n_headers; i++)
		v->lines[i] = fill_header(&t->headers[i], values,
		    &v->headers[i]);
	v->request.headers = (struct http_texts){ v->lines, t->n_headers };
}

void
vu_follow(struct vu *v, const struct http_reply *reply)
{
	const char *first = text_is_fixed(&v->target->url) ?
	    v->target->url.source.p : v->url.p;
	char *url = redirect_follow(&v->request, reply, first);

	free(v->hop_url);
	v->hop_url = url;
}
