/* SPDX-License-Identifier: MIT */
/* page: the two pages and what they load. All data comes through the API. */
#include <string.h>

#include "k6serve/app.h"
#include "k6serve/assets.h"

static const struct {
	const char *path;
	enum asset asset;
	const char *type;
} files[] = {
	{ "/", ASSET_LIST_HTML, "text/html; charset=utf-8" },
	{ "/page.css", ASSET_PAGE_CSS, "text/css; charset=utf-8" },
	{ "/page.js", ASSET_PAGE_JS, "text/javascript; charset=utf-8" },
	{ "/list.js", ASSET_LIST_JS, "text/javascript; charset=utf-8" },
	{ "/run.js", ASSET_RUN_JS, "text/javascript; charset=utf-8" },
	{ "/dygraph.js", ASSET_DYGRAPH_JS, "text/javascript; charset=utf-8" },
	{ "/dygraph.css", ASSET_DYGRAPH_CSS, "text/css; charset=utf-8" },
	{ "/icon.svg", ASSET_ICON, "image/svg+xml" },
};

static void
send_file(struct call *c)
{
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(c->r->path, files[i].path) == 0) {
			c->reply->status = 200;
			c->reply->type = files[i].type;
			c->reply->fixed = asset(files[i].asset);
		}
}

static int
found(void *ctx, const struct store_run *run)
{
	(void)run;
	*(int *)ctx = 200;
	return 0;
}

/* The page itself says so when there is no such run. */
static void
send_run(struct call *c)
{
	struct why why;

	c->reply->status = 404;
	c->reply->type = "text/html; charset=utf-8";
	c->reply->fixed = asset(ASSET_RUN_HTML);
	if (store_runs(c->app->store, c->run, 1, found, &c->reply->status,
	    &why) < 0)
		c->reply->status = 500;
}

const struct route page_routes[] = {
	{ "GET", "/", ACCESS_READ, send_file },
	{ "GET", "/runs/*", ACCESS_READ, send_run },
	{ "GET", "/page.css", ACCESS_READ, send_file },
	{ "GET", "/page.js", ACCESS_READ, send_file },
	{ "GET", "/list.js", ACCESS_READ, send_file },
	{ "GET", "/run.js", ACCESS_READ, send_file },
	{ "GET", "/dygraph.js", ACCESS_READ, send_file },
	{ "GET", "/dygraph.css", ACCESS_READ, send_file },
	{ "GET", "/icon.svg", ACCESS_READ, send_file },
	{ 0 },
};
