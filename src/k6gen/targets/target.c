/* SPDX-License-Identifier: MIT */
/* Targets from lines: vegeta's text form, and JSON. */
#include "k6gen/targets/target.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/file.h"
#include "data/jsn.h"
#include "io/url.h"
#include "k6gen/targets/base64.h"

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

static void
discard(struct target *t)
{
	if (t != NULL)
		target_release(t);
	free(t);
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

static int
add_header(struct target *t, struct span line,
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

static bool
has_header(const struct target *t, const char *line)
{
	size_t i, n = strcspn(line, ":") + 1;

	for (i = 0; i < t->n_headers; i++)
		if (strncasecmp(t->headers[i].source.p, line, n) == 0)
			return true;
	return false;
}

int
target_complete(struct target *t, const struct target_defaults *d,
    struct why *why)
{
	size_t i;

	for (i = 0; d->headers != NULL && i < d->headers->n; i++)
		if (!has_header(t, d->headers->items[i]) &&
		    add_header(t, span_of(d->headers->items[i]), d, why) < 0)
			return -1;
	if (d->basic != NULL && !has_header(t, "Authorization:") &&
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

static int
set_body(struct target *t, struct span body,
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

static int
set_body_file(struct target *t, const char *path,
    const struct target_defaults *d, struct why *why)
{
	struct buf file = { 0 };
	int status = file_read(path, BODY_MAX, &file, why);

	if (status > 0)
		status = why_set(why, "%s: %s", path, strerror(ENOENT));
	else if (status == 0 && d->is_template)
		status = set_body(t, buf_whole(&file), d, why);
	else if (status == 0)
		set_raw_body(t, buf_whole(&file));
	buf_release(&file);
	return status;
}

/* METHOD URL */
static int
open_text(struct target_reader *r, struct span line, struct why *why)
{
	const char *blank = memchr(line.p, ' ', line.n);
	struct span method = { line.p, blank != NULL ?
		(size_t)(blank - line.p) : 0 }, url;

	if (blank == NULL || !target_is_token(method))
		return why_set(why, "not METHOD URL: \"%.*s\"", (int)line.n,
		    line.p);
	url = (struct span){ blank + 1, line.n - method.n - 1 };
	while (url.n > 0 && url.p[0] == ' ') {
		url.p++;
		url.n--;
	}
	r->open = xcalloc(1, sizeof(*r->open));
	r->open->method = target_keep(r->open, method);
	if (target_set_url(r->open, url, r->defaults, why) == 0)
		return 0;
	discard(r->open);
	r->open = NULL;
	return -1;
}

/* A header cannot hold a blank before its colon, a request line must. */
static bool
begins_target(struct span line)
{
	const char *blank = memchr(line.p, ' ', line.n);
	const char *colon = memchr(line.p, ':', line.n);

	return blank != NULL && (colon == NULL || blank < colon);
}

int
target_reader_end(struct target_reader *r, struct target **done,
    struct why *why)
{
	struct target *t = r->open;

	*done = NULL;
	r->open = NULL;
	if (t == NULL)
		return 0;
	if (target_complete(t, r->defaults, why) < 0) {
		discard(t);
		return -1;
	}
	*done = t;
	return 0;
}

static int
take_text(struct target_reader *r, struct span line, struct target **done,
    struct why *why)
{
	struct target *t = r->open;
	int status;

	if (line.n == 0)
		return target_reader_end(r, done, why);
	if (line.p[0] == '#')
		return 0;
	if (begins_target(line)) {
		if (target_reader_end(r, done, why) < 0)
			return -1;
		if (open_text(r, line, why) == 0)
			return 0;
		discard(*done);
		*done = NULL;
		return -1;
	}
	if (t == NULL)
		return why_set(why, "not METHOD URL: \"%.*s\"", (int)line.n,
		    line.p);
	if (line.p[0] == '@')
		status = set_body_file(t, target_keep(t, (struct span){
		    line.p + 1, line.n - 1 }), r->defaults, why);
	else
		status = add_header(t, line, r->defaults, why);
	if (status == 0)
		return 0;
	discard(t);
	r->open = NULL;
	return -1;
}

/* A plain copy of the string that the cursor stands at. */
static struct span
read_text(struct target *t, struct jsn *j)
{
	struct buf plain = { 0 };
	struct span raw = { "", 0 }, text;

	if (!jsn_text(j, &raw))
		return raw;
	jsn_unescape(&plain, raw);
	text = (struct span){ target_keep(t, buf_whole(&plain)), plain.n };
	buf_release(&plain);
	return text;
}

static struct span
read_key(struct target *t, struct span raw)
{
	struct buf plain = { 0 };
	struct span text;

	jsn_unescape(&plain, raw);
	text = (struct span){ target_keep(t, buf_whole(&plain)), plain.n };
	buf_release(&plain);
	return text;
}

static int
read_header(struct target *t, struct jsn *j, struct span key,
    const struct target_defaults *d, struct why *why)
{
	struct span value = read_text(t, j);
	char *line = xasprintf("%.*s: %.*s", (int)key.n, key.p, (int)value.n,
	    value.p);
	int status = add_header(t, span_of(line), d, why);

	free(line);
	return status;
}

/* {"Name": "value", "Name": ["value", "value"]} */
static int
read_headers(struct target *t, struct jsn *j,
    const struct target_defaults *d, struct why *why)
{
	struct span raw, key;

	if (!jsn_enter(j, '{'))
		return 0;
	while (jsn_member(j, &raw)) {
		key = read_key(t, raw);
		if (jsn_peek(j) != '[') {
			if (read_header(t, j, key, d, why) < 0)
				return -1;
			continue;
		}
		if (!jsn_enter(j, '['))
			return 0;
		while (jsn_element(j))
			if (read_header(t, j, key, d, why) < 0)
				return -1;
	}
	return 0;
}

static void
read_tags(struct target *t, struct jsn *j)
{
	struct span raw;
	struct tag tag;

	if (!jsn_enter(j, '{'))
		return;
	while (jsn_member(j, &raw)) {
		tag.key = read_key(t, raw);
		tag.value = read_text(t, j);
		t->tags = xgrow(t->tags, t->n_tags, &t->cap_tags,
		    sizeof(tag));
		t->tags[t->n_tags++] = tag;
	}
}

static int
read_body(struct target *t, struct jsn *j,
    const struct target_defaults *d, struct why *why)
{
	struct span text = read_text(t, j);
	struct buf bytes = { 0 };
	int status;

	if (!d->is_base64 || j->error != NULL)
		return set_body(t, text, d, why);
	status = base64_decode(text, &bytes) ? set_body(t, buf_whole(&bytes),
	    d, why) : why_set(why, "body: not base64");
	buf_release(&bytes);
	return status;
}

static int
read_member(struct target *t, struct jsn *j, struct span key,
    const struct target_defaults *d, struct why *why)
{
	struct span text;

	/* What programs write for a member that they do not have. */
	if (jsn_peek(j) == 'n') {
		(void)jsn_skip(j);
		return 0;
	}
	if (jsn_same(key, "headers") || jsn_same(key, "header"))
		return read_headers(t, j, d, why);
	if (jsn_same(key, "url")) {
		text = read_text(t, j);
		return j->error == NULL ? target_set_url(t, text, d, why) : 0;
	}
	if (jsn_same(key, "body"))
		return read_body(t, j, d, why);
	if (jsn_same(key, "method")) {
		text = read_text(t, j);
		if (!target_is_token(text) && j->error == NULL)
			return why_set(why, "not an HTTP method: \"%s\"",
			    text.p);
		t->method = text.p;
		return 0;
	}
	if (jsn_same(key, "tags"))
		read_tags(t, j);
	else if (jsn_same(key, "name"))
		t->name = read_text(t, j).p;
	else
		(void)jsn_skip(j);
	return 0;
}

static int
read_json(struct target *t, struct span line,
    const struct target_defaults *d, struct why *why)
{
	struct jsn j = jsn_of(line);
	struct span key;

	if (jsn_enter(&j, '{'))
		while (jsn_member(&j, &key))
			if (read_member(t, &j, key, d, why) < 0)
				return -1;
	if (!jsn_done(&j))
		return why_set(why, "%s at byte %zu", j.error != NULL ?
		    j.error : "more than one object", jsn_column(&j));
	if (t->url.source.p == NULL)
		return why_set(why, "no url");
	return target_complete(t, d, why);
}

/* As vegeta reads lines, those of DOS too. */
static struct span
trim(struct span line)
{
	while (line.n > 0 && strchr(" \t\r", line.p[line.n - 1]) != NULL &&
	    line.p[line.n - 1] != '\0')
		line.n--;
	while (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t')) {
		line.p++;
		line.n--;
	}
	return line;
}

int
target_reader_take(struct target_reader *r, struct span line,
    struct target **done, struct why *why)
{
	struct target *t;

	*done = NULL;
	line = trim(line);
	if (r->open != NULL || line.n == 0 || line.p[0] != '{')
		return take_text(r, line, done, why);
	t = xcalloc(1, sizeof(*t));
	if (read_json(t, line, r->defaults, why) < 0) {
		discard(t);
		return -1;
	}
	*done = t;
	return 0;
}
