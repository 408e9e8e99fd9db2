/* SPDX-License-Identifier: MIT */
/* What k6's newer API changes of a run, as apps and scripts call it. */
#include "base/units.h"
#include "data/run.h"
#include "k6serve/ingest/provision.h"
#include "k6serve/view/api.h"

static void
reply_changed(struct call *c, enum store_result result, const struct why *why)
{
	if (result == STORE_DONE)
		c->reply->status = 204;
	else
		reply_store(c->reply, result, why);
}

void
provision_remove(struct call *c)
{
	struct why why;
	enum store_result result = store_run_remove(c->store, c->owner, c->run,
	    &why);

	reply_changed(c, result, &why);
}

void
provision_change(struct call *c)
{
	struct run_change change = { 0 };
	struct why why;

	if (api_read_change(c, &change) == 0)
		reply_changed(c, api_change_run(c, &change, &why), &why);
	buf_release(&change.note);
}

void
provision_abort(struct call *c)
{
	struct store_run end = { .id = c->run, .results = SPAN("{}"),
	    .run_status = RUN_ABORTED_BY_USER, .ended_ns = now_unix_ns() };
	struct why why;
	enum store_result result = store_run_end(c->store, c->owner, &end,
	    &why);

	if (result == STORE_ENDED)
		reply_error(c->reply, 409, 0, "the run is over");
	else
		reply_changed(c, result, &why);
}

/* -1: the reply says that there is no such run. */
static int
find(struct call *c)
{
	struct why why;
	enum store_result result = store_run_find(c->store, c->owner, c->run,
	    &why);

	if (result == STORE_DONE)
		return 0;
	reply_store(c->reply, result, &why);
	return -1;
}

void
provision_mark(struct call *c)
{
	if (find(c) == 0)
		reply_error(c->reply, 400, 0, "this server stars no runs, and "
		    "keeps all of them as long as --keep-for and --keep-size "
		    "say");
}

void
provision_script(struct call *c)
{
	if (find(c) == 0)
		reply_error(c->reply, 404, 0, "this server keeps no scripts");
}

void
provision_distribution(struct call *c)
{
	if (find(c) == 0)
		reply_error(c->reply, 404, 0, "this server has no load zones: "
		    "runs are made on machines of their owners");
}
