/* SPDX-License-Identifier: MIT */
/* The end of a push: the books, the exit status, the result file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "base/units.h"
#include "data/jsn.h"
#include "k6push/session.h"

enum { RESULT_VERSION = 1 };

/* What was cut from batches that the server does not have whole. */
static struct amount
cut_of(const struct session *session, const struct upload_counts *u)
{
	const struct amount *cut = &session->earlier.cut;

	return (struct amount){ cut->points - u->cut_there.points,
	    cut->requests - u->cut_there.requests };
}

/* Requests: made, and where they are. What the server counts decides between
 * lost and twice; a server that does not count is believed. */
static void
count_requests(const struct session *session, const struct upload_counts *u,
    struct books *b)
{
	struct run_facts run = run_api_facts(session->run_api);
	const struct earlier *e = &session->earlier;
	bool is_whole = session->reader != NULL || e->is_known;
	int64_t known, least;

	b->requests_dropped = session->reader != NULL ? session->dropped
	    : is_whole ? session->note.dropped : 0;
	b->made = is_whole ? session->note.made
	    : (int64_t)(session->found.requests + session->foreign.requests);
	b->requests_on_disk = (int64_t)(u->waiting.requests -
	    u->loose.requests + u->quarantined.requests +
	    session->foreign.requests);
	b->stored = (int64_t)u->acked.requests;
	if (session->reader == NULL && is_whole) {
		b->requests_on_disk += (int64_t)(e->refused.requests -
		    u->superseded_before.requests);
		b->stored += (int64_t)(e->acked.requests +
		    u->superseded_before.requests);
	}
	/* Of a journal of an older version we do not know what others fed. */
	if (run.has_stored && is_whole)
		b->stored = run.stored_requests;
	if (session->is_verified && is_whole)
		b->stored = session->verified;
	b->is_verified = session->is_verified && is_whole;
	b->verified = session->verified;
	b->is_unverified = session_is_to_verify(session) && !b->is_verified;
	if (session_run_is_removed(session))
		b->stored = 0;
	known = b->stored + b->requests_on_disk + b->requests_dropped;
	/* Of a pusher that was killed this is the least: it may have sent what
	 * left no trace on the disk. That has not made good what was cut. */
	least = known + (int64_t)cut_of(session, u).requests;
	if (session->reader == NULL && session->note.is_cut &&
	    least > b->made)
		b->made = least;
	if (known < b->made)
		b->requests_lost = b->made - known;
	else
		b->requests_twice = known - b->made;
}

/* Samples that the journal no longer has. Where the server counts, and has all
 * requests, their delivery only was not noted. */
static uint64_t
count_gone(const struct session *session, const struct upload_counts *u,
    const struct books *b)
{
	struct run_facts run = run_api_facts(session->run_api);
	const struct earlier *e = &session->earlier;
	struct amount cut = cut_of(session, u);

	if (!e->is_known || (run.has_stored && e->gone.requests > 0 &&
	    b->requests_lost <= (int64_t)cut.requests))
		return cut.points;
	return cut.points + e->gone.points;
}

/* What was acknowledged may be gone, whatever metrics it is of: the database
 * was restored from a copy. */
static void
count_batches(const struct session *session, const struct upload_counts *u,
    struct books *b)
{
	struct run_facts run = run_api_facts(session->run_api);
	uint64_t stored = (uint64_t)run.stored_batches;

	b->batches_acked = u->acked_batches + session->earlier.acked.batches;
	if (run.stored_batches >= 0 && stored < b->batches_acked)
		b->batches_gone = b->batches_acked - stored;
	b->is_gone_least = !run.has_stored;
}

struct books
books_of(const struct session *session)
{
	struct upload_counts u = uploader_counts(session->uploader);
	struct reader_counts r = session_read(session);
	struct books b = { .acked = u.acked.points,
	    .quarantined = u.quarantined.points,
	    .invalid = r.invalid, .resent = u.resent,
	    .outages = (int64_t)u.outages,
	    .longest_outage_ns = u.longest_outage_ns };

	b.on_disk = u.waiting.points - u.loose.points +
	    session->foreign.points;
	b.lost = u.loose.points + u.lost.points + r.unkept.points;
	b.read = session->reader != NULL ? r.points + b.invalid
	    : session->found.points + session->foreign.points +
	    u.cut_there.points;
	b.missing = session->missing;
	b.untold_refusals = u.untold_refusals;
	b.superseded = u.superseded + u.superseded_before.points;
	b.is_open = b.on_disk > 0 || (session->has_run &&
	    !session->note.is_borrowed &&
	    !session_run_is_removed(session) &&
	    run_api_state(session->run_api) != RUN_API_FINISHED);
	count_requests(session, &u, &b);
	count_batches(session, &u, &b);
	b.gone = count_gone(session, &u, &b);
	b.read += b.gone;
	b.lost += b.gone;
	return b;
}

static void
print_requests(const struct books *b)
{
	char on_disk[40] = "", dropped[40] = "";

	if (b->requests_on_disk > 0)
		(void)snprintf(on_disk, sizeof(on_disk), " + %" PRId64
		    " on disk", b->requests_on_disk);
	if (b->requests_dropped > 0)
		(void)snprintf(dropped, sizeof(dropped), " + %" PRId64
		    " dropped", b->requests_dropped);
	warnf("%" PRId64 " made = %" PRId64 " stored%s%s, %" PRId64
	    " lost, %" PRId64 " twice%s", b->made, b->stored, on_disk, dropped,
	    b->requests_lost, b->requests_twice, b->is_verified ? ", verified"
	    : b->is_unverified ? ", not verified" : "");
}

void
books_print(const struct books *b)
{
	uint64_t left = b->lost - b->gone;

	if (b->missing > 0)
		warnf("%" PRIu64 " %s of the journal %s damaged and lost",
		    b->missing, b->missing == 1 ? "batch" : "batches",
		    b->missing == 1 ? "is" : "are");
	if (b->untold_refusals > 0)
		warnf("%" PRIu64 " more batch%s refused for a reason that was "
		    "reported before",
		    b->untold_refusals, b->untold_refusals == 1 ? " was"
		    : "es were");
	if (b->superseded > 0)
		warnf("%" PRIu64 " sample%s refused, but later ones of the "
		    "series were accepted and replace %s", b->superseded,
		    b->superseded == 1 ? " was" : "s were",
		    b->superseded == 1 ? "it" : "them");
	if (b->gone > 0)
		warnf("%" PRIu64 " sample%s read, but %s neither delivered nor "
		    "in the journal any more", b->gone, b->gone == 1 ? " was"
		    : "s were", b->gone == 1 ? "is" : "are");
	if (left > 0)
		warnf("%" PRIu64 " sample%s not delivered and %s lost with "
		    "this process", left, left == 1 ? " was" : "s were",
		    left == 1 ? "is" : "are");
	if (b->batches_gone > 0)
		warnf("%s%" PRIu64 " of %" PRIu64 " batches that the server "
		    "acknowledged %s lost there: was its database restored "
		    "from a copy?", b->is_gone_least ? "at least " : "",
		    b->batches_gone, b->batches_acked,
		    b->batches_gone == 1 ? "is" : "are");
	warnf("read=%" PRIu64 " acknowledged=%" PRIu64 " on_disk=%" PRIu64
	    " quarantined=%" PRIu64 " invalid=%" PRIu64 " lost=%" PRIu64
	    " resent=%" PRIu64, b->read, b->acked, b->on_disk,
	    b->quarantined, b->invalid, b->lost, b->resent);
	print_requests(b);
}

int
exit_status_of(const struct session *session, const struct books *b)
{
	enum run_api_state state = run_api_state(session->run_api);
	struct reader_counts r = session_read(session);

	if (session_is_cut_off(session))
		return EXIT_INTERRUPTED;
	if (state == RUN_API_FAILED &&
	    run_api_facts(session->run_api).id == NULL)
		return EXIT_FAILED;
	if (session_run_is_removed(session) ||
	    b->on_disk > 0 || b->quarantined > 0 || b->lost > 0 ||
	    (session->remote.is_chosen &&
	    uploader_has_waiting(session->uploader)) ||
	    b->requests_lost > 0 || b->batches_gone > 0 ||
	    session->missing > 0 ||
	    session->is_unverified)
		return EXIT_UNDELIVERED;
	if (b->requests_twice > 0 || state == RUN_API_FAILED ||
	    r.failed_files > 0 ||
	    (state == RUN_API_IDLE && r.invalid > 0) ||
	    (state != RUN_API_FINISHED && state != RUN_API_IDLE))
		return EXIT_FAILED;
	if (session->note.run_status == RUN_ABORTED_BY_USER)
		return EXIT_INTERRUPTED;
	if (session->note.result_status != 0)
		return EXIT_THRESHOLD;
	/* Whoever asks if thresholds hold has no answer from nothing. */
	if (state == RUN_API_IDLE && session->options->thresholds.n > 0)
		return EXIT_FAILED;
	return session->note.run_status == RUN_FINISHED ? EXIT_DONE
	    : EXIT_FAILED;
}

static void
put_counts(const struct books *b, struct jsn_out *o)
{
	jsn_key(o, "samples");
	jsn_open(o, '{');
	jsn_member_int(o, "read", (int64_t)b->read);
	jsn_member_int(o, "acknowledged", (int64_t)b->acked);
	jsn_member_int(o, "on_disk", (int64_t)b->on_disk);
	jsn_member_int(o, "quarantined", (int64_t)b->quarantined);
	jsn_member_int(o, "invalid", (int64_t)b->invalid);
	jsn_member_int(o, "lost", (int64_t)b->lost);
	jsn_member_int(o, "superseded", (int64_t)b->superseded);
	jsn_close(o, '}');
	jsn_key(o, "requests");
	jsn_open(o, '{');
	jsn_member_int(o, "made", b->made);
	jsn_member_int(o, "stored", b->stored);
	jsn_member_int(o, "on_disk", b->requests_on_disk);
	jsn_member_int(o, "dropped", b->requests_dropped);
	jsn_member_int(o, "lost", b->requests_lost);
	jsn_member_int(o, "twice", b->requests_twice);
	jsn_key(o, "verified");
	if (b->is_verified)
		jsn_put_number(o, (double)b->verified);
	else
		jsn_put_raw(o, SPAN("null"));
	jsn_close(o, '}');
	/* Asked for, and made = stored by the store's own count? */
	jsn_member_raw(o, "verified", b->is_verified &&
	    b->requests_lost == 0 && b->requests_twice == 0 ? SPAN("true")
	    : b->is_verified || b->is_unverified ? SPAN("false")
	    : SPAN("null"));
	jsn_key(o, "batches");
	jsn_open(o, '{');
	jsn_member_int(o, "acknowledged", (int64_t)b->batches_acked);
	jsn_member_int(o, "lost", (int64_t)b->batches_gone);
	jsn_close(o, '}');
	jsn_member_int(o, "resent", (int64_t)b->resent);
	jsn_member_int(o, "outages", b->outages);
	jsn_member_number(o, "longest_outage_s",
	    (double)b->longest_outage_ns / 1e9);
}

static void
put_text(struct jsn_out *o, const char *key, const char *text)
{
	jsn_key(o, key);
	if (text == NULL)
		jsn_put_raw(o, SPAN("null"));
	else
		jsn_put_text(o, span_of(text));
}

static void
print_result(const struct session *session, const struct books *b,
    int exit_status, struct buf *out)
{
	struct jsn_out o = { .to = out };
	const struct note *n = &session->note;
	bool is_told = run_api_state(session->run_api) == RUN_API_FINISHED &&
	    !n->is_borrowed;
	bool is_running = !is_told && n->run != NULL &&
	    !session_run_is_removed(session);
	bool is_kept = session->journal != NULL && (b->is_open ||
	    b->quarantined > 0);

	jsn_open(&o, '{');
	jsn_member_int(&o, "version", RESULT_VERSION);
	put_text(&o, "run_id", n->run);
	put_text(&o, "url", n->page);
	put_text(&o, "name", n->name);
	/* What the server has been told; until then the run goes on there. */
	put_text(&o, "state", is_told ? run_status_name(n->run_status)
	    : is_running ? "Running" : NULL);
	jsn_member_int(&o, "run_status", is_running ? RUN_RUNNING
	    : n->run_status);
	jsn_member_int(&o, "result_status", n->result_status);
	jsn_member_int(&o, "exit_status", exit_status);
	jsn_member_time(&o, "started", n->started_ns);
	jsn_member_time(&o, "ended", now_unix_ns());
	put_counts(b, &o);
	jsn_member_raw(&o, "thresholds", n->results != NULL
	    ? span_of(n->results) : SPAN("{}"));
	put_text(&o, "instance", n->instance);
	put_text(&o, "journal", is_kept ? journal_path(session->journal)
	    : NULL);
	jsn_close(&o, '}');
	buf_char(out, '\n');
}

int
result_write(const struct session *session, const struct books *b,
    int exit_status, struct why *why)
{
	const char *path = session->options->result_file;
	struct buf text = { 0 };
	int status = 0;

	print_result(session, b, exit_status, &text);
	if (strcmp(path, "-") == 0)
		(void)fwrite(text.p, 1, text.n, stdout);
	else
		status = file_replace(path, buf_whole(&text), 0666, why);
	buf_release(&text);
	return status;
}
