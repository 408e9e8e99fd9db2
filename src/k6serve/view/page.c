/* SPDX-License-Identifier: MIT */
/* page: the two pages and what they load. All data comes through the API. */
#include "k6serve/http/app.h"

static void
send_file(struct call *c)
{
	c->reply->status = 200;
	c->reply->type = c->route->type;
	c->reply->fixed = asset(c->route->file);
}

/* The page itself says so when there is no such run; of the reply to that
 * only the status stays. */
static void
send_run_page(struct call *c)
{
	int status = app_has_run(c) ? 200 : c->reply->status;

	buf_release(&c->reply->body);
	send_file(c);
	c->reply->status = status;
}

#define HTML "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define FILE_AT(at, name, media) \
	{ "GET", at, ACCESS_READ, send_file, .file = name, .type = media }

const struct route page_routes[] = {
	{ "GET", "/runs/*", ACCESS_READ, send_run_page,
	    .file = ASSET_RUN_HTML, .type = HTML },
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
