/* SPDX-License-Identifier: MIT */
/* The lists of k6's newer API: projects, load tests, runs. */
#include <string.h>

#include "base/num.h"
#include "base/units.h"
#include "k6serve/ingest/provision.h"

enum { TOP = 1000 };	/* of a page, if the query names no size */

/* A page of a list. */
struct page {
	const struct call *c;
	struct jsn_out o;
	int64_t skip, top;
	int64_t n;		/* things of the list, up to the page's end */
	int64_t created_after, created_before;	/* 0: any */
	int64_t load_test;	/* only runs of this one; 0: of any */
	bool is_starred;	/* only those: there are none */
	bool has_default, has_more;
	struct why *why;
};

/* A number of the query. -1: the reply says that it is none. */
static int
query_number(struct call *c, const char *name, int64_t most, int64_t *value)
{
	const char *text = httpd_query(c->r, name);

	if (text == NULL || num_parse_int(text, 0, most, value))
		return 0;
	reply_error(c->reply, 400, 0, "%s must be between 0 and %lld", name,
	    (long long)most);
	return -1;
}

static int
query_time(struct call *c, const char *name, int64_t *ns)
{
	const char *text = httpd_query(c->r, name);

	if (text == NULL || time_parse(span_of(text), ns))
		return 0;
	reply_error(c->reply, 400, 0, "%s is not a time of RFC 3339", name);
	return -1;
}

/* -1: the reply says what is wrong with the query. */
static int
page_open(struct call *c, struct page *page, struct why *why)
{
	*page = (struct page){ .c = c, .top = TOP, .why = why };
	if (query_number(c, "$skip", INT32_MAX, &page->skip) < 0 ||
	    query_number(c, "$top", TOP, &page->top) < 0 ||
	    query_time(c, "created_after", &page->created_after) < 0 ||
	    query_time(c, "created_before", &page->created_before) < 0)
		return -1;
	page->o = reply_json(c->reply, 200);
	jsn_open(&page->o, '{');
	jsn_key(&page->o, "value");
	jsn_open(&page->o, '[');
	return 0;
}

/* Does the next thing of the list stand on the page? Notes if it stands
 * behind it. */
static bool
page_takes(struct page *page)
{
	int64_t at = page->n++ - page->skip;

	page->has_more |= at >= page->top;
	return at >= 0 && at < page->top;
}

static void
page_close(struct call *c, struct page *page, int status)
{
	struct buf link = { 0 };

	if (status < 0) {
		reply_store(c->reply, store_last_failure(c->store),
		    page->why);
		return;
	}
	jsn_close(&page->o, ']');
	if (page->has_more && page->top > 0) {
		call_put_url(c, &link);
		buf_printf(&link, "%s?%%24skip=%lld&%%24top=%lld", c->r->path,
		    (long long)(page->skip + page->top), (long long)page->top);
		jsn_member_text(&page->o, "@nextLink", buf_whole(&link));
	} else {
		provision_null(&page->o, "@nextLink");
	}
	jsn_close(&page->o, '}');
	buf_release(&link);
}

void
provision_put_load_test(struct jsn_out *o, const struct store_load_test *t)
{
	jsn_open(o, '{');
	jsn_member_int(o, "id", t->id);
	jsn_member_int(o, "project_id", t->project);
	jsn_member_text(o, "name", t->name);
	provision_null(o, "baseline_test_run_id");
	jsn_member_time(o, "created", t->created_ns);
	jsn_member_time(o, "updated", t->created_ns);
	jsn_close(o, '}');
}

bool
provision_is_project(struct call *c)
{
	if (c->run > 0 && c->run <= PROVISION_ID_MAX)
		return true;
	reply_error(c->reply, 404, 0, "no such project");
	return false;
}

static int
each_load_test(void *ctx, const struct store_load_test *t)
{
	struct page *page = ctx;

	if (page_takes(page))
		provision_put_load_test(&page->o, t);
	return page->has_more;
}

void
provision_load_tests(struct call *c)
{
	const char *name = httpd_query(c->r, "name");
	struct store_load_test_query q = { c->owner, c->run,
	    span_of(name != NULL ? name : "") };
	struct page page;
	struct why why;

	if (provision_is_project(c) && page_open(c, &page, &why) == 0)
		page_close(c, &page, store_load_tests(c->store, &q,
		    each_load_test, &page, &why));
}

void
provision_load_test(struct call *c)
{
	struct store_load_test t = { .id = c->run };
	struct buf name = { 0 };
	struct jsn_out o;
	struct why why;
	enum store_result result = store_load_test_get(c->store, c->owner, &t,
	    &name, &why);

	if (result == STORE_NO_RUN) {
		reply_error(c->reply, 404, 0, "no such load test");
	} else if (result != STORE_DONE) {
		reply_store(c->reply, result, &why);
	} else {
		o = reply_json(c->reply, 200);
		provision_put_load_test(&o, &t);
	}
	buf_release(&name);
}

static void
put_project(struct page *page, int64_t project, int64_t created_ns)
{
	struct jsn_out *o = &page->o;
	struct buf name = { 0 };

	if (!page_takes(page))
		return;
	if (project == PROVISION_PROJECT)
		buf_text(&name, "Default project");
	else
		buf_printf(&name, "Project %lld", (long long)project);
	jsn_open(o, '{');
	jsn_member_int(o, "id", project);
	jsn_member_text(o, "name", buf_whole(&name));
	jsn_key(o, "is_default");
	jsn_put_bool(o, project == PROVISION_PROJECT);
	provision_null(o, "grafana_folder_uid");
	jsn_member_time(o, "created", created_ns);
	jsn_member_time(o, "updated", created_ns);
	jsn_close(o, '}');
	buf_release(&name);
}

/* The default project is there before anything is in it, and has the least
 * number. */
static int
each_project(void *ctx, const struct store_load_test *t)
{
	struct page *page = ctx;

	if (!page->has_default && t->project != PROVISION_PROJECT)
		put_project(page, PROVISION_PROJECT, t->created_ns);
	page->has_default = true;
	put_project(page, t->project, t->created_ns);
	return page->has_more;
}

void
provision_projects(struct call *c)
{
	struct page page;
	struct why why;
	int status;

	if (page_open(c, &page, &why) < 0)
		return;
	status = store_projects(c->store, c->owner, each_project, &page, &why);
	if (status == 0 && !page.has_default)
		put_project(&page, PROVISION_PROJECT, now_unix_ns());
	page_close(c, &page, status);
}

/* This server runs no tests: it has none. */
void
provision_load_zones(struct call *c)
{
	struct page page;
	struct why why;

	if (page_open(c, &page, &why) == 0)
		page_close(c, &page, 0);
}

static int
each_run(void *ctx, const struct store_run *run)
{
	struct page *page = ctx;
	const struct call *c = page->c;
	struct store_started started = { .run = run->id };

	if ((page->created_after != 0 &&
	    run->created_ns < page->created_after) ||
	    (page->created_before != 0 &&
	    run->created_ns > page->created_before))
		return 0;
	if (store_started_get(c->store, c->owner, &started, NULL, page->why) <
	    0)
		return -1;
	if (page->is_starred)
		return 1;
	if (page->load_test != 0 && started.load_test != page->load_test)
		return 0;
	if (page_takes(page))
		provision_put_run(c, &page->o, run, started.load_test);
	return page->has_more;
}

void
provision_runs(struct call *c)
{
	struct store_run_query q = { .owner = c->owner, .limit = INT64_MAX };
	const char *starred;
	struct page page;
	struct why why;

	if (page_open(c, &page, &why) < 0)
		return;
	page.load_test = c->run;
	starred = httpd_query(c->r, "is_starred");
	page.is_starred = starred != NULL && strcmp(starred, "true") == 0;
	page_close(c, &page, store_runs(c->store, &q, each_run, &page, &why));
}
