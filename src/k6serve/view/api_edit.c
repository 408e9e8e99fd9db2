/* SPDX-License-Identifier: MIT */
/* What the API changes of a run: its note, or all of it. */
#include "data/jsn.h"
#include "k6serve/store/store_run.h"
#include "k6serve/view/api.h"

enum { NOTE_BYTES = 2000 };

static void
reply_done(struct call *c, enum store_result result, const struct why *why)
{
	struct jsn_out o;

	if (result != STORE_DONE) {
		reply_store(c->reply, result, why);
		return;
	}
	o = reply_json(c->reply, 200);
	jsn_open(&o, '{');
	jsn_close(&o, '}');
}

int
api_read_note(struct call *c, struct buf *note)
{
	struct jsn j = jsn_of(c->r->body);
	struct span key, raw;
	bool has_note = false;

	note->max = NOTE_BYTES;

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (!span_is(key, "note")) {
			(void)jsn_skip(&j);
		} else if (jsn_text(&j, &raw)) {
			has_note = true;
			jsn_unescape(note, raw);
		}
	if (!jsn_done(&j) || !has_note)
		reply_error(c->reply, 400, 0, "the body must be "
		    "{\"note\":\"...\"}");
	else if (note->is_full)
		reply_error(c->reply, 400, 0, "a note has at most %d bytes",
		    NOTE_BYTES);
	else
		return 0;
	return -1;
}

/* {"note":"..."} */
static void
change_run(struct call *c)
{
	struct buf note = { 0 };
	struct why why;

	if (api_read_note(c, &note) == 0)
		reply_done(c, store_run_note(c->store, c->owner,
		    c->run, buf_whole(&note), &why), &why);
	buf_release(&note);
}

static void
remove_run(struct call *c)
{
	struct why why;

	reply_done(c, store_run_remove(c->store, c->owner, c->run,
	    &why), &why);
}

#define RUN "/api/v1/runs/*"

const struct route edit_routes[] = {
	{ "PATCH", RUN, ACCESS_WRITE, .answer = change_run, .words = "" },
	{ "DELETE", RUN, ACCESS_WRITE, .answer = remove_run, .words = "" },
	{ 0 },
};
