/* SPDX-License-Identifier: MIT */
/* Targets from lines: vegeta's text form, and JSON. */
#include "k6gen/targets/target.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "base/num.h"
#include "data/jsn.h"
#include "k6gen/targets/base64.h"

static void
discard(struct target *t)
{
	if (t != NULL)
		target_release(t);
	free(t);
}

static int
set_weight(struct target *t, double weight, struct why *why)
{
	if (!(weight >= 1 && weight <= TARGET_MOST_WEIGHT) ||
	    weight != floor(weight))
		return why_set(why, "not a weight: a whole number of 1 to %d",
		    TARGET_MOST_WEIGHT);
	t->weight = (int64_t)weight;
	return 0;
}

/* "weight 3" and "weight=3" are comments, but hardly meant so. */
static bool
is_doubtful(struct span behind)
{
	struct span number = span_trim(behind, " \t=");
	double weight;

	return number.n > 0 && number.n < behind.n &&
	    num_parse(number.p, number.n, &weight) == number.n;
}

/* A comment of the text form, which may be "# weight: 3" below the line of its
 * target. */
static int
take_comment(struct target_reader *r, struct span line, struct why *why)
{
	struct target *t = r->open;
	struct span text = span_trim((struct span){ line.p + 1, line.n - 1 },
	    " \t");
	double weight;

	if (text.n < 7 || strncasecmp(text.p, "weight", 6) != 0)
		return 0;
	text = (struct span){ text.p + 6, text.n - 6 };
	if (text.p[0] != ':') {
		r->is_doubtful = is_doubtful(text);
		return 0;
	}
	if (t == NULL)
		return why_set(why, "a weight stands below its METHOD URL");
	text = span_trim((struct span){ text.p + 1, text.n - 1 }, " \t");
	if (num_parse(text.p, text.n, &weight) != text.n || text.n == 0)
		weight = 0;
	return set_weight(t, weight, why);
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
	if (line.p[0] != '#' && begins_target(line)) {
		if (target_reader_end(r, done, why) < 0)
			return -1;
		if (open_text(r, line, why) == 0)
			return 0;
		discard(*done);
		*done = NULL;
		return -1;
	}
	if (t == NULL && line.p[0] == '#')
		return take_comment(r, line, why);
	if (t == NULL)
		return why_set(why, "not METHOD URL: \"%.*s\"", (int)line.n,
		    line.p);
	if (line.p[0] == '#')
		status = take_comment(r, line, why);
	else if (line.p[0] == '@')
		status = target_set_body_file(t, target_keep(t, (struct span){
		    line.p + 1, line.n - 1 }), r->defaults, why);
	else
		status = target_add_header(t, line, r->defaults, why);
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
	struct buf line = { 0 };
	int status;

	buf_span(&line, key);
	buf_text(&line, ": ");
	buf_span(&line, value);
	status = target_add_header(t, buf_whole(&line), d, why);
	buf_release(&line);
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
		return target_set_body(t, text, d, why);
	status = base64_decode(text, &bytes) ?
	    target_set_body(t, buf_whole(&bytes), d, why)
	    : why_set(why, "body: not base64");
	buf_release(&bytes);
	return status;
}

static int
read_weight(struct target *t, struct jsn *j, struct why *why)
{
	double weight = 0;

	if (jsn_peek(j) != '-' && !isdigit((unsigned char)jsn_peek(j)))
		(void)jsn_skip(j);
	else
		(void)jsn_number(j, &weight);
	return j->error != NULL ? 0 : set_weight(t, weight, why);
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
	if (jsn_same(key, "weight"))
		return read_weight(t, j, why);
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
	r->is_doubtful = false;
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
