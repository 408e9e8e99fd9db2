/* SPDX-License-Identifier: MIT */
/* The API's views of runs: its routes, and answers as JSON or CSV. */
#include "k6serve/view/api.h"

#include <ctype.h>
#include <string.h>

#include "io/gz.h"
#include "k6serve/http/accept.h"
#include "k6serve/view/api_priv.h"
#include "k6serve/view/cache.h"
#include "k6serve/view/csv.h"
#include "k6serve/view/etag.h"
#include "k6serve/view/events.h"

enum { SMALL = 1400 };		/* bytes that fit into one packet */

/* What tells apart two answers about one version of a run. */
static void
put_key(struct buf *key, const struct call *c, const struct view *v)
{
	const char *const texts[] = { v->metric, v->name, v->method,
	    v->status, httpd_query(c->r, "_") };
	size_t i;

	buf_printf(key, "%s %lld %lld %lld %lld %lld %lld %g %d %d",
	    c->route->path, (long long)v->run, (long long)v->base,
	    (long long)v->step_s, (long long)v->from_s,
	    (long long)v->to_s, (long long)v->series_from, v->min_effect,
	    accepts_gzip(c->r), api_wants_csv(c));
	for (i = 0; v->tags != NULL && i < v->tags->n; i++)
		buf_printf(key, "%c%s", '\0', v->tags->texts[i]);
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
	if (api_wants_csv(c)) {
		csv_print(buf_whole(body), &other);
		buf_release(body);
		*body = other;
		other = (struct buf){ 0 };
	}
	if (!accepts_gzip(c->r) || body->n <= SMALL)
		return 0;
	if (gz_deflate(buf_whole(body), 1, &other, why) < 0)
		return -1;
	buf_release(body);
	*body = other;
	return 0;
}

/* A client that has this answer already gets only a 304: the data is not read
 * again, not even for its length. */
static bool
has_version(struct call *c, const struct buf *key, const struct view *v)
{
	struct buf what = { 0 };
	bool is_known;

	buf_span(&what, buf_whole(key));
	buf_printf(&what, "%c%s %lld %d " K6PIPE_VERSION, '\0',
	    store_id(c->store), (long long)v->version, v->run_status);
	is_known = etag_matches(c, buf_whole(&what));
	buf_release(&what);
	return is_known;
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
	reply->type = api_wants_csv(c) ? "text/csv; charset=utf-8" :
	    "application/json";
	if (is_gzip(&reply->body))
		reply_field(reply, "Content-Encoding", "gzip");
	if (api_wants_csv(c))
		reply_field(reply, "Content-Disposition",
		    api_shown(c)->saved_as);
}

/* A view of the run, from the cache if it did not change. */
static void
show_view(struct call *c)
{
	struct buf key = { 0 };
	struct jsn_out o;
	struct tag_filter tags;
	struct view v;
	struct why why;
	bool is_known;

	if (!api_open_view(c, &v, &tags))
		return;
	put_key(&key, c, &v);
	is_known = has_version(c, &key, &v);
	if (v.base == 0 && cache_get(c->ctx, buf_whole(&key),
	    v.version, v.run_status, &c->reply->body)) {
		if (!is_known)
			send_view(c);
	} else if (is_known) {
		c->reply->has_no_length = true;
	} else {
		o = reply_json(c->reply, 200);
		if (api_shown(c)->view(&v, &o, &why) < 0 ||
		    encode_body(c, &c->reply->body, &why) < 0) {
			call_fail(c, &why);
		} else {
			send_view(c);
			if (!c->reply->body.is_full)
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
	struct tag_filter tags;
	struct view v;
	struct why why;

	if (!api_open_view(c, &v, &tags))
		return;
	if (v.base != 0 && v.baseline != 0) {
		reply_error(c->reply, 400, ERROR_BAD_PARAMETER,
		    "base and baseline exclude each "
		    "other");
		return;
	}
	o = reply_json(c->reply, 200);
	switch (view_diff(&v, &o, &why)) {
	case 0:
		(void)etag_matches(c, buf_whole(&c->reply->body));
		break;
	case 1:
		reply_store(c->reply, STORE_NO_RUN, NULL);
		break;
	default:
		call_fail(c, &why);
	}
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
	struct tag_filter tags;
	struct view v;
	struct why why;

	if (api_read_query(c, &v, &tags) < 0 || api_read_filter(c, &filter) < 0)
		return;
	o = reply_json(c->reply, 200);
	if (view_runs(&v, &filter, &o, &why) < 0 ||
	    encode_body(c, &c->reply->body, &why) < 0) {
		call_fail(c, &why);
		return;
	}
	if (filter.next != 0)
		put_next(c, &filter);
	if (!etag_matches(c, buf_whole(&c->reply->body)))
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
#define VIEW(name, put, more) \
	{ "GET", RUN "/" name, ACCESS_READ, .answer = show_view, \
	    SHOWN(.view = put, \
	    .saved_as = "attachment; filename=\"" name ".csv\""), \
	    .words = "_ format" more }
#define PART " from tag to"
#define EXPORT(name, format_of) \
	{ "GET", RUN "/export." name, ACCESS_READ, .answer = api_export_run, \
	    SHOWN(.format = format_of), .words = "_" }

const struct route api_routes[] = {
	{ "GET", "/api/v1/runs", ACCESS_READ, .answer = list_runs,
	    SHOWN(.saved_as = "attachment; filename=\"runs.csv\""),
	    .words = "before format limit name search since state until "
	    "verdict _" },
	{ "GET", RUN, ACCESS_READ, .answer = show_view,
	    SHOWN(.view = view_run), .words = "_ format" },
	{ "GET", RUN "/report", ACCESS_READ, .answer = show_view,
	    SHOWN(.view = view_report),
	    .words = "_ format from series_from step tag to" },
	VIEW("series", view_series, " metric method name status step tag"),
	VIEW("urls", view_urls, PART),
	VIEW("requests", view_requests, PART),
	VIEW("tags", view_tags, ""),
	VIEW("distribution", view_distribution, " from metric to"),
	VIEW("slow", view_slow, " from to"),
	VIEW("checks", view_checks, PART),
	VIEW("errors", view_errors, PART),
	VIEW("metrics", view_metrics, ""),
	VIEW("thresholds", view_thresholds, ""),
	{ "GET", RUN "/diff", ACCESS_READ, .answer = show_diff,
	    .words = "_ base baseline format min_effect" },
	EXPORT("html", REPORT_HTML),
	EXPORT("json", REPORT_JSON),
	EXPORT("csv", REPORT_CSV),
	EXPORT("xml", REPORT_JUNIT),
	EXPORT("md", REPORT_MARKDOWN),
	{ "GET", "/runs/*/badge.svg", ACCESS_READ, .answer = api_show_badge,
	    .words = "_" },
	{ "GET", RUN "/events", ACCESS_READ, .answer = send_events,
	    .is_quick = true, .words = "_" },
	{ "GET", "/health", ACCESS_OPEN, .answer = show_health,
	    .takes_any_host = true, .words = "" },
	{ 0 },
};
