/* SPDX-License-Identifier: MIT */
/* What the API shows of runs: views as JSON or CSV, reports, events. */
#include "k6serve/view/api.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/units.h"
#include "data/run.h"
#include "io/gz.h"
#include "k6serve/view/baseline.h"
#include "k6serve/view/cache.h"
#include "k6serve/view/ci.h"
#include "k6serve/view/csv.h"
#include "k6serve/view/diff.h"
#include "k6serve/view/events.h"
#include "k6serve/view/report.h"

enum {
	RUNS_LISTED = 200,
	RUNS_MAX = 10000,
	STEP_MAX = 86400,	/* seconds */
	SMALL = 1400,		/* bytes that fit into one packet */
};

/* What a route shows. */
struct shown {
	view_put *view;		/* NULL: the answer knows */
	const char *saved_as;	/* the name of its download; NULL: no CSV */
};

static const struct shown *
shown_of(const struct call *c)
{
	return c->route->what;
}

/* The number that a word of the query gives, or *value as it is without it.
 * -1: the reply says that it is no such number. */
static int
query_int(struct call *c, const char *name, int64_t min, int64_t max,
    int64_t *value)
{
	const char *text = httpd_query(c->r, name);

	if (text == NULL || num_parse_int(text, min, max, value))
		return 0;
	reply_error(c->reply, 400, 0, "%s must be between %lld and %lld", name,
	    (long long)min, (long long)max);
	return -1;
}

static bool
wants_csv(const struct call *c)
{
	const char *format = httpd_query(c->r, "format");

	return format != NULL && strcmp(format, "csv") == 0;
}

/* Does the answer come in the format that the query wants? -1: the reply
 * says that it does not. */
static int
check_format(struct call *c)
{
	const char *format = httpd_query(c->r, "format");

	if (format == NULL || strcmp(format, "json") == 0 ||
	    (wants_csv(c) && shown_of(c) != NULL &&
	    shown_of(c)->saved_as != NULL))
		return 0;
	if (wants_csv(c))
		reply_error(c->reply, 400, 0, "format: csv is for tables only");
	else
		reply_error(c->reply, 400, 0, "format must be json or csv");
	return -1;
}

/* What the query asks for. -1: the reply tells what is wrong with it. */
static int
read_query(struct call *c, struct view *v)
{
	enum store_result result;
	int64_t percent = -1;
	struct why why;

	*v = (struct view){ .store = c->store, .owner = c->owner,
	    .timeout_ns = INT64_MAX, .run = c->run,
	    .metric = httpd_query(c->r, "metric"),
	    .name = httpd_query(c->r, "name"),
	    .method = httpd_query(c->r, "method"),
	    .status = httpd_query(c->r, "status") };
	if (check_format(c) < 0 ||
	    query_int(c, "step", 1, STEP_MAX, &v->step_s) < 0 ||
	    query_int(c, "base", 1, INT64_MAX, &v->base) < 0 ||
	    query_int(c, "baseline", 1, BASELINE_MOST, &v->baseline) < 0 ||
	    query_int(c, "min_effect", 0, 1000, &percent) < 0)
		return -1;
	v->min_effect = percent < 0 ? COMPARE_MIN_EFFECT :
	    (double)percent / 100;
	if (v->base == 0)
		return 0;
	result = store_run_find(c->store, c->owner, v->base, &why);
	if (result == STORE_DONE)
		return 0;
	reply_store(c->reply, result, &why);
	return -1;
}

static bool
takes_gzip(const struct call *c)
{
	const char *encodings = httpd_header(c->r, "Accept-Encoding");

	return encodings != NULL && strstr(encodings, "gzip") != NULL;
}

/* What tells apart two answers about one version of a run. */
static void
put_key(struct buf *key, const struct call *c, const struct view *v)
{
	const char *const texts[] = { v->metric, v->name, v->method,
	    v->status, httpd_query(c->r, "_") };
	size_t i;

	buf_printf(key, "%s %lld %lld %lld %g %d %d", c->route->path,
	    (long long)v->run, (long long)v->base, (long long)v->step_s,
	    v->min_effect, takes_gzip(c), wants_csv(c));
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_char(key, '\0');
		buf_text(key, texts[i] != NULL ? texts[i] : "\1");
	}
}

/* The body as the query and the headers want it. -1: why. */
static int
encode_body(struct call *c, struct buf *body, struct why *why)
{
	struct buf other = { 0 };

	if (body->is_full)
		return 0;	/* whoever gave it a maximum says so */
	if (wants_csv(c)) {
		csv_print(buf_whole(body), &other);
		buf_release(body);
		*body = other;
		other = (struct buf){ 0 };
	}
	if (!takes_gzip(c) || body->n <= SMALL)
		return 0;
	if (gz_deflate(buf_whole(body), 1, &other, why) < 0)
		return -1;
	buf_release(body);
	*body = other;
	return 0;
}

static bool
is_gzip(const struct buf *body)
{
	return body->n > 2 && memcmp(body->p, "\x1f\x8b", 2) == 0;
}

static void
send_view(struct call *c)
{
	struct httpd_reply *reply = c->reply;

	reply->status = 200;
	reply->type = wants_csv(c) ? "text/csv; charset=utf-8" :
	    "application/json";
	if (is_gzip(&reply->body))
		reply_field(reply, "Content-Encoding", "gzip");
	reply_field(reply, "Vary", "Accept-Encoding");
	if (wants_csv(c))
		reply_field(reply, "Content-Disposition",
		    shown_of(c)->saved_as);
}

/* Find the run. False: the reply says why not. */
static bool
open_view(struct call *c, struct view *v)
{
	struct why why;
	int found;

	if (read_query(c, v) < 0)
		return false;
	found = view_open(v, &why);
	if (found <= 0)
		reply_store(c->reply, found < 0 ? STORE_FAILED : STORE_NO_RUN,
		    &why);
	return found > 0;
}

/* A view of the run, from the cache if it did not change. */
static void
show_view(struct call *c)
{
	struct buf key = { 0 };
	struct jsn_out o;
	struct view v;
	struct why why;

	if (!open_view(c, &v))
		return;
	put_key(&key, c, &v);
	if (v.base == 0 && cache_get(c->ctx, buf_whole(&key),
	    v.version, v.run_status, &c->reply->body)) {
		send_view(c);
	} else {
		o = reply_json(c->reply, 200);
		if (shown_of(c)->view(&v, &o, &why) < 0 ||
		    encode_body(c, &c->reply->body, &why) < 0) {
			reply_store(c->reply, STORE_FAILED, &why);
		} else {
			send_view(c);
			if (c->reply->body.is_full)
				return;
			cache_put(c->ctx, buf_whole(&key), v.version,
			    v.run_status, buf_whole(&c->reply->body));
		}
	}
	buf_release(&key);
}

/* The comparison names two runs. */
static void
show_diff(struct call *c)
{
	struct jsn_out o;
	struct view v;
	struct why why;

	if (!open_view(c, &v))
		return;
	if (v.base != 0 && v.baseline != 0) {
		reply_error(c->reply, 400, 0, "base and baseline exclude each "
		    "other");
		return;
	}
	if (v.base == 0 && v.baseline == 0) {
		reply_error(c->reply, 400, 0, "base is missing: the run to "
		    "compare with; or baseline: how many to compare with");
		return;
	}
	o = reply_json(c->reply, 200);
	switch (view_diff(&v, &o, &why)) {
	case 0:
		break;
	case 1:
		reply_store(c->reply, STORE_NO_RUN, NULL);
		break;
	default:
		reply_store(c->reply, STORE_FAILED, &why);
	}
}

/* Send the run as a file. */
static void
export_run(struct call *c, enum report_format format)
{
	static const char *const types[] = { "text/html; charset=utf-8",
	    "application/json", "text/csv; charset=utf-8",
	    "text/plain; charset=utf-8", "application/xml",
	    "text/markdown; charset=utf-8" };
	static const char *const names[] = {
	    "attachment; filename=\"k6serve-run.html\"",
	    "attachment; filename=\"k6serve-run.json\"",
	    "attachment; filename=\"k6serve-run.csv\"",
	    "attachment; filename=\"k6serve-run.txt\"",
	    "attachment; filename=\"k6serve-run.xml\"",
	    "attachment; filename=\"k6serve-run.md\"" };
	struct view v;
	struct why why;

	if (!open_view(c, &v))
		return;
	buf_reset(&c->reply->body);
	if (report_print(&v, format, &c->reply->body, &why) < 0) {
		reply_store(c->reply, STORE_FAILED, &why);
		return;
	}
	c->reply->status = 200;
	c->reply->type = types[format];
	reply_field(c->reply, "Content-Disposition", names[format]);
}

static void
export_html(struct call *c)
{
	export_run(c, REPORT_HTML);
}

static void
export_json(struct call *c)
{
	export_run(c, REPORT_JSON);
}

static void
export_junit(struct call *c)
{
	export_run(c, REPORT_JUNIT);
}

static void
export_markdown(struct call *c)
{
	export_run(c, REPORT_MARKDOWN);
}

static void
show_badge(struct call *c)
{
	struct ci ci = { 0 };
	struct view v;
	struct why why = { .text = "" };

	if (!open_view(c, &v))
		return;
	buf_reset(&c->reply->body);
	if (ci_read(&ci, &v, &why) < 0) {
		reply_store(c->reply, STORE_FAILED, &why);
	} else {
		c->reply->status = 200;
		c->reply->type = "image/svg+xml";
		ci_put_badge(&ci, &c->reply->body);
	}
	ci_release(&ci);
}

static void
export_csv(struct call *c)
{
	export_run(c, REPORT_CSV);
}

/* A time of the query, or a date, which begins at 0:00 UTC. -1: the reply says
 * that it is none. */
static int
query_time(struct call *c, const char *name, int64_t *ns)
{
	const char *text = httpd_query(c->r, name);
	struct buf day = { 0 };
	bool is_time = true;

	if (text == NULL)
		return 0;
	buf_text(&day, text);
	if (day.n == strlen("2026-01-31"))
		buf_text(&day, "T00:00:00Z");
	is_time = time_parse(buf_whole(&day), ns);
	buf_release(&day);
	if (!is_time)
		reply_error(c->reply, 400, 0, "%s must be a time as "
		    "2026-01-31 or 2026-01-31T12:00:00Z", name);
	return is_time ? 0 : -1;
}

/* Which runs the query wants. -1: the reply tells what is wrong with it. */
static int
read_filter(struct call *c, struct run_filter *f)
{
	*f = (struct run_filter){ .limit = RUNS_LISTED,
	    .since_ns = INT64_MIN, .until_ns = INT64_MAX,
	    .search = httpd_query(c->r, "search"),
	    .name = httpd_query(c->r, "name"),
	    .state = httpd_query(c->r, "state"),
	    .verdict = httpd_query(c->r, "verdict") };
	if (f->state != NULL && !run_filter_knows_state(f->state)) {
		reply_error(c->reply, 400, 0, "state must be one as running, "
		    "finished, timed-out, aborted or aborted-by-user");
		return -1;
	}
	if (f->verdict != NULL && !run_filter_knows_verdict(f->verdict)) {
		reply_error(c->reply, 400, 0, "verdict must be passed, failed, "
		    "none, pending or unknown");
		return -1;
	}
	if (query_int(c, "limit", 1, RUNS_MAX, &f->limit) < 0 ||
	    query_int(c, "before", 1, INT64_MAX, &f->before) < 0 ||
	    query_time(c, "since", &f->since_ns) < 0 ||
	    query_time(c, "until", &f->until_ns) < 0)
		return -1;
	return 0;
}

/* RFC 3986 section 2.1 */
static void
percent_encode(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (isalnum((unsigned char)*text) || strchr("-._~", *text) !=
		    NULL)
			buf_char(out, *text);
		else
			buf_printf(out, "%%%02X", (unsigned char)*text);
}

/* Where the list goes on, by a field of the reply: the same query with another
 * "before". */
static void
put_next(struct call *c, const struct run_filter *f)
{
	static const char *const words[] = { "format", "limit", "name",
		"search", "since", "state", "until", "verdict" };
	struct buf url = { 0 };
	const char *value;
	size_t i;

	buf_text(&url, "</api/v1/runs?");
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if ((value = httpd_query(c->r, words[i])) != NULL) {
			buf_printf(&url, "%s=", words[i]);
			percent_encode(&url, value);
			buf_char(&url, '&');
		}
	buf_printf(&url, "before=%lld>; rel=\"next\"", (long long)f->next);
	reply_own_field(c->reply, "Link", url.p);
}

static void
list_runs(struct call *c)
{
	struct run_filter filter;
	struct jsn_out o;
	struct view v;
	struct why why;

	if (read_query(c, &v) < 0 || read_filter(c, &filter) < 0)
		return;
	o = reply_json(c->reply, 200);
	if (view_runs(&v, &filter, &o, &why) < 0 ||
	    encode_body(c, &c->reply->body, &why) < 0) {
		reply_store(c->reply, STORE_FAILED, &why);
		return;
	}
	if (filter.next != 0)
		put_next(c, &filter);
	send_view(c);
}

static void
show_health(struct call *c)
{
	struct jsn_out o = reply_json(c->reply, 200);

	jsn_open(&o, '{');
	jsn_member_text(&o, "status", SPAN("ok"));
	jsn_close(&o, '}');
}

#define RUN "/api/v1/runs/*"
#define SHOWN(...) .what = &(const struct shown){ __VA_ARGS__ }
#define VIEW(name, put) \
	{ "GET", RUN "/" name, ACCESS_READ, .answer = show_view, \
	    SHOWN(put, "attachment; filename=\"" name ".csv\""), \
	    .words = "_ format metric method name status step" }
#define EXPORT(name, put) \
	{ "GET", RUN "/export." name, ACCESS_READ, .answer = put, .words = "" }

const struct route api_routes[] = {
	{ "GET", "/api/v1/runs", ACCESS_READ, .answer = list_runs,
	    SHOWN(NULL, "attachment; filename=\"runs.csv\""),
	    .words = "before format limit name search since state until "
	    "verdict" },
	{ "GET", RUN, ACCESS_READ, .answer = show_view,
	    SHOWN(view_run, NULL), .words = "format" },
	{ "GET", RUN "/report", ACCESS_READ, .answer = show_view,
	    SHOWN(view_report, NULL), .words = "format step" },
	VIEW("series", view_series),
	VIEW("urls", view_urls),
	VIEW("distribution", view_distribution),
	VIEW("slow", view_slow),
	VIEW("checks", view_checks),
	VIEW("errors", view_errors),
	VIEW("metrics", view_metrics),
	{ "GET", RUN "/diff", ACCESS_READ, .answer = show_diff,
	    .words = "base baseline format min_effect" },
	EXPORT("html", export_html),
	EXPORT("json", export_json),
	EXPORT("csv", export_csv),
	EXPORT("xml", export_junit),
	EXPORT("md", export_markdown),
	{ "GET", "/runs/*/badge.svg", ACCESS_READ, .answer = show_badge,
	    .words = "" },
	{ "GET", RUN "/events", ACCESS_READ, .answer = send_events,
	    .is_quick = true, .words = "" },
	{ "GET", "/health", ACCESS_OPEN, .answer = show_health },
	{ 0 },
};
