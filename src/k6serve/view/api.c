/* SPDX-License-Identifier: MIT */
/* What the API shows of runs: views as JSON or CSV, reports, events. */
#include "k6serve/view/baseline.h"
#include "k6serve/view/api.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "data/run.h"
#include "io/gz.h"
#include "k6serve/view/cache.h"
#include "k6serve/view/ci.h"
#include "k6serve/view/csv.h"
#include "k6serve/view/diff.h"
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
	    v->status };
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
	if ((v.base == 0) == (v.baseline == 0)) {
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

static void
list_runs(struct call *c)
{
	int64_t limit = RUNS_LISTED;
	struct jsn_out o;
	struct view v;
	struct why why;

	if (query_int(c, "limit", 1, RUNS_MAX, &limit) < 0 ||
	    read_query(c, &v) < 0)
		return;
	o = reply_json(c->reply, 200);
	if (view_runs(&v, limit, httpd_query(c->r, "search"), &o, &why) < 0 ||
	    encode_body(c, &c->reply->body, &why) < 0)
		reply_store(c->reply, STORE_FAILED, &why);
	else
		send_view(c);
}

/* One listener of a run's events. */
struct watch {
	struct store *store;	/* the server's thread's */
	int64_t run, version;
	int status;
	const char *owner;	/* store_everybody, or the text below */
	char text[];
};

struct news {
	struct watch *w;
	struct buf *out;
	bool is_there;
};

static int
put_change(void *ctx, const struct store_run *run)
{
	struct news *n = ctx;
	int status = run->run_status;

	n->is_there = true;
	if (run->version == n->w->version && status == n->w->status)
		return 0;
	n->w->version = run->version;
	n->w->status = status;
	buf_printf(n->out, "event: change\ndata: {\"version\":%lld,"
	    "\"state\":\"%s\"}\n\n", (long long)run->version,
	    run_status_name(status));
	return 0;
}

static int
next_event(void *stream, struct buf *out)
{
	struct watch *w = stream;
	struct store_run_query q = { .owner = w->owner, .id = w->run };
	struct news n = { w, out, false };

	(void)store_runs(w->store, &q, put_change, &n, NULL);
	return n.is_there ? 0 : -1;
}

static void
send_events(struct call *c)
{
	size_t n = strlen(c->owner) + 1;
	struct watch *w;

	if (!call_has_run(c))
		return;
	w = xcalloc(1, sizeof(*w) + n);
	memcpy(w->text, c->owner, n);
	w->owner = c->owner == store_everybody ? store_everybody : w->text;
	w->store = c->store;
	w->run = c->run;
	c->reply->status = 200;
	c->reply->type = "text/event-stream";
	c->reply->next = next_event;
	c->reply->stream = w;
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
	    SHOWN(put, "attachment; filename=\"" name ".csv\"") }

const struct route api_routes[] = {
	{ "GET", "/api/v1/runs", ACCESS_READ, .answer = list_runs,
	    SHOWN(NULL, "attachment; filename=\"runs.csv\"") },
	{ "GET", RUN, ACCESS_READ, .answer = show_view,
	    SHOWN(view_run, NULL) },
	{ "GET", RUN "/report", ACCESS_READ, .answer = show_view,
	    SHOWN(view_report, NULL) },
	VIEW("series", view_series),
	VIEW("urls", view_urls),
	VIEW("distribution", view_distribution),
	VIEW("slow", view_slow),
	VIEW("checks", view_checks),
	VIEW("errors", view_errors),
	VIEW("metrics", view_metrics),
	{ "GET", RUN "/diff", ACCESS_READ, .answer = show_diff },
	{ "GET", RUN "/export.html", ACCESS_READ, .answer = export_html },
	{ "GET", RUN "/export.json", ACCESS_READ, .answer = export_json },
	{ "GET", RUN "/export.csv", ACCESS_READ, .answer = export_csv },
	{ "GET", RUN "/export.xml", ACCESS_READ, .answer = export_junit },
	{ "GET", RUN "/export.md", ACCESS_READ, .answer = export_markdown },
	{ "GET", "/runs/*/badge.svg", ACCESS_READ, .answer = show_badge },
	{ "GET", RUN "/events", ACCESS_READ, .answer = send_events,
	    .is_quick = true },
	{ "GET", "/health", ACCESS_OPEN, .answer = show_health },
	{ 0 },
};
