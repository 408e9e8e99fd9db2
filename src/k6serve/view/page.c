/* SPDX-License-Identifier: MIT */
/* The routes of the pages, and files sent. */
#include "k6serve/view/page.h"

#include <string.h>

#include "k6serve/view/assets.h"

/* What a route is about. */
struct page_file {
	enum asset asset;
	const char *type;	/* its media type */
};

static void
send_file(struct call *c)
{
	const struct page_file *file = c->route->what;

	c->reply->status = 200;
	c->reply->type = file->type;
	c->reply->fixed = asset(file->asset);
}

/* The page itself says so when there is no such run; of the reply to that
 * only the status stays. */
static void
send_run_page(struct call *c)
{
	int status = call_has_run(c) ? 200 : c->reply->status;

	buf_release(&c->reply->body);
	send_file(c);
	c->reply->status = status;
}

#define HTML "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define FILE_AT(at, name, media) \
	{ "GET", at, ACCESS_READ, .answer = send_file, .is_quick = true, \
	    .what = &(const struct page_file){ name, media } }

const struct route page_routes[] = {
	{ "GET", "/runs/*", ACCESS_READ, .answer = send_run_page,
	    .is_quick = true, .takes_any_run = true,
	    .what = &(const struct page_file){ ASSET_RUN_HTML, HTML } },
	FILE_AT("/", ASSET_LIST_HTML, HTML),
	FILE_AT("/compare", ASSET_COMPARE_HTML, HTML),
	FILE_AT("/page.css", ASSET_PAGE_CSS, "text/css; charset=utf-8"),
	FILE_AT("/page.js", ASSET_PAGE_JS, SCRIPT),
	FILE_AT("/list.js", ASSET_LIST_JS, SCRIPT),
	FILE_AT("/run.js", ASSET_RUN_JS, SCRIPT),
	FILE_AT("/compare.js", ASSET_COMPARE_JS, SCRIPT),
	FILE_AT("/chart.js", ASSET_CHART_JS, SCRIPT),
	FILE_AT("/table.js", ASSET_TABLE_JS, SCRIPT),
	FILE_AT("/insights.js", ASSET_INSIGHTS_JS, SCRIPT),
	FILE_AT("/dygraph.js", ASSET_DYGRAPH_JS, SCRIPT),
	FILE_AT("/dygraph.css", ASSET_DYGRAPH_CSS, "text/css; charset=utf-8"),
	FILE_AT("/icon.svg", ASSET_ICON, "image/svg+xml"),
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
