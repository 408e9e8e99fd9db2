/* SPDX-License-Identifier: MIT */
/* Turns the options that were given into a plan that can be run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/num.h"
#include "base/random.h"
#include "base/units.h"
#include "k6gen/options/options.h"
#include "k6gen/targets/targets.h"

static const char *const system_tag_names[SYSTEM_TAGS] = {
	[TAG_PROTO] = "proto", [TAG_STATUS] = "status",
	[TAG_METHOD] = "method", [TAG_URL] = "url", [TAG_NAME] = "name",
	[TAG_GROUP] = "group", [TAG_CHECK] = "check", [TAG_ERROR] = "error",
	[TAG_ERROR_CODE] = "error_code", [TAG_TLS_VERSION] = "tls_version",
	[TAG_SCENARIO] = "scenario",
	[TAG_EXPECTED_RESPONSE] = "expected_response", [TAG_IP] = "ip",
	[TAG_VU] = "vu", [TAG_ITER] = "iter",
};

/* k6's others, of what k6gen cannot do. */
static const char *const other_tags[] = { "subproto", "service",
	"ocsp_status" };

/* How many ways of saying how long were used. */
static int
check_conflicts(struct options *o)
{
	bool has_stages = o->stages.n > 0, has_rate = o->rates != NULL;

	if (has_stages && o->iterations + o->per_vu > 0)
		return opt_misuse("--stage and --%s: one or the other",
		    o->iterations > 0 ? "iterations" : "per-vu-iterations");
	if (has_stages && o->duration_ns >= 0)
		return opt_misuse("--stage and --duration: one or the other");
	if (has_rate && (has_stages || o->iterations + o->per_vu > 0))
		return opt_misuse("--rate and --%s: one or the other",
		    has_stages ? "stage" : o->iterations > 0 ? "iterations" :
		    "per-vu-iterations");
	if (o->iterations > 0 && o->per_vu > 0)
		return opt_misuse("--iterations and --per-vu-iterations: "
		    "one or the other");
	if (o->max_vus > 0 && !has_rate)
		return opt_misuse("--max-vus: only with --rate");
	if (o->max_vus > 0 && o->max_vus < o->vus)
		return opt_misuse("--max-vus: less than --vus");
	if (o->duration_ns == 0 || o->plan.timeout_ns == 0)
		return opt_misuse("--%s: must be more than 0",
		    o->plan.timeout_ns == 0 ? "timeout" : "duration");
	if (o->plan.warm_up_ns > 0 && !has_rate && !has_stages &&
	    (o->duration_ns < 0 || o->iterations + o->per_vu > 0))
		return opt_misuse("--warm-up: needs --duration, --stage or "
		    "--rate");
	return OPT_CONTINUE;
}

static int
set_system_tags(struct options *o)
{
	const char *p = o->system_tags;
	struct span name;
	size_t i;

	o->plan.system_tags = (1U << SYSTEM_TAGS) - 1;
	o->plan.system_tags &= ~(1U << TAG_IP | 1U << TAG_VU |
	    1U << TAG_ITER);
	if (p == NULL)
		return OPT_CONTINUE;
	o->plan.system_tags = 0;
	for (; *p != '\0'; p += name.n + (p[name.n] == ',')) {
		name = (struct span){ p, strcspn(p, ",") };
		for (i = 0; i < SYSTEM_TAGS; i++)
			if (span_is(name, system_tag_names[i]))
				o->plan.system_tags |= 1U << i;
		for (i = 0; i < SYSTEM_TAGS; i++)
			if (span_is(name, system_tag_names[i]) ||
			    (i < 3 && span_is(name, other_tags[i])))
				break;
		if (i == SYSTEM_TAGS)
			return opt_misuse("--system-tags: not a tag of k6: "
			    "\"%.*s\"", (int)name.n, name.p);
	}
	return OPT_CONTINUE;
}

static int
set_stats(struct options *o)
{
	const char *list = o->stats != NULL ? o->stats :
	    "avg,min,med,max,p(90),p(95)";
	struct plan *p = &o->plan;
	struct trend_stat *stat;
	char *name, *rest;

	buf_text(&o->stats_text, list);
	rest = o->stats_text.p;
	while ((name = strsep(&rest, ",")) != NULL) {
		if (p->n_stats == MOST_STATS)
			return opt_misuse("--summary-trend-stats: more than "
			    "%d", MOST_STATS);
		stat = &p->stats[p->n_stats++];
		*stat = (struct trend_stat){ .name = name };
		if (!threshold_parse_stat(span_of(name), &stat->method,
		    &stat->percentile) || stat->method == THRESHOLD_RATE ||
		    stat->method == THRESHOLD_VALUE)
			return opt_misuse("--summary-trend-stats: not a "
			    "statistic: \"%s\" (avg, min, med, max, count, "
			    "p(99))", name);
	}
	return OPT_CONTINUE;
}

static int
set_checks(struct options *o)
{
	struct plan *p = &o->plan;
	struct why why;
	size_t i;

	p->checks = xcalloc(o->check_texts.n, sizeof(*p->checks));
	for (i = 0; i < o->check_texts.n; i++) {
		p->n_checks = i + 1;
		if (check_parse(&p->checks[i], o->check_texts.items[i],
		    &why) < 0)
			return opt_misuse("--check: %s", why.text);
		if (check_needs_body(&p->checks[i]))
			p->http.keep_body = 1 << 20;
	}
	if (p->sample_errors > 0 && p->http.keep_body == 0)
		p->http.keep_body = 1 << 10;
	return OPT_CONTINUE;
}

static int
add_limit(struct options *o, const char *text)
{
	struct plan *p = &o->plan;
	struct limit l = { .submetric = -1 };
	struct why why;

	if (threshold_parse(&l.threshold, text, &why) < 0)
		return opt_misuse("--threshold: %s", why.text);
	l.metric = plan_find_metric(l.threshold.key.metric);
	if (l.metric == EMITTED)
		return opt_misuse("--threshold: no metric \"%.*s\"",
		    (int)l.threshold.key.metric.n,
		    l.threshold.key.metric.p);
	if (!threshold_fits(&l.threshold, plan_metric(l.metric)->type))
		return opt_misuse("--threshold: %.*s is a %s, which has no "
		    "\"%.*s\"", (int)l.threshold.key.metric.n,
		    l.threshold.key.metric.p,
		    metric_type_name(plan_metric(l.metric)->type),
		    (int)strcspn(l.threshold.source.p, " <>=!"),
		    l.threshold.source.p);
	if (l.threshold.key.n_tags > 0)
		l.submetric = plan_add_submetric(p, l.metric,
		    &l.threshold.key);
	if (l.threshold.key.n_tags > 0 && l.submetric < 0)
		return opt_misuse("--threshold: more than %d sets of tags",
		    MOST_SUBMETRICS - 1);
	p->limits = xgrow(p->limits, p->n_limits, &p->cap_limits, sizeof(l));
	p->limits[p->n_limits++] = l;
	return OPT_CONTINUE;
}

static int
set_limits(struct options *o)
{
	struct threshold_key expected;
	struct why why;
	size_t i;
	int status = OPT_CONTINUE;

	/* k6 shows these in each summary. */
	(void)threshold_parse_key(&expected,
	    SPAN("http_req_duration{expected_response:true}"), &why);
	(void)plan_add_submetric(&o->plan, EMIT_TIMINGS + TIMING_DURATION,
	    &expected);
	if (o->has_no_thresholds)
		return OPT_CONTINUE;
	for (i = 0; i < o->limits.n && status == OPT_CONTINUE; i++)
		status = add_limit(o, o->limits.items[i]);
	return status;
}

/* Of a looked-up name: a duration, or "inf". */
static int
set_dns_ttl(struct options *o, const char *option, struct span value)
{
	char text[DURATION_TEXT];
	int64_t *ns = &o->plan.http.dns_ttl_ns;

	(void)snprintf(text, sizeof(text), "%.*s", (int)value.n, value.p);
	if (strcmp(text, "inf") == 0)
		*ns = -1;
	else if (!duration_parse(text, ns) || *ns < 0)
		return opt_misuse("%s: not a duration: \"%s\"", option,
		    text);
	return OPT_CONTINUE;
}

/* One of some words, which are in the order of an enum. */
static bool
find_word(struct span value, const char *const *words, int n, int *at)
{
	for (*at = 0; *at < n; (*at)++)
		if (span_is(value, words[*at]))
			return true;
	return false;
}

static int
set_dns_rule(struct options *o, struct span rule)
{
	static const char *const selects[] = { "random", "roundRobin",
		"first" };
	static const char *const policies[] = { "preferIPv4", "preferIPv6",
		"onlyIPv4", "onlyIPv6", "any" };
	const char *equals = memchr(rule.p, '=', rule.n);
	struct span key, value;
	int i;

	if (equals == NULL)
		return opt_misuse("--dns: not KEY=VALUE: \"%.*s\"",
		    (int)rule.n, rule.p);
	key = (struct span){ rule.p, (size_t)(equals - rule.p) };
	value = (struct span){ equals + 1, rule.n - key.n - 1 };
	if (span_is(key, "ttl"))
		return set_dns_ttl(o, "--dns", value);
	if (span_is(key, "select") && find_word(value, selects, 3, &i)) {
		o->plan.http.dns_select = (enum dns_select)i;
		return OPT_CONTINUE;
	}
	if (span_is(key, "policy") && find_word(value, policies, 5, &i)) {
		o->plan.http.dns_policy = (enum dns_policy)i;
		return OPT_CONTINUE;
	}
	return opt_misuse("--dns: not ttl=DURATION, select=random|roundRobin|"
	    "first or policy=preferIPv4|preferIPv6|onlyIPv4|onlyIPv6|any: "
	    "\"%.*s\"", (int)rule.n, rule.p);
}

static int
set_dns(struct options *o)
{
	const char *p = o->dns_rules;
	struct span rule;
	int status = OPT_CONTINUE;

	o->plan.http.dns_ttl_ns = 300 * NS_PER_S;
	for (; p != NULL && *p != '\0' && status == OPT_CONTINUE;
	    p += rule.n + (p[rule.n] == ',')) {
		rule = (struct span){ p, strcspn(p, ",") };
		status = set_dns_rule(o, rule);
	}
	if (status == OPT_CONTINUE && o->dns != NULL)
		status = set_dns_ttl(o, "--dns-ttl", span_of(o->dns));
	return status;
}

static int
check_rest(struct options *o, int n_urls)
{
	struct plan *p = &o->plan;

	if (n_urls == 0 && o->targets == NULL)
		return opt_misuse("no URL to request");
	if (n_urls > 0 && o->targets != NULL)
		return opt_misuse("--targets and URLs: one or the other");
	if ((o->body != NULL) + (o->json != NULL) + (o->form.n > 0) > 1)
		return opt_misuse("--body, --json and --form: one of them");
	if (o->targets != NULL && strcmp(o->targets, "-") == 0 &&
	    ((o->body != NULL && strcmp(o->body, "@-") == 0) ||
	    (o->json != NULL && strcmp(o->json, "@-") == 0)))
		return opt_misuse("--targets - and a body @-: both read "
		    "stdin");
	if (p->http.connect_ns <= 0)
		return opt_misuse("--connect-timeout: must be more than 0");
	if (strpbrk(p->http.user_agent, "\r\n") != NULL)
		return opt_misuse("--user-agent: contains a line break");
	p->threads = o->threads > 0 ? (int)o->threads : 1;
	if (p->threads > p->max_vus)
		p->threads = p->max_vus;
	if (p->seed == 0)
		random_bytes(&p->seed, sizeof(p->seed));
	return OPT_CONTINUE;
}

/* An output of k6 that is not ours: NAME or NAME=VALUE. */
static bool
is_other_output(const char *text)
{
	static const char *const names[] = { "cloud", "csv",
		"experimental-prometheus-rw", "influxdb", "statsd",
		"web-dashboard", "opentelemetry" };
	size_t i, n = strcspn(text, "=");

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == n && strncmp(text, names[i], n) == 0)
			return true;
	return false;
}

/* Samples on a terminal help nobody; who wants them there asks for it. */
static int
set_output(struct options *o)
{
	if (o->is_quiet_output && o->output != NULL)
		return opt_misuse("--output and --no-output: one or the other");
	/* What a user of k6 writes. */
	if (o->output != NULL && strcmp(o->output, "json") == 0)
		o->output = "-";
	else if (o->output != NULL && strncmp(o->output, "json=", 5) == 0)
		o->output += 5;
	if (o->output != NULL && o->output[0] == '\0')
		return opt_misuse("--output: not a file: \"\"");
	if (o->output != NULL && is_other_output(o->output))
		return opt_misuse("--output: no \"%s\": samples are JSON "
		    "lines, which k6agg and k6push read", o->output);
	o->plan.has_output = o->output != NULL || (!o->is_quiet_output &&
	    !isatty(STDOUT_FILENO));
	o->plan.output = o->output != NULL && strcmp(o->output, "-") != 0 ?
	    o->output : "stdout";
	return OPT_CONTINUE;
}

int
options_finish(struct options *o, char *const *urls, int n_urls)
{
	static int (*const steps[])(struct options *) = { check_conflicts,
		options_set_executor, set_system_tags, set_stats, set_checks,
		set_limits, set_dns, set_output };
	size_t i;
	int status = OPT_CONTINUE;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]) &&
	    status == OPT_CONTINUE; i++)
		status = steps[i](o);
	if (status == OPT_CONTINUE)
		status = check_rest(o, n_urls);
	if (status == OPT_CONTINUE)
		status = options_set_request(o, urls, n_urls);
	if (status == OPT_CONTINUE && o->plan.name == NULL)
		o->plan.name = targets_title(o->plan.targets);
	return status;
}

void
options_release(struct options *o)
{
	size_t i;

	targets_free(o->plan.targets);
	for (i = 0; i < o->plan.n_checks; i++)
		check_release(&o->plan.checks[i]);
	free(o->plan.checks);
	free(o->plan.limits);
	profile_release(&o->plan.profile);
	rows_release(&o->rows);
	opt_list_release(&o->plan.tags);
	opt_list_release(&o->stages);
	opt_list_release(&o->headers);
	opt_list_release(&o->form);
	opt_list_release(&o->cookies);
	opt_list_release(&o->connect_to);
	opt_list_release(&o->resolve);
	opt_list_release(&o->limits);
	opt_list_release(&o->check_texts);
	opt_list_release(&o->lines);
	opt_list_release(&o->filled);
	free(o->basic);
	free(o->basic_template);
	free(o->agent_line);
	free(o->body_files);
	free(o->bearer_line);
	free(o->cookie_line);
	free(o->form_type);
	buf_release(&o->body_bytes);
	buf_release(&o->stats_text);
}
