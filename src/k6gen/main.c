/* SPDX-License-Identifier: MIT */
/* k6gen: make HTTP load, and write what k6 would write of it. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/die.h"
#include "base/file.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/units.h"
#include "io/url.h"
#include "k6gen/emit.h"
#include "k6gen/load.h"
#include "k6gen/plan.h"
#include "k6gen/report.h"

enum { MOST_VUS = 1000000, BODY_MAX = 1 << 30 };

struct options {
	struct plan plan;
	int64_t vus;		/* 0: not given */
	int64_t iterations;	/* 0: not given */
	int64_t duration_ns;	/* < 0: not given */
	const char *body;
	struct report report;
};

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

static bool
is_token(const char *text, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    strchr("!#$%&'*+-.^_`|~", text[i]) == NULL)
			return false;
	return n > 0;
}

static int
set_method(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	(void)o;
	if (!is_token(value, strlen(value)))
		return why_set(why, "not an HTTP method: \"%s\"", value);
	*(const char **)member = value;
	return 0;
}

static int
add_header(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	const char *colon = strchr(value, ':'), *p;

	(void)o;
	for (p = value; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 && *p != '\t')
			return why_set(why, "a control character in \"%s\"",
			    value);
	if (colon == NULL || !is_token(value, (size_t)(colon - value)))
		return why_set(why, "not a header: \"%s\" (Name: value)",
		    value);
	opt_list_add(member, value);
	return 0;
}

static int
add_tag(void *member, const struct opt *o, const char *value, struct why *why)
{
	const char *equals = strchr(value, '=');

	(void)o;
	if (equals == NULL || equals == value)
		return why_set(why, "not a tag: \"%s\" (key=value)", value);
	opt_list_add(member, value);
	return 0;
}

#define AT(member) offsetof(struct options, member)

static const struct opt table[] = {
	{ 'u', "vus", "N", "virtual users (default 1)", OPT_CALL, AT(vus),
	    set_count, MOST_VUS },
	{ 'd', "duration", "DURATION", "how long to begin iterations: 30s, "
	    "1m", OPT_DURATION, AT(duration_ns), NULL, 0 },
	{ 'i', "iterations", "N", "iterations, shared among the users",
	    OPT_CALL, AT(iterations), set_count, 0 },
	{ 'X', "method", "METHOD", "request method (default GET, or POST "
	    "with a body)", OPT_CALL, AT(plan.method), set_method, 0 },
	{ 'H', "header", "LINE", "add a request header, \"Name: value\"",
	    OPT_CALL, AT(plan.headers), add_header, 0 },
	{ 'b', "body", "TEXT", "request body; @FILE takes it from a file",
	    OPT_TEXT, AT(body), NULL, 0 },
	{ 0, "tag", "KEY=VALUE", "add a tag to every sample", OPT_CALL,
	    AT(plan.tags), add_tag, 0 },
	{ 0, "timeout", "DURATION", "limit of one request with its redirects "
	    "(default 60s)", OPT_DURATION, AT(plan.timeout_ns), NULL, 0 },
	{ 0, "max-redirects", "N", "redirects to follow (default 10)",
	    OPT_INT, AT(plan.max_redirects), NULL, 0 },
	{ 'k', "insecure", NULL, "take any TLS certificate", OPT_FLAG,
	    AT(plan.is_insecure), NULL, 0 },
	{ 0, "graceful-stop", "DURATION", "what running iterations may take "
	    "at the end (default 30s)", OPT_DURATION, AT(plan.graceful_ns),
	    NULL, 0 },
	{ 0, "name", "TEXT", "name of the run (default the first URL)",
	    OPT_TEXT, AT(plan.name), NULL, 0 },
	{ 'A', "user-agent", "TEXT", "User-Agent header", OPT_TEXT,
	    AT(plan.user_agent), NULL, 0 },
	{ 'q', "quiet", NULL, "no progress, no summary", OPT_FLAG,
	    AT(report.is_quiet), NULL, 0 },
	{ 0, "no-summary", NULL, "no summary at the end", OPT_FLAG,
	    AT(report.is_brief), NULL, 0 },
	{ 0 },
};

static const struct opt_tool tool = {
	.synopsis = "[options] URL...",
	.about = "Make HTTP load and write each sample to stdout, as k6's "
	    "JSON lines.",
	.examples =
	    "  k6gen -u 20 -d 30s https://test.example/ | k6agg -p 3s | "
	    "k6push\n"
	    "  k6gen -i 100 -X POST -b @order.json http://127.0.0.1:8080/ "
	    ">run.ndjson\n",
	.tables = { table },
};

static volatile sig_atomic_t n_signals;

static void
on_signal(int number)
{
	(void)number;
	n_signals = n_signals + 1;
}

/* No SA_RESTART: a signal must end the waits. SIGPIPE of a server's socket
 * is no reason to end; emit sees that of stdout. */
static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* Every VU holds connections: take what the system allows. */
static void
raise_file_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

/* k6's derivation of the executor (PROTOCOL 8.1). */
static void
derive(struct options *o)
{
	struct plan *p = &o->plan;

	p->vus = o->vus != 0 ? (int)o->vus : 1;
	p->duration_ns = o->duration_ns >= 0 ? o->duration_ns :
	    600 * NS_PER_S;
	if (o->iterations == 0 && o->duration_ns >= 0) {
		p->executor = CONSTANT_VUS;
		return;
	}
	p->executor = o->iterations == 0 && o->vus == 0 ?
	    PER_VU_ITERATIONS : SHARED_ITERATIONS;
	p->iterations = o->iterations != 0 ? o->iterations : p->vus;
}

static int
set_body(struct options *o, struct buf *file, struct why *why)
{
	struct plan *p = &o->plan;
	int status;

	if (o->body != NULL && o->body[0] == '@') {
		status = file_read(o->body + 1, BODY_MAX, file, why);
		if (status > 0)
			return why_set(why, "%s: %s", o->body + 1,
			    strerror(ENOENT));
		if (status < 0)
			return -1;
		p->body = buf_whole(file);
	} else if (o->body != NULL) {
		p->body = span_of(o->body);
	}
	if (p->method == NULL)
		p->method = p->body.p != NULL ? "POST" : "GET";
	return 0;
}

/* Returns EXIT_USAGE after a message, or OPT_CONTINUE. */
static int
check(const struct options *o)
{
	const struct plan *p = &o->plan;
	struct why why;
	char *masked;
	int i, status = OPT_CONTINUE;

	if (p->n_urls == 0)
		return opt_misuse("no URL to request");
	if (o->duration_ns == 0 || p->timeout_ns == 0)
		return opt_misuse("--%s: must be more than 0",
		    p->timeout_ns == 0 ? "timeout" : "duration");
	if (p->iterations > 0 && p->iterations < p->vus)
		return opt_misuse("--iterations: %lld is less than --vus %d",
		    (long long)p->iterations, p->vus);
	if (strpbrk(p->user_agent, "\r\n") != NULL)
		return opt_misuse("--user-agent: a line break in it");
	for (i = 0; i < p->n_urls && status == OPT_CONTINUE; i++) {
		if (url_check(p->urls[i], true, &why) == 0)
			continue;
		masked = url_mask(p->urls[i]);
		status = opt_misuse("%.200s: %s", masked, why.text);
		free(masked);
	}
	return status;
}

static int
run(struct options *o)
{
	struct emit emit;
	struct why why;
	int status;

	catch_signals();
	raise_file_limit();
	emit_init(&emit, &o->plan);
	report_start(&o->report, &o->plan);
	status = load_run(&o->plan, &emit, &o->report, &why);
	if (status == EXIT_FAILED)
		warnf("%s", why.text);
	emit_release(&emit);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = { .plan = { .timeout_ns = 60 * NS_PER_S,
		.graceful_ns = 30 * NS_PER_S, .max_redirects = 10,
		.user_agent = "k6gen/" K6PIPE_VERSION,
		.n_signals = &n_signals }, .duration_ns = -1 };
	struct buf file = { 0 };
	char *name = NULL;
	struct why why;
	int first, status;

	die_init();
	status = opt_parse(&tool, &o, argc, argv, &first);
	if (status == OPT_CONTINUE) {
		o.plan.urls = argv + first;
		o.plan.n_urls = argc - first;
		derive(&o);
		status = check(&o);
	}
	if (status == OPT_CONTINUE && set_body(&o, &file, &why) < 0) {
		warnf("%s", why.text);
		status = EXIT_FAILED;
	}
	if (status == OPT_CONTINUE) {
		if (o.plan.name == NULL)
			o.plan.name = name = url_mask(o.plan.urls[0]);
		status = close_stdout(run(&o));
	}
	free(name);
	buf_release(&file);
	opt_list_release(&o.plan.headers);
	opt_list_release(&o.plan.tags);
	return status;
}
