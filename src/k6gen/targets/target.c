/* SPDX-License-Identifier: MIT */
/* Makes a target from its URL, headers and body, and from what the command
 * line gives. */
#include "k6gen/targets/target.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/file.h"
#include "io/url.h"

enum { BODY_MAX = 1 << 30 };

void
target_release(struct target *t)
{
	size_t i;

	text_release(&t->url);
	text_release(&t->body);
	for (i = 0; i < t->n_headers; i++)
		text_release(&t->headers[i]);
	for (i = 0; i < t->n_owned; i++)
		free(t->owned[i]);
	free(t->headers);
	free(t->tags);
	free(t->owned);
	*t = (struct target){ .n_owned = 0 };
}

const char *
target_keep(struct target *t, struct span text)
{
	char *copy = xstrndup(text.p, text.n);

	t->owned = xgrow(t->owned, t->n_owned, &t->cap_owned, sizeof(copy));
	t->owned[t->n_owned++] = copy;
	return copy;
}

static int
compile(struct text *to, struct span source, enum text_place place,
    const struct target_defaults *d, struct why *why)
{
	struct text_rules rules = { .place = place, .rows = d->rows };

	if (place == TEXT_BODY && source.p == d->body.p) {
		rules.files = d->files;
		rules.n_files = d->n_files;
	}
	text_release(to);
	to->source = source;
	return d->is_raw ? 0 : text_compile(to, source, &rules, why);
}

int
target_set_url(struct target *t, struct span url,
    const struct target_defaults *d, struct why *why)
{
	const char *text = target_keep(t, url);

	if (compile(&t->url, (struct span){ text, url.n }, TEXT_URL, d,
	    why) < 0)
		return -1;
	if (text_is_fixed(&t->url))
		return url_check(text, true, why);
	if (strncmp(text, "http://", 7) != 0 &&
	    strncmp(text, "https://", 8) != 0 &&
	    strncmp(text, "{{", 2) != 0)
		return why_set(why, "no scheme http:// or https://");
	return 0;
}

bool
target_is_token(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) &&
		    (s.p[i] == '\0' ||
		    strchr("!#$%&'*+-.^_`|~", s.p[i]) == NULL))
			return false;
	return s.n > 0;
}

int
target_check_header(struct span line, struct why *why)
{
	const char *colon = memchr(line.p, ':', line.n);
	size_t i;

	for (i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t')
			return why_set(why, "a control character in a header");
	if (colon == NULL || !target_is_token((struct span){ line.p,
	    (size_t)(colon - line.p) }))
		return why_set(why, "not a header: \"%.*s\" (Name: value)",
		    (int)line.n, line.p);
	return 0;
}

int
target_add_header(struct target *t, struct span line,
    const struct target_defaults *d, struct why *why)
{
	if (target_check_header(line, why) < 0)
		return -1;
	t->headers = xgrow(t->headers, t->n_headers, &t->cap_headers,
	    sizeof(*t->headers));
	t->headers[t->n_headers] = (struct text){ .n = 0 };
	return compile(&t->headers[t->n_headers++], (struct span){
	    target_keep(t, line), line.n }, TEXT_HEADER, d, why);
}

static int
add_basic(struct target *t, const struct target_defaults *d, struct why *why)
{
	struct text *header;

	t->headers = xgrow(t->headers, t->n_headers, &t->cap_headers,
	    sizeof(*t->headers));
	header = &t->headers[t->n_headers++];
	*header = (struct text){ .n = 0 };
	if (compile(header, span_of(d->basic), TEXT_HEADER, d, why) < 0)
		return -1;
	header->is_basic = true;
	return 0;
}

/* Whether one of the first headers has the name of this line. */
static bool
has_header(const struct target *t, size_t n_headers, const char *line)
{
	size_t i, n = strcspn(line, ":") + 1;

	for (i = 0; i < n_headers; i++)
		if (strncasecmp(t->headers[i].source.p, line, n) == 0)
			return true;
	return false;
}

int
target_complete(struct target *t, const struct target_defaults *d,
    struct why *why)
{
	size_t i, n_own = t->n_headers;

	for (i = 0; d->headers != NULL && i < d->headers->n; i++)
		if (!has_header(t, n_own, d->headers->items[i]) &&
		    target_add_header(t, span_of(d->headers->items[i]), d,
		    why) < 0)
			return -1;
	if (d->basic != NULL && !has_header(t, n_own, "Authorization:") &&
	    add_basic(t, d, why) < 0)
		return -1;
	if (!t->has_body && d->body.p != NULL) {
		t->has_body = true;
		if (compile(&t->body, d->body, TEXT_BODY, d, why) < 0)
			return -1;
	}
	if (t->method == NULL)
		t->method = d->method;
	if (t->method == NULL)
		t->method = t->has_body ? "POST" : "GET";
	if (t->name == NULL)
		t->name = d->name;
	/* Not each URL that placeholders make is a name of its own. */
	if (t->name == NULL && !text_is_fixed(&t->url))
		t->name = t->url.source.p;
	return 0;
}

int
target_set_body(struct target *t, struct span body,
    const struct target_defaults *d, struct why *why)
{
	t->has_body = true;
	return compile(&t->body, (struct span){ target_keep(t, body),
	    body.n }, TEXT_BODY, d, why);
}

static void
set_raw_body(struct target *t, struct span body)
{
	t->has_body = true;
	text_release(&t->body);
	t->body.source = (struct span){ target_keep(t, body), body.n };
}

int
target_set_body_file(struct target *t, const char *path,
    const struct target_defaults *d, struct why *why)
{
	struct buf file = { 0 };
	int status = file_read(path, BODY_MAX, &file, why);

	if (status > 0)
		status = why_set(why, "%s: %s", path, strerror(ENOENT));
	else if (status == 0 && d->is_template)
		status = target_set_body(t, buf_whole(&file), d, why);
	else if (status == 0)
		set_raw_body(t, buf_whole(&file));
	buf_release(&file);
	return status;
}

