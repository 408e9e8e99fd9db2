/* SPDX-License-Identifier: MIT */
/* Stages and rates as they are written, and their integral over time. */
#include "k6gen/profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/units.h"

static const double most_value = 1e9;

void
profile_release(struct profile *p)
{
	free(p->stages);
	*p = (struct profile){ .n = 0 };
}

static double
seconds(int64_t ns)
{
	return (double)ns / 1e9;
}

/* The integral over a stage's first ns. */
static double
area(const struct stage *s, int64_t ns)
{
	double length = seconds(s->end_ns - s->begin_ns), t = seconds(ns);

	if (length <= 0)
		return 0;
	return s->from * t + (s->to - s->from) * t * t / (2 * length);
}

void
profile_add(struct profile *p, int64_t duration_ns, double from, double to)
{
	const struct stage *last = p->n > 0 ? &p->stages[p->n - 1] : NULL;
	struct stage s = { .from = from, .to = to };

	if (last != NULL) {
		s.begin_ns = last->end_ns;
		s.before = last->before + area(last, last->end_ns -
		    last->begin_ns);
	}
	s.end_ns = s.begin_ns + duration_ns;
	p->stages = xgrow(p->stages, p->n, &p->cap, sizeof(s));
	p->stages[p->n++] = s;
}

/* The next item of a list, up to a comma; copied, so that it has an end. */
static bool
next_item(const char **list, char item[64])
{
	size_t n = strcspn(*list, ",");

	if (n >= 64)
		n = 63;
	memcpy(item, *list, n);
	item[n] = '\0';
	*list += strcspn(*list, ",");
	if (**list == '\0')
		return false;
	(*list)++;
	return true;
}

static bool
parse_value(const char *text, size_t n, double *value)
{
	return n > 0 && num_parse(text, n, value) == n && *value >= 0 &&
	    *value <= most_value;
}

/* With a unit, as the durations of all options. */
static bool
parse_duration(const char *text, int64_t *ns)
{
	size_t n = strlen(text);
	bool has_unit = n > 0 && (text[n - 1] < '0' || text[n - 1] > '9');

	return (has_unit || strcmp(text, "0") == 0) &&
	    duration_parse(text, ns) && *ns >= 0 &&
	    *ns < 365 * 24 * 3600 * NS_PER_S;
}

int
profile_parse_stages(struct profile *p, const char *text, double from,
    struct why *why)
{
	char item[64], *colon;
	bool has_more = true;
	int64_t ns;
	double to;

	while (has_more) {
		has_more = next_item(&text, item);
		colon = strchr(item, ':');
		if (colon == NULL)
			return why_set(why, "not DURATION:TARGET: \"%s\" "
			    "(10s:20)", item);
		*colon = '\0';
		if (!parse_duration(item, &ns))
			return why_set(why, "not a duration: \"%s\"", item);
		if (!parse_value(colon + 1, strlen(colon + 1), &to) ||
		    to != floor(to))
			return why_set(why, "not a number of users: \"%s\"",
			    colon + 1);
		profile_add(p, ns, p->n > 0 ? p->stages[p->n - 1].to : from,
		    to);
	}
	return 0;
}

/* [FROM..]TO/DURATION */
static int
parse_rate_stage(struct profile *p, char *item, struct why *why)
{
	char *slash = strchr(item, '/'), *dots = strstr(item, "..");
	const char *to_text = dots != NULL ? dots + 2 : item;
	double from, to;
	int64_t ns;

	if (slash == NULL || !parse_value(to_text, (size_t)(slash - to_text),
	    &to))
		return why_set(why, "not [FROM..]TO/DURATION: \"%s\" "
		    "(0..500/60s)", item);
	from = p->n > 0 ? p->stages[p->n - 1].to : to;
	if (dots != NULL && !parse_value(item, (size_t)(dots - item), &from))
		return why_set(why, "not a rate: \"%s\"", item);
	if (!parse_duration(slash + 1, &ns))
		return why_set(why, "not a duration: \"%s\"", slash + 1);
	profile_add(p, ns, from, to);
	return 0;
}

/* The words of other tools for "N/s". */
static const char *
plain_unit(const char *unit)
{
	static const struct {
		const char *word, *unit;
	} words[] = { { "sec", "s" }, { "second", "s" }, { "min", "m" },
		{ "minute", "m" }, { "hour", "h" } };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(unit, words[i].word) == 0)
			return words[i].unit;
	return unit;
}

/* N, N/s, N/10s, N/sec, Nrps */
static int
parse_constant(const char *text, double *rate, struct why *why)
{
	const char *slash = strchr(text, '/'), *unit;
	size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	int64_t ns = NS_PER_S;
	char one[66];

	if (slash == NULL && n > 3 && strcmp(text + n - 3, "rps") == 0)
		n -= 3;
	if (!parse_value(text, n, rate) || *rate == 0)
		return why_set(why, "not a rate: \"%s\" (500/s, 30/m, "
		    "0..500/60s,500/5m)", text);
	if (slash != NULL) {
		unit = plain_unit(slash + 1);
		(void)snprintf(one, sizeof(one), "%s%.60s",
		    *unit >= '0' && *unit <= '9' ? "" : "1", unit);
		if (!parse_duration(one, &ns) || ns == 0)
			return why_set(why, "not a unit of time: \"%s\"",
			    unit);
	}
	*rate /= seconds(ns);
	return 0;
}

int
profile_parse_rate(struct profile *p, const char *text, double *constant,
    struct why *why)
{
	char item[64];
	bool has_more = true;

	if (strchr(text, ',') == NULL && strstr(text, "..") == NULL)
		return parse_constant(text, constant, why);
	while (has_more) {
		has_more = next_item(&text, item);
		if (parse_rate_stage(p, item, why) < 0)
			return -1;
	}
	return 0;
}

int64_t
profile_duration(const struct profile *p)
{
	return p->n > 0 ? p->stages[p->n - 1].end_ns : 0;
}

double
profile_max(const struct profile *p)
{
	double max = 0;
	size_t i;

	for (i = 0; i < p->n; i++)
		max = fmax(max, fmax(p->stages[i].from, p->stages[i].to));
	return max;
}

/* The stage of a time, or NULL. */
static const struct stage *
stage_at(const struct profile *p, int64_t ns)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (ns < p->stages[i].end_ns)
			return &p->stages[i];
	return NULL;
}

double
profile_at(const struct profile *p, int64_t ns)
{
	const struct stage *s = stage_at(p, ns);

	if (s == NULL)
		return 0;
	return s->from + (s->to - s->from) * seconds(ns - s->begin_ns) /
	    seconds(s->end_ns - s->begin_ns);
}

double
profile_sum(const struct profile *p, int64_t ns)
{
	const struct stage *s = stage_at(p, ns);

	if (p->n == 0)
		return 0;
	if (s == NULL) {
		s = &p->stages[p->n - 1];
		ns = s->end_ns;
	}
	return s->before + area(s, ns - s->begin_ns);
}

/* Solve from * t + (to - from) * t^2 / (2 * length) = n for t, in a form that
 * does not cancel when the stage is nearly flat. */
static double
solve(const struct stage *s, double n)
{
	double slope = (s->to - s->from) / seconds(s->end_ns - s->begin_ns);
	double root = s->from * s->from + 2 * slope * n;

	if (n <= 0)
		return 0;
	return 2 * n / (s->from + sqrt(root > 0 ? root : 0));
}

int64_t
profile_when(const struct profile *p, double n)
{
	const struct stage *s;
	double t;
	size_t i;

	for (i = 0; i < p->n; i++) {
		s = &p->stages[i];
		if (s->end_ns == s->begin_ns ||
		    n > s->before + area(s, s->end_ns - s->begin_ns))
			continue;
		t = solve(s, n - s->before) * 1e9;
		if (t >= (double)(s->end_ns - s->begin_ns))
			continue;
		return s->begin_ns + (int64_t)t;
	}
	return INT64_MAX;
}
