/* SPDX-License-Identifier: MIT */
/* Checks of answers: how they are written, and whether they hold. */
#include "k6gen/check.h"

#include <stdlib.h>

#include "base/num.h"
#include "k6gen/json_path.h"

static const struct {
	const char *text;
	enum check_op op;
} ops[] = {
	{ "==", CHECK_EQ }, { "!=", CHECK_NE }, { "<=", CHECK_LE },
	{ "<", CHECK_LT }, { ">=", CHECK_GE }, { ">", CHECK_GT },
	{ "contains", CHECK_CONTAINS }, { "matches", CHECK_MATCHES },
};

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* Length of a word that ends at a blank or an operator. */
static size_t
word_length(const char *p)
{
	return strcspn(p, " \t=!<>");
}

static int
parse_subject(struct check *c, const char **at, struct why *why)
{
	size_t n = word_length(*at), i;
	struct span word = { *at, n };

	*at = skip_blanks(*at + n);
	if (span_is(word, "status"))
		c->subject = CHECK_STATUS;
	else if (span_is(word, "size"))
		c->subject = CHECK_SIZE;
	else if (span_is(word, "proto"))
		c->subject = CHECK_PROTO;
	else if (span_is(word, "body"))
		c->subject = CHECK_BODY;
	else if (word.n > 5 && memcmp(word.p, "json.", 5) == 0) {
		c->subject = CHECK_JSON;
		c->path = (struct span){ word.p + 5, word.n - 5 };
		if (!json_path_is(c->path))
			return why_set(why, "not a path: \"%.*s\" "
			    "(json.data.items[0].id)", (int)word.n, word.p);
	} else if (span_is(word, "header")) {
		c->subject = CHECK_HEADER;
		n = word_length(*at);
		if (n == 0)
			return why_set(why, "a header needs a name");
		c->header = xstrndup(*at, n);
		*at = skip_blanks(*at + n);
	} else {
		for (i = 0; i < TIMINGS; i++)
			if (span_is(word, timing_names[i] +
			    sizeof("http_req_") - 1))
				break;
		if (i == TIMINGS)
			return why_set(why, "cannot check \"%.*s\" (status, "
			    "duration, waiting, size, proto, body, header "
			    "NAME, json.PATH)", (int)word.n, word.p);
		c->subject = CHECK_TIMING;
		c->timing = (enum timing)i;
	}
	return 0;
}

static bool
is_number(const struct check *c)
{
	return c->subject == CHECK_STATUS || c->subject == CHECK_TIMING ||
	    c->subject == CHECK_SIZE;
}

static int
parse_value(struct check *c, struct why *why)
{
	size_t n = strlen(c->text);
	int code;

	if (is_number(c)) {
		if (c->op >= CHECK_CONTAINS)
			return why_set(why, "a number is compared by == != < "
			    "<= > >=");
		if (n == 0 || num_parse(c->text, n, &c->number) != n)
			return why_set(why, "not a number: \"%s\"", c->text);
		return 0;
	}
	c->has_number = n > 0 && num_parse(c->text, n, &c->number) == n;
	if (c->op >= CHECK_LE && c->op <= CHECK_GT && c->subject == CHECK_JSON
	    && c->has_number)
		return 0;
	if (c->op >= CHECK_LE && c->op <= CHECK_GT)
		return why_set(why, "a text is compared by == != contains "
		    "matches");
	if (c->op != CHECK_MATCHES)
		return 0;
	code = regcomp(&c->regex, c->text, REG_EXTENDED | REG_NOSUB);
	if (code == 0) {
		c->has_regex = true;
		return 0;
	}
	return why_set(why, "not a regular expression: \"%s\"", c->text);
}

int
check_parse(struct check *c, const char *text, struct why *why)
{
	const char *at = skip_blanks(text);
	size_t i, n = sizeof(ops) / sizeof(ops[0]);

	*c = (struct check){ .name = text };
	/* What wrk, ab and hey mean by it. */
	if (at[0] != '\0' && at[strspn(at, "0123456789")] == '\0')
		return why_set(why, "not a check: \"%s\" (connections are "
		    "users: -u %s)", text, at);
	if (parse_subject(c, &at, why) < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (strncmp(at, ops[i].text, strlen(ops[i].text)) == 0)
			break;
	if (i == n)
		return why_set(why, "no operator (== != < <= > >= contains "
		    "matches) in \"%s\"", text);
	c->op = ops[i].op;
	c->text = skip_blanks(at + strlen(ops[i].text));
	return parse_value(c, why);
}

void
check_release(struct check *c)
{
	free(c->header);
	if (c->has_regex)
		regfree(&c->regex);
	*c = (struct check){ .name = NULL };
}

bool
check_needs_body(const struct check *c)
{
	return c->subject == CHECK_BODY || c->subject == CHECK_JSON;
}

static bool
compare(enum check_op op, double a, double b)
{
	switch (op) {
	case CHECK_EQ:
		return a == b;
	case CHECK_NE:
		return a != b;
	case CHECK_LE:
		return a <= b;
	case CHECK_LT:
		return a < b;
	case CHECK_GE:
		return a >= b;
	default:
		return a > b;
	}
}

static bool
text_holds(const struct check *c, struct span s)
{
	regmatch_t all = { .rm_so = 0, .rm_eo = (regoff_t)s.n };

	switch (c->op) {
	case CHECK_EQ:
		return span_is(s, c->text);
	case CHECK_NE:
		return !span_is(s, c->text);
	case CHECK_CONTAINS:
		return c->text[0] == '\0' || (s.n > 0 &&
		    memmem(s.p, s.n, c->text, strlen(c->text)) != NULL);
	default:
		return s.p != NULL && regexec(&c->regex, s.p, 0, &all,
		    REG_STARTEND) == 0;
	}
}

/* Numbers are compared as such, all else as text. What is not there is only
 * different. */
static bool
json_holds(const struct check *c, struct span body)
{
	struct buf scratch = { 0 };
	struct span value;
	bool is_text, is_good;
	double number;

	if (body.p == NULL || !json_path_find(body, c->path, &scratch, &value,
	    &is_text))
		is_good = c->op == CHECK_NE;
	else if (c->has_number && c->op <= CHECK_GT && !is_text &&
	    num_parse(value.p, value.n, &number) == value.n)
		is_good = compare(c->op, number, c->number);
	else
		is_good = (c->op <= CHECK_NE || c->op >= CHECK_CONTAINS) &&
		    text_holds(c, value);
	buf_release(&scratch);
	return is_good;
}

bool
check_holds(const struct check *c, const struct http_reply *reply)
{
	struct span text = { "", 0 };
	size_t at = 0;

	switch (c->subject) {
	case CHECK_STATUS:
		return compare(c->op, reply->status, c->number);
	case CHECK_TIMING:
		return compare(c->op, (double)reply->ns[c->timing] / 1e6,
		    c->number);
	case CHECK_SIZE:
		return compare(c->op, (double)reply->body_bytes, c->number);
	case CHECK_PROTO:
		if (reply->proto != NULL)
			text = span_of(reply->proto);
		break;
	case CHECK_BODY:
		if (reply->body.p != NULL)
			text = reply->body;
		break;
	case CHECK_JSON:
		return json_holds(c, reply->body);
	case CHECK_HEADER:
		if (!http_find_header(reply->headers, c->header, &at,
		    &text))
			return c->op == CHECK_NE;
		break;
	}
	return text_holds(c, text);
}
