/* SPDX-License-Identifier: MIT */
/* A run as a file: its report in a format, its badge. */
#include "k6serve/view/api_priv.h"
#include "k6serve/view/ci.h"
#include "k6serve/view/etag.h"
#include "k6serve/view/report.h"

void
api_export_run(struct call *c)
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
	enum report_format format = api_shown(c)->format;
	struct tag_filter tags;
	struct view v;
	struct why why;

	if (!api_open_view(c, &v, &tags))
		return;
	buf_reset(&c->reply->body);
	if (report_print(&v, format, &c->reply->body, &why) < 0) {
		call_fail(c, &why);
		return;
	}
	if (etag_matches(c, buf_whole(&c->reply->body)))
		return;
	c->reply->status = 200;
	c->reply->type = types[format];
	reply_field(c->reply, "Content-Disposition", names[format]);
}

void
api_show_badge(struct call *c)
{
	struct ci ci = { 0 };
	struct tag_filter tags;
	struct view v;
	struct why why = { .text = "" };

	if (!api_open_view(c, &v, &tags))
		return;
	buf_reset(&c->reply->body);
	if (ci_read(&ci, &v, &why) < 0) {
		call_fail(c, &why);
	} else {
		c->reply->status = 200;
		c->reply->type = "image/svg+xml";
		ci_put_badge(&ci, &c->reply->body);
	}
	ci_release(&ci);
}
