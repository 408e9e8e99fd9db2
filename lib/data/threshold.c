/* SPDX-License-Identifier: MIT */
/* k6's thresholds: parsed, and judged on sinks. */
#include "data/threshold.h"

#include <stdlib.h>

#include "base/num.h"
#include "base/units.h"

static struct span
trim(struct span s)
{
	return span_trim(s, " \t");
}

/* k6 trims blanks, and then quotes of either kind. */
static struct span
unquote(struct span s)
{
	return span_trim(trim(s), "\"'");
}

/* Cut *rest at the first c: returns what stands before it. False: there is no
 * c, and all of *rest is returned. */
static bool
cut(struct span *rest, char c, struct span *before)
{
	const char *at = rest->n > 0 ? memchr(rest->p, c, rest->n) : NULL;

	if (at == NULL) {
		*before = *rest;
		*rest = (struct span){ rest->p + rest->n, 0 };
		return false;
	}
	*before = (struct span){ rest->p, (size_t)(at - rest->p) };
	*rest = (struct span){ at + 1, rest->n - before->n - 1 };
	return true;
}

static int
parse_tags(struct threshold_key *key, struct why *why)
{
	struct span rest = key->suffix, pair, name;
	bool has_more = true;

	while (has_more) {
		has_more = cut(&rest, ',', &pair);
		if (key->n_tags == THRESHOLD_TAGS)
			return why_set(why, "more than %d tags",
			    THRESHOLD_TAGS);
		if (!cut(&pair, ':', &name) || unquote(name).n == 0 ||
		    trim(pair).n == 0)
			return why_set(why, "not tag:value: \"%.*s\"",
			    (int)name.n, name.p);
		key->tags[key->n_tags++] = (struct tag){ unquote(name),
			unquote(pair) };
	}
	return 0;
}

int
threshold_parse_key(struct threshold_key *key, struct span text,
    struct why *why)
{
	struct span rest = trim(text);

	*key = (struct threshold_key){ .text = rest };
	if (!cut(&rest, '{', &key->metric)) {
		if (key->metric.n == 0)
			return why_set(why, "no metric");
		return 0;
	}
	if (key->metric.n == 0)
		return why_set(why, "no metric");
	if (trim(key->metric).n != key->metric.n)
		return why_set(why, "a blank before { in \"%.*s\"",
		    (int)key->text.n, key->text.p);
	if (rest.n == 0 || rest.p[rest.n - 1] != '}')
		return why_set(why, "no } at the end of \"%.*s\"",
		    (int)key->text.n, key->text.p);
	key->suffix = (struct span){ rest.p, rest.n - 1 };
	return parse_tags(key, why);
}

/* What k6 takes for a number, which is more than JSON does: .5, +1, 1e3, inf.
 * False: something else is in the text. */
static bool
parse_float(struct span text, double *value)
{
	char copy[NUM_TEXT * 4], *end;

	if (text.n == 0 || text.n >= sizeof(copy) ||
	    memchr(text.p, '(', text.n) != NULL)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	*value = strtod(copy, &end);
	return end == copy + text.n;
}

bool
threshold_parse_stat(struct span text, enum threshold_method *method,
    double *percentile)
{
	static const struct {
		const char *name;
		enum threshold_method method;
	} names[] = {
		{ "count", THRESHOLD_COUNT }, { "rate", THRESHOLD_RATE },
		{ "value", THRESHOLD_VALUE }, { "avg", THRESHOLD_AVG },
		{ "min", THRESHOLD_MIN }, { "max", THRESHOLD_MAX },
		{ "med", THRESHOLD_MED },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(text, names[i].name)) {
			*method = names[i].method;
			return true;
		}
	if (text.n < 4 || text.p[0] != 'p' || text.p[1] != '(' ||
	    text.p[text.n - 1] != ')' ||
	    !parse_float((struct span){ text.p + 2, text.n - 3 },
	    percentile) || !(*percentile >= 0 && *percentile <= 100))
		return false;
	*method = THRESHOLD_PERCENTILE;
	return true;
}

/* Operators in the order in which k6 looks for them. */
static const struct {
	const char *text;
	enum threshold_op op;
} ops[] = {
	{ "<=", THRESHOLD_LE }, { "<", THRESHOLD_LT }, { ">=", THRESHOLD_GE },
	{ ">", THRESHOLD_GT }, { "===", THRESHOLD_EQ },
	{ "==", THRESHOLD_EQ }, { "!=", THRESHOLD_NE },
};

static int
parse_assertion(struct threshold *t, struct span text, struct why *why)
{
	struct span left, right;
	const char *at = NULL;
	size_t i, n = 0;

	t->source = trim(text);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]) && at == NULL; i++) {
		n = strlen(ops[i].text);
		at = memmem(t->source.p, t->source.n, ops[i].text, n);
		t->op = ops[i].op;
	}
	if (at == NULL)
		return why_set(why, "no operator (< <= > >= == !=) in "
		    "\"%.*s\"", (int)t->source.n, t->source.p);
	left = trim((struct span){ t->source.p, (size_t)(at - t->source.p) });
	right = trim((struct span){ at + n,
	    t->source.n - (size_t)(at - t->source.p) - n });
	if (!threshold_parse_stat(left, &t->method, &t->percentile))
		return why_set(why, "not a method: \"%.*s\" (count, rate, "
		    "value, avg, min, max, med, p(95))", (int)left.n, left.p);
	if (!parse_float(right, &t->limit))
		return why_set(why, "not a number: \"%.*s\"", (int)right.n,
		    right.p);
	return 0;
}

static int
parse_option(struct threshold *t, struct span text, struct why *why)
{
	struct span name, rest = trim(text);
	char duration[DURATION_TEXT];

	if (!cut(&rest, '=', &name)) {
		if (!span_is(name, "abortOnFail"))
			return why_set(why, "not abortOnFail or "
			    "delayAbortEval=DURATION: \"%.*s\"", (int)name.n,
			    name.p);
		t->aborts = true;
		return 0;
	}
	if (!span_is(name, "delayAbortEval") || rest.n >= sizeof(duration))
		return why_set(why, "not abortOnFail or "
		    "delayAbortEval=DURATION: \"%.*s\"", (int)name.n, name.p);
	memcpy(duration, rest.p, rest.n);
	duration[rest.n] = '\0';
	if (!duration_parse(duration, &t->delay_ns) || t->delay_ns < 0)
		return why_set(why, "not a duration: \"%s\"", duration);
	t->aborts = true;
	return 0;
}

/* The key ends at the first '=' that is not inside of its braces. */
static size_t
key_length(const char *text)
{
	const char *brace = strchr(text, '{'), *end = strchr(text, '=');

	if (brace != NULL && end != NULL && brace < end) {
		brace = strstr(brace, "}=");
		return brace != NULL ? (size_t)(brace - text) + 1 : 0;
	}
	return end != NULL ? (size_t)(end - text) : 0;
}

int
threshold_parse(struct threshold *t, const char *text, struct why *why)
{
	size_t n = key_length(text);
	struct span rest, part;
	bool has_more;

	*t = (struct threshold){ .delay_ns = 0 };
	if (n == 0)
		return why_set(why, "not a threshold: \"%s\" "
		    "(http_req_duration=p(95)<300)", text);
	if (threshold_parse_key(&t->key, (struct span){ text, n }, why) < 0)
		return -1;
	rest = span_of(text + n + 1);
	has_more = cut(&rest, ',', &part);
	if (parse_assertion(t, part, why) < 0)
		return -1;
	while (has_more) {
		has_more = cut(&rest, ',', &part);
		if (parse_option(t, part, why) < 0)
			return -1;
	}
	return 0;
}

int
threshold_set(struct threshold *t, struct span key, struct span source,
    struct why *why)
{
	*t = (struct threshold){ .delay_ns = 0 };
	if (threshold_parse_key(&t->key, key, why) < 0)
		return -1;
	return parse_assertion(t, source, why);
}

struct span
threshold_method_text(const struct threshold *t)
{
	size_t n = 0;

	while (n < t->source.n && strchr(" \t<>=!", t->source.p[n]) == NULL)
		n++;
	return (struct span){ t->source.p, n };
}

bool
threshold_fits(const struct threshold *t, enum metric_type type)
{
	switch (t->method) {
	case THRESHOLD_COUNT:
		return type == METRIC_COUNTER;
	case THRESHOLD_RATE:
		return type == METRIC_COUNTER || type == METRIC_RATE;
	case THRESHOLD_VALUE:
		return type == METRIC_GAUGE;
	default:
		return type == METRIC_TREND;
	}
}

bool
threshold_key_matches(const struct threshold_key *key,
    const struct tagset *set)
{
	size_t i, j;

	for (i = 0; i < key->n_tags; i++) {
		for (j = 0; j < set->n; j++)
			if (span_equal(set->tags[j].key, key->tags[i].key) &&
			    span_equal(set->tags[j].value,
			    key->tags[i].value))
				break;
		if (j == set->n)
			return false;
	}
	return true;
}

double
threshold_stat(const struct sink *s, enum threshold_method method,
    double percentile)
{
	switch (method) {
	case THRESHOLD_COUNT:
		return (double)s->count;
	case THRESHOLD_AVG:
		return sink_avg(s);
	case THRESHOLD_MIN:
		return s->min;
	case THRESHOLD_MAX:
		return s->max;
	case THRESHOLD_MED:
		return sink_quantile(s, 0.5);
	case THRESHOLD_PERCENTILE:
		return sink_quantile(s, percentile / 100);
	default:
		return s->last;
	}
}

double
threshold_measure(const struct threshold *t, const struct sink *s,
    double seconds)
{
	if (s->count == 0)
		return 0;
	if (t->method == THRESHOLD_COUNT)
		return sink_sum(s);
	if (t->method != THRESHOLD_RATE)
		return threshold_stat(s, t->method, t->percentile);
	if (s->type == METRIC_RATE)
		return (double)s->nonzero / (double)s->count;
	return seconds > 0 ? sink_sum(s) / seconds : 0;
}

bool
threshold_allows(const struct threshold *t, double value)
{
	switch (t->op) {
	case THRESHOLD_LE:
		return value <= t->limit;
	case THRESHOLD_LT:
		return value < t->limit;
	case THRESHOLD_GE:
		return value >= t->limit;
	case THRESHOLD_GT:
		return value > t->limit;
	case THRESHOLD_EQ:
		return value == t->limit;
	case THRESHOLD_NE:
		return value != t->limit;
	}
	return true;
}

bool
threshold_holds(const struct threshold *t, const struct sink *s,
    double seconds)
{
	return s->count == 0 ||
	    threshold_allows(t, threshold_measure(t, s, seconds));
}

bool
threshold_held(const struct threshold *t, const struct sink *s,
    double seconds)
{
	if (s->count == 0 && t->method == THRESHOLD_RATE &&
	    s->type == METRIC_RATE)
		return true;
	return threshold_allows(t, threshold_measure(t, s, seconds));
}

static void
take_object(struct jsn *j, struct threshold_json *one)
{
	struct buf text = { 0 };
	struct span key, raw;

	(void)jsn_enter(j, '{');
	while (jsn_plain_member(j, &key)) {
		if (span_is(key, "threshold") && jsn_peek(j) == '"') {
			(void)jsn_text(j, &one->source);
		} else if (span_is(key, "abortOnFail")) {
			one->aborts = jsn_peek(j) == 't';
			(void)jsn_skip(j);
		} else if (span_is(key, "delayAbortEval") &&
		    jsn_peek(j) == '"') {
			buf_reset(&text);
			if (jsn_text(j, &raw))
				jsn_unescape(&text, raw);
			if (!duration_parse(buf_whole(&text).p,
			    &one->delay_ns))
				one->delay_ns = 0;
		} else {
			(void)jsn_skip(j);
		}
	}
	buf_release(&text);
}

bool
threshold_take(struct jsn *j, struct threshold_json *one)
{
	*one = (struct threshold_json){ .source = { "", 0 } };
	switch (jsn_peek(j)) {
	case '"':
		(void)jsn_text(j, &one->source);
		return true;
	case '{':
		take_object(j, one);
		return true;
	default:
		(void)jsn_skip(j);
		return false;
	}
}

void
threshold_walk(struct span object, threshold_each *each, void *ctx)
{
	struct jsn j = jsn_of(object);
	struct threshold_json one;
	struct span metric;

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &metric)) {
		if (jsn_peek(&j) != '[') {
			(void)jsn_skip(&j);
			continue;
		}
		(void)jsn_enter(&j, '[');
		while (jsn_element(&j))
			if (threshold_take(&j, &one) && one.source.n > 0)
				each(ctx, metric, &one);
	}
}
