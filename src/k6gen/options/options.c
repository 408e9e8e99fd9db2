/* SPDX-License-Identifier: MIT */
/* The table of all options; options_finish turns their values into a plan. */
#include "k6gen/options/options.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/num.h"
#include "base/size.h"
#include "base/units.h"
#include "k6gen/targets/target.h"

enum { MOST_VUS = 1000000, MOST_THREADS = 256 };

static int
set_size(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	(void)o;
	return size_parse(value, member) ? 0 : why_set(why, "\"%s\" is not a "
	    "size of at least 1 (64K, 1M)", value);
}

static int
set_count(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	if (num_parse_int(value, 1, o->id != 0 ? o->id : INT64_MAX, member))
		return 0;
	if (o->id != 0)
		return why_set(why, "not a whole number of 1 to %d: \"%s\"",
		    o->id, value);
	return why_set(why, "not a whole number of 1 or more: \"%s\"",
	    value);
}

static int
set_rps(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	size_t n = strlen(value);

	(void)o;
	if (n > 0 && num_parse(value, n, member) == n &&
	    *(double *)member > 0)
		return 0;
	return why_set(why, "not a number of requests: \"%s\"", value);
}

static int
set_method(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	(void)o;
	if (!target_is_token(span_of(value)))
		return why_set(why, "not an HTTP method: \"%s\"", value);
	*(const char **)member = value;
	return 0;
}

static int
add_header(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	(void)o;
	if (target_check_header(span_of(value), why) < 0)
		return -1;
	opt_list_add(member, value);
	return 0;
}

/* KEY=VALUE, of tags, form fields and cookies. */
static int
add_pair(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	const char *equals = strchr(value, '=');

	if (equals == NULL || equals == value ||
	    strpbrk(value, "\r\n") != NULL)
		return why_set(why, "not a %s: \"%s\" (%s)", o->name, value,
		    o->arg);
	opt_list_add(member, value);
	return 0;
}

/* D, or D..D */
static int
set_think(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	struct plan *p = member;
	const char *dots = strstr(value, "..");
	char first[DURATION_TEXT];
	size_t n = dots != NULL ? (size_t)(dots - value) : strlen(value);

	(void)o;
	if (n < sizeof(first)) {
		memcpy(first, value, n);
		first[n] = '\0';
		if (duration_parse(first, &p->think_min_ns) &&
		    (dots == NULL || duration_parse(dots + 2,
		    &p->think_max_ns)) && p->think_min_ns >= 0 &&
		    (dots == NULL || p->think_max_ns >= p->think_min_ns))
			return 0;
	}
	return why_set(why, "not a duration: \"%s\" (1s, 500ms..2s)", value);
}

/* One of three words; the member is an enum, whose values are in order. */
enum { CHOICE_HTTP, CHOICE_KEEP, CHOICE_TLS };

static int
set_choice(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	static const char *const words[][3] = {
		[CHOICE_HTTP] = { [HTTP_OFFERED] = "auto",
		    [HTTP_1] = "1.1", [HTTP_2] = "2" },
		[CHOICE_KEEP] = { [HTTP_KEEP] = "vu",
		    [HTTP_KEEP_SHARED] = "shared",
		    [HTTP_KEEP_NONE] = "off" },
		[CHOICE_TLS] = { [TLS_ANY] = "auto", [TLS_1_2] = "1.2",
		    [TLS_1_3] = "1.3" },
	};
	const char *const *w = words[o->id];
	unsigned i;

	for (i = 0; i < 3; i++)
		if (strcmp(value, w[i]) == 0) {
			*(unsigned *)member = i;
			return 0;
		}
	return why_set(why, "not %s, %s or %s: \"%s\"", w[0], w[1], w[2],
	    value);
}

static int
set_seed(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	int64_t seed;

	(void)o;
	if (!num_parse_int(value, 0, INT64_MAX, &seed))
		return why_set(why, "not a whole number: \"%s\"", value);
	*(uint64_t *)member = (uint64_t)seed;
	return 0;
}

#define AT(member) offsetof(struct options, member)

static const struct opt load_options[] = {
	{ 'u', "vus", "N", "virtual users (default 1)", OPT_CALL, AT(vus),
	    set_count, MOST_VUS },
	{ 'd', "duration", "DURATION", "how long new iterations are begun: "
	    "30s, 1m", OPT_DURATION, AT(duration_ns), NULL, 0 },
	{ 'i', "iterations", "N", "iterations, shared by the users",
	    OPT_CALL, AT(iterations), set_count, 0 },
	{ 0, "per-vu-iterations", "N", "iterations for each user", OPT_CALL,
	    AT(per_vu), set_count, 0 },
	{ 's', "stage", "DURATION:N", "ramp the number of users to N; "
	    "repeatable", OPT_LIST, AT(stages), NULL, 0 },
	{ 'r', "rate", "RATE", "begin iterations by the clock: 500/s, "
	    "0..500/60s,500/5m", OPT_TEXT, AT(rates), NULL, 0 },
	{ 0, "max-vus", "N", "maximum number of users of a rate (default "
	    "--vus, else 1000)", OPT_CALL, AT(max_vus), set_count, MOST_VUS },
	{ 0, "rps", "N", "maximum number of requests per second", OPT_CALL,
	    AT(plan.rps), set_rps, 0 },
	{ 0, "think-time", "D[..D]", "pause after each request",
	    OPT_CALL, AT(plan), set_think, 0 },
	{ 0, "min-iteration-duration", "D", "minimum time from one iteration's "
	    "beginning to the next", OPT_DURATION, AT(plan.min_iteration_ns),
	    NULL, 0 },
	{ 0, "warm-up", "DURATION", "send the initial load first and discard "
	    "its samples", OPT_DURATION, AT(plan.warm_up_ns), NULL, 0 },
	{ 0, "graceful-stop", "DURATION", "how long running iterations may "
	    "continue at the end (default 30s)", OPT_DURATION,
	    AT(plan.graceful_ns), NULL, 0 },
	{ 0, "graceful-ramp-down", "DURATION", "the same for users that a "
	    "stage removes (default 30s)", OPT_DURATION, AT(plan.ramp_down_ns),
	    NULL, 0 },
	{ 0, "threads", "N", "number of threads (default 1)", OPT_CALL,
	    AT(threads), set_count, MOST_THREADS },
	{ 0 },
};

static const struct opt request_options[] = {
	{ 't', "targets", "FILE", "request the targets of this file, one per "
	    "iteration; - reads stdin during the run", OPT_TEXT, AT(targets),
	    NULL, 0 },
	{ 0, "base64", NULL, "decode the bodies of JSON targets, as "
	    "vegeta does", OPT_FLAG, AT(is_base64), NULL, 0 },
	{ 0, "random", NULL, "choose targets and rows at random", OPT_FLAG,
	    AT(is_random), NULL, 0 },
	{ 0, "data", "FILE", "read rows for {{row.NAME}} from a CSV file",
	    OPT_TEXT, AT(data), NULL, 0 },
	{ 0, "seed", "N", "seed of random choices (default: a new one)",
	    OPT_CALL, AT(plan.seed), set_seed, 0 },
	{ 0, "raw", NULL, "do not replace {{placeholders}}", OPT_FLAG,
	    AT(is_raw), NULL, 0 },
	{ 'X', "method", "METHOD", "request method (default GET, or POST "
	    "with a body)", OPT_CALL, AT(method), set_method, 0 },
	{ 'H', "header", "LINE", "add a request header, \"Name: value\"",
	    OPT_CALL, AT(headers), add_header, 0 },
	{ 'b', "body", "TEXT", "request body; @FILE takes it from a file, "
	    "@- from stdin",
	    OPT_TEXT, AT(body), NULL, 0 },
	{ 0, "json", "TEXT", "the same, with Content-Type: application/json",
	    OPT_TEXT, AT(json), NULL, 0 },
	{ 0, "template", NULL, "replace {{placeholders}} in body files too",
	    OPT_FLAG, AT(is_template), NULL, 0 },
	{ 'F', "form", "NAME=VALUE", "add a form field; NAME=@FILE sends a "
	    "file", OPT_CALL, AT(form), add_pair, 0 },
	{ 0, "user", "NAME:PASSWORD", "use basic authentication; @FILE reads "
	    "it", OPT_TEXT, AT(user), NULL, 0 },
	{ 0, "bearer", "TOKEN", "use a bearer token; @FILE reads it", OPT_TEXT,
	    AT(bearer), NULL, 0 },
	{ 0, "cookie", "NAME=VALUE", "send a cookie", OPT_CALL, AT(cookies),
	    add_pair, 0 },
	{ 'A', "user-agent", "TEXT", "User-Agent header", OPT_TEXT,
	    AT(plan.http.user_agent), NULL, 0 },
	{ 0, "compressed", NULL, "ask for compressed answers", OPT_FLAG,
	    AT(plan.http.is_compressed), NULL, 0 },
	{ 0, "timeout", "DURATION", "time limit of a request with its "
	    "redirects (default 60s)", OPT_DURATION, AT(plan.timeout_ns), NULL,
	    0 },
	{ 0, "max-redirects", "N", "maximum number of redirects (default 10)",
	    OPT_INT, AT(plan.max_redirects), NULL, 0 },
	{ 0, "max-body", "SIZE", "fail requests with longer answers "
	    "(default: no limit)",
	    OPT_CALL, AT(plan.http.max_body), set_size, 0 },
	{ 0, "http", "VERSION", "auto, 1.1 or 2 (h2c without TLS)",
	    OPT_CALL, AT(plan.http.version), set_choice, CHOICE_HTTP },
	{ 0, "keep-alive", "vu|shared|off", "keep connections for their user, "
	    "for any user, or not at all (default vu)", OPT_CALL,
	    AT(plan.http.keep), set_choice, CHOICE_KEEP },
	{ 0, "connect-timeout", "DURATION", "time limit of making a "
	    "connection (default 30s)", OPT_DURATION,
	    AT(plan.http.connect_ns), NULL, 0 },
	{ 0, "tls-version", "VERSION", "speak only this version: 1.2 or 1.3",
	    OPT_CALL, AT(plan.http.tls_version), set_choice, CHOICE_TLS },
	{ 'k', "insecure", NULL, "accept any TLS certificate", OPT_FLAG,
	    AT(plan.http.is_insecure), NULL, 0 },
	{ 0, "ca", "FILE", "certificate authorities to trust (PEM)",
	    OPT_TEXT, AT(plan.http.ca_file), NULL, 0 },
	{ 0, "cert", "FILE", "client certificate (PEM)", OPT_TEXT,
	    AT(plan.http.cert_file), NULL, 0 },
	{ 0, "key", "FILE", "its key (PEM)", OPT_TEXT,
	    AT(plan.http.key_file), NULL, 0 },
	{ 0, "no-session-reuse", NULL, "never resume a TLS session",
	    OPT_FLAG, AT(plan.http.is_session_new), NULL, 0 },
	{ 0, "unix-socket", "PATH", "connect to a socket instead of TCP",
	    OPT_TEXT, AT(plan.http.unix_socket), NULL, 0 },
	{ 0, "connect-to", "H:P:H2:P2", "connect to H2:P2 for H:P", OPT_LIST,
	    AT(connect_to), NULL, 0 },
	{ 0, "resolve", "HOST:PORT:ADDRESS", "use this address of a host",
	    OPT_LIST, AT(resolve), NULL, 0 },
	{ 0, "source", "ADDRESS", "connect from this address or interface",
	    OPT_TEXT, AT(plan.http.source), NULL, 0 },
	{ 'x', "proxy", "URL", "use a proxy; \"\" uses none", OPT_TEXT,
	    AT(plan.http.proxy), NULL, 0 },
	{ 0, "dns", "RULES", "how hosts are looked up, in k6's words: "
	    "ttl=5m,select=random,policy=preferIPv4",
	    OPT_TEXT, AT(dns_rules), NULL, 0 },
	{ 0, "dns-ttl", "DURATION", "how long to use a looked-up address; "
	    "inf: always (default 5m)", OPT_TEXT, AT(dns), NULL, 0 },
	{ 0 },
};

static const struct opt result_options[] = {
	{ 'c', "check", "CHECK", "check each answer: 'status==200'", OPT_LIST,
	    AT(check_texts), NULL, 0 },
	{ 0, "threshold", "METRIC=ASSERTION", "condition that the results must "
	    "meet: 'http_req_duration=p(95)<300'", OPT_LIST, AT(limits), NULL,
	    0 },
	{ 0, "no-thresholds", NULL, "ignore thresholds", OPT_FLAG,
	    AT(has_no_thresholds), NULL, 0 },
	{ 0, "tag", "KEY=VALUE", "add a tag to every sample", OPT_CALL,
	    AT(plan.tags), add_pair, 0 },
	{ 0, "name", "TEXT", "name and url tags of all requests (default "
	    "the URL)",
	    OPT_TEXT, AT(name), NULL, 0 },
	{ 0, "test-name", "TEXT", "name of the run (default the first URL)",
	    OPT_TEXT, AT(plan.name), NULL, 0 },
	{ 0, "system-tags", "LIST", "k6's tags to set, separated by commas",
	    OPT_TEXT, AT(system_tags), NULL, 0 },
	{ 0, "sample-errors", "N", "write headers and first bytes of N "
	    "failing answers", OPT_INT, AT(plan.sample_errors), NULL, 0 },
	{ 'o', "output", "FILE", "write samples to this file; -: to stdout, "
	    "even if it is a terminal", OPT_TEXT, AT(output), NULL, 0 },
	{ 0, "no-output", NULL, "write no samples", OPT_FLAG,
	    AT(is_quiet_output), NULL, 0 },
	{ 'q', "quiet", NULL, "show no progress and no summary", OPT_FLAG,
	    AT(report.is_quiet), NULL, 0 },
	{ 0, "no-summary", NULL, "show no summary", OPT_FLAG,
	    AT(report.is_brief), NULL, 0 },
	{ 0, "histogram", NULL, "show a histogram of durations in the summary",
	    OPT_FLAG, AT(report.has_histogram), NULL, 0 },
	{ 0, "summary-export", "FILE", "write the summary as k6's JSON",
	    OPT_TEXT, AT(report.export_path), NULL, 0 },
	{ 0, "summary-trend-stats", "LIST", "columns of trends (default "
	    "avg,min,med,max,p(90),p(95))", OPT_TEXT, AT(stats), NULL, 0 },
	{ 0 },
};

/* Letters of wrk, ab, hey and vegeta. */
static const struct opt_hint hints[] = {
	{ 'n', "a number of requests is -i N" },
	{ 'z', "a duration is -d 30s" },
	{ 'h', "HTTP/2 is --http 2, a host -H 'Host: NAME', help -h" },
	{ 'm', "a method is -X METHOD" },
	{ 'T', "a content type is -H 'Content-Type: TYPE'" },
	{ 'a', "authentication is --user NAME:PASSWORD" },
	{ 'p', "a body is -b @FILE" },
	{ 'l', "the answer's length is checked by -c 'size==N'" },
	{ 0 },
};

const struct opt_tool options_tool = {
	.synopsis = "[options] URL...",
	.about = "Make HTTP load and write each sample to stdout, as k6's "
	    "JSON lines.",
	.examples =
	    "  k6gen -u 20 -d 30s https://test.example/ | k6agg -p 3s | "
	    "k6push\n"
	    "  k6gen -r 0..500/60s,500/5m -c 'status==200' "
	    "http://127.0.0.1:8080/ >run.ndjson\n"
	    "  k6gen -d 10s --threshold 'http_req_duration=p(95)<300' "
	    "http://localhost/\n"
	    "  k6gen -d 1h -t - --no-output <targets.txt\n",
	.tables = { load_options, request_options, result_options },
	.hints = hints,
};

void
options_init(struct options *o)
{
	*o = (struct options){ .plan = { .rows = &o->rows,
		.timeout_ns = 60 * NS_PER_S,
		.graceful_ns = 30 * NS_PER_S,
		.ramp_down_ns = 30 * NS_PER_S, .max_redirects = 10,
		.http = { .connect_ns = 30 * NS_PER_S,
		.user_agent = "k6gen/" K6PIPE_VERSION,
		.ca_file = getenv("SSL_CERT_FILE") } },
		.duration_ns = -1 };
}
