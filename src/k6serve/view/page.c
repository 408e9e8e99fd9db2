/* SPDX-License-Identifier: MIT */
/* The routes of the pages, and files sent. */
#include "k6serve/view/page.h"

#include <string.h>

#include "io/gz.h"
#include "k6serve/http/accept.h"
#include "k6serve/view/etag.h"

enum { LEVEL = 9 };	/* of gzip: they are packed once */

/* What a route is about. */
struct page_file {
	enum asset asset;
	const char *type;	/* its media type */
};

void
pages_init(struct pages *p)
{
	struct why why;
	int i;

	for (i = 0; i < ASSETS; i++) {
		p->packed[i] = (struct buf){ 0 };
		if (gz_deflate(asset((enum asset)i), LEVEL, &p->packed[i],
		    &why) < 0 || p->packed[i].n >= asset((enum asset)i).n)
			buf_release(&p->packed[i]);
	}
}

void
pages_release(struct pages *p)
{
	int i;

	for (i = 0; i < ASSETS; i++)
		buf_release(&p->packed[i]);
}

/* Put the file into the reply, in the form that the caller takes; what the
 * caller has already is not sent if may_be_known. */
static void
fill_in(struct call *c, bool may_be_known)
{
	const struct page_file *file = c->route->what;
	const struct pages *pages = c->ctx;
	struct span form = asset(file->asset);
	bool is_packed = pages->packed[file->asset].n != 0 &&
	    accepts_gzip(c->r);

	if (is_packed)
		form = buf_whole(&pages->packed[file->asset]);
	/* of a reply 304 only the length is sent */
	c->reply->fixed = form;
	if (may_be_known && etag_matches(c, form))
		return;
	if (is_packed)
		reply_field(c->reply, "Content-Encoding", "gzip");
	c->reply->type = file->type;
}

/* Browsers keep a file, and ask each time if it is still the one. */
static void
send_file(struct call *c)
{
	reply_field(c->reply, "Cache-Control", "no-cache");
	c->reply->status = 200;
	fill_in(c, true);
}

/* The page itself says so when there is no such run; of the reply to that
 * only the status stays. The last run has a page of its own number. */
static void
send_run_page(struct call *c)
{
	if (c->last != NULL) {
		c->reply->status = 302;
		reply_own_field(c->reply, "Location", xasprintf("/runs/%lld",
		    (long long)c->run));
		return;
	}
	if (call_has_run(c)) {
		send_file(c);
		return;
	}
	buf_release(&c->reply->body);
	fill_in(c, false);
}

#define HTML "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define FILE_AT(at, name, media) \
	{ "GET", at, ACCESS_READ, .answer = send_file, .is_quick = true, \
	    .needs_no_store = true, \
	    .what = &(const struct page_file){ name, media } }

const struct route page_routes[] = {
	{ "GET", "/runs/*", ACCESS_READ, .answer = send_run_page,
	    .is_short = true, .needs_no_store = true, .takes_any_run = true,
	    .takes_last = true,
	    .what = &(const struct page_file){ ASSET_RUN_HTML, HTML } },
	FILE_AT("/", ASSET_LIST_HTML, HTML),
	FILE_AT("/compare", ASSET_COMPARE_HTML, HTML),
	FILE_AT("/page.css", ASSET_PAGE_CSS, "text/css; charset=utf-8"),
	FILE_AT("/page.js", ASSET_PAGE_JS, SCRIPT),
	FILE_AT("/list.js", ASSET_LIST_JS, SCRIPT),
	FILE_AT("/run.js", ASSET_RUN_JS, SCRIPT),
	FILE_AT("/run_charts.js", ASSET_RUN_CHARTS_JS, SCRIPT),
	FILE_AT("/run_tables.js", ASSET_RUN_TABLES_JS, SCRIPT),
	FILE_AT("/compare.js", ASSET_COMPARE_JS, SCRIPT),
	FILE_AT("/chart.js", ASSET_CHART_JS, SCRIPT),
	FILE_AT("/table.js", ASSET_TABLE_JS, SCRIPT),
	FILE_AT("/insights.js", ASSET_INSIGHTS_JS, SCRIPT),
	FILE_AT("/dygraph.js", ASSET_DYGRAPH_JS, SCRIPT),
	FILE_AT("/dygraph.css", ASSET_DYGRAPH_CSS, "text/css; charset=utf-8"),
	FILE_AT("/icon.svg", ASSET_ICON, "image/svg+xml"),
	{ "GET", "/api/v1/openapi.json", ACCESS_READ, .answer = send_file,
	    .is_quick = true, .words = "",
	    .what = &(const struct page_file){ ASSET_OPENAPI,
	    "application/json" } },
	{ 0 },
};

bool
page_file(struct span path, struct span *file)
{
	const struct route *route;

	for (route = page_routes; route->method != NULL; route++)
		if (span_is(path, route->path)) {
			*file = asset(((const struct page_file *)
			    route->what)->asset);
			return true;
		}
	return false;
}
