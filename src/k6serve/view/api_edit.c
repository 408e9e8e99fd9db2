/* SPDX-License-Identifier: MIT */
/* The API's changes to a run: its note, whether it is the baseline of its
 * name, its removal. */
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

/* {"note":"..."}, {"baseline":true} or both, and nothing else. False: the body
 * is no such object. */
static bool
read_change(struct call *c, struct run_change *change)
{
	struct jsn j = jsn_of(c->r->body);
	struct span key, raw;

	change->note.max = NOTE_BYTES;
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (span_is(key, "note") && jsn_text(&j, &raw)) {
			change->has_note = true;
			buf_reset(&change->note);
			jsn_unescape(&change->note, raw);
		} else if (span_is(key, "baseline") && jsn_value(&j, &raw)) {
			change->has_baseline = true;
			change->is_baseline = span_is(raw, "true");
			if (!change->is_baseline && !span_is(raw, "false"))
				(void)jsn_fail(&j, "neither true nor false");
		} else {
			(void)jsn_fail(&j, "unknown member");
		}
	return jsn_done(&j);
}

int
api_read_change(struct call *c, struct run_change *change)
{
	if (!read_change(c, change) ||
	    (!change->has_note && !change->has_baseline))
		reply_error(c->reply, 400, ERROR_BAD_BODY, "the body must be "
		    "{\"note\":\"...\"}, {\"baseline\":true} or both");
	else if (change->note.is_full)
		reply_error(c->reply, 400, ERROR_BAD_BODY,
		    "a note has at most %d bytes",
		    NOTE_BYTES);
	else
		return 0;
	return -1;
}

enum store_result
api_change_run(struct call *c, const struct run_change *change,
    struct why *why)
{
	enum store_result result = STORE_DONE;

	if (change->has_note)
		result = store_run_note(c->store, c->owner, c->run,
		    buf_whole(&change->note), why);
	if (result == STORE_DONE && change->has_baseline)
		result = store_run_set_baseline(c->store, c->owner, c->run,
		    change->is_baseline, why);
	return result;
}

static void
change_run(struct call *c)
{
	struct run_change change = { 0 };
	struct why why;

	if (api_read_change(c, &change) == 0)
		reply_done(c, api_change_run(c, &change, &why), &why);
	buf_release(&change.note);
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
