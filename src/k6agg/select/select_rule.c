/* SPDX-License-Identifier: MIT */
/* A rule of --keep and --drop, parsed and matched. */
#include "k6agg/select/select_rule.h"

#include <fnmatch.h>
#include <stdlib.h>

void
select_rule_release(struct select_rule *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		free(r->matches[i].key);
		free(r->matches[i].value);
		if (r->matches[i].is_regex)
			regfree(&r->matches[i].regex);
	}
	free(r->matches);
	free(r->metric);
	*r = (struct select_rule){ 0 };
}

/* The operator at p: its length, 0 if there is none. k6 writes : for = in
 * braces. */
static size_t
operator_at(const char *p, bool in_braces, struct tag_match *m)
{
	m->is_negated = p[0] == '!';
	m->is_regex = p[0] != '\0' && p[1] == '~';
	if ((p[0] == '=' || p[0] == '!') && p[1] == '~')
		return 2;
	if (p[0] == '!' && p[1] == '=')
		return 2;
	m->is_regex = false;
	return p[0] == '=' || (in_braces && p[0] == ':');
}

/* Take "..." with \ before " and \, or else what stands before one of `ends`.
 * NULL: no closing quote. The caller frees it. */
static char *
take_value(const char **text, const char *ends)
{
	const char *p = *text;
	char *value, *to;

	if (ends[0] == '\0' || *p != '"') {
		*text = p + strcspn(p, ends);
		return xstrndup(p, (size_t)(*text - p));
	}
	value = to = xmalloc(strlen(p));
	for (p++; *p != '"'; p++) {
		if (p[0] == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		if (*p == '\0') {
			free(value);
			return NULL;
		}
		*to++ = *p;
	}
	*to = '\0';
	*text = p + 1;
	return value;
}

/* Take TAG=VALUE up to one of `ends`. */
static int
take_match(struct select_rule *r, const char **text, const char *ends,
    struct why *why)
{
	struct tag_match m = { 0 };
	const char *p = *text;
	char error[128];
	size_t n = 0;
	int code = 0;

	while (*p != '\0' && strchr(ends, *p) == NULL &&
	    (n = operator_at(p, ends[0] != '\0', &m)) == 0)
		p++;
	if (n == 0 || p == *text)
		return why_set(why, "no TAG=VALUE");
	if (n == 1 && p[n] == '=')
		return why_set(why, "== is no operator, = is");
	m.key = xstrndup(*text, (size_t)(p - *text));
	*text = p + n;
	m.value = take_value(text, ends);
	if (m.value != NULL && m.is_regex)
		code = regcomp(&m.regex, m.value, REG_EXTENDED | REG_NOSUB);
	if (m.value == NULL || code != 0) {
		if (code != 0)
			(void)regerror(code, &m.regex, error, sizeof(error));
		(void)why_set(why, "%s", m.value == NULL
		    ? "no closing quote" : error);
		free(m.key);
		free(m.value);
		return -1;
	}
	r->matches = xgrow(r->matches, r->n, &r->cap, sizeof(r->matches[0]));
	r->matches[r->n++] = m;
	return 0;
}

static int
parse_braces(struct select_rule *r, const char *p, struct why *why)
{
	do {
		p++;	/* the brace, or a comma */
		if (take_match(r, &p, ",}", why) < 0)
			return -1;
	} while (*p == ',');
	if (p[0] != '}' || p[1] != '\0')
		return why_set(why, "no } at the end");
	return 0;
}

/* What stands behind a comma looks like another condition. */
static bool
is_condition(const char *p)
{
	size_t n = 0;
	struct tag_match m;

	while (p[n] == '_' || (p[n] >= '0' && p[n] <= '9') ||
	    (p[n] >= 'a' && p[n] <= 'z') || (p[n] >= 'A' && p[n] <= 'Z'))
		n++;
	return n > 0 && operator_at(p + n, false, &m) > 0;
}

/* TAG=VALUE, alone. */
static int
parse_one(struct select_rule *r, const char *text, struct why *why)
{
	const char *p = text, *comma;

	for (comma = text; (comma = strchr(comma, ',')) != NULL; comma++)
		if (is_condition(comma + 1))
			return why_set(why, "conditions are joined in braces: "
			    "{%s}", text);
	return take_match(r, &p, "", why);
}

/* The characters of k6's metric names, of old and new versions, and those of
 * a pattern. */
static int
check_metric(const char *name, struct why *why)
{
	const char *p;

	for (p = name; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' ||
		    strchr("\"'`,;:$@|+~={}", *p) != NULL)
			return why_set(why, *p == ',' ? "metrics are separate "
			    "rules" : *p == ':' ? "a metric has no colon"
			    : "no metric has such a name");
	return 0;
}

int
select_rule_parse(struct select_rule *r, const char *text, struct why *why)
{
	const char *brace = text + strcspn(text, "{=!");
	struct why cause;
	int status = 0;

	*r = (struct select_rule){ 0 };
	if (*brace == '{' || *brace == '\0') {
		if (brace > text)
			r->metric = xstrndup(text, (size_t)(brace - text));
		if (*brace == '{')
			status = parse_braces(r, brace, &cause);
		else if (r->metric == NULL)
			status = why_set(&cause, "empty");
		if (status == 0 && r->metric != NULL &&
		    strchr(r->metric, '[') == NULL)
			status = check_metric(r->metric, &cause);
	} else {
		status = parse_one(r, text, &cause);
	}
	if (status == 0)
		return 0;
	select_rule_release(r);
	return why_set(why, "%s (METRIC, METRIC{TAG=VALUE,...} or TAG=VALUE)",
	    cause.text);
}

bool
select_rule_names(const struct select_rule *r, struct span metric)
{
	char name[256];		/* longer ones are no metrics */

	if (r->metric == NULL)
		return true;
	if (metric.n >= sizeof(name))
		return false;
	memcpy(name, metric.p, metric.n);
	name[metric.n] = '\0';
	return fnmatch(r->metric, name, 0) == 0;
}

/* Of a copy: not all regexec keep to the end that REG_STARTEND says. */
static bool
matches(const regex_t *regex, struct span value)
{
	char *text = xstrndup(value.p, value.n);
	regmatch_t at = { 0, (regoff_t)value.n };
	bool is_match = regexec(regex, text, 0, &at, REG_STARTEND) == 0;

	free(text);
	return is_match;
}

static bool
holds(const struct tag_match *m, struct span value)
{
	return (m->is_regex ? matches(&m->regex, value)
	    : span_is(value, m->value)) != m->is_negated;
}

bool
select_rule_holds(const struct select_rule *r, const struct tagset *tags)
{
	const struct tag *tag;
	size_t i;

	for (i = 0; i < r->n; i++) {
		tag = tagset_find(tags, r->matches[i].key);
		if (!holds(&r->matches[i], tag != NULL ? tag->value :
		    (struct span){ "", 0 }))
			return false;
	}
	return true;
}
