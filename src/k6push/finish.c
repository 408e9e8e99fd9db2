/* SPDX-License-Identifier: MIT */
/*
 * The end of a push: how the run ended, what is still to be done with it on
 * the server, and what is said of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/die.h"
#include "base/units.h"
#include "k6push/session.h"
#include "k6push/verify.h"

/* Samples that the generator wrote, by its End line, that no k6agg dropped by
 * choice, and that did not come. */
static int64_t
count_cut(const struct reader_counts *r)
{
	int64_t n = r->end.points - r->end.points_dropped -
	    (int64_t)(r->points + r->invalid);

	return r->has_end && n > 0 ? n : 0;
}

/* How the run ended, for the server (PROTOCOL 3.4). */
static int
run_status_of(const struct session *session, const struct reader_counts *r)
{
	int64_t n_cut;

	if (signals > 0)
		return RUN_ABORTED_BY_USER;
	if (r->crossed != NULL)
		return RUN_ABORTED_BY_THRESHOLD;
	if (r->failed_files > 0)	/* what came is not all there is */
		return RUN_ABORTED_BY_SYSTEM;
	if (r->starts > r->end.streams)	/* which the reader has told */
		return RUN_ABORTED_BY_SYSTEM;
	n_cut = count_cut(r);
	if (n_cut > 0)
		warnf("%" PRId64 " of %" PRId64 " samples that the End line "
		    "counts did not come", n_cut, r->end.points);
	if (session->options->expects_end && n_cut > 0)
		return RUN_ABORTED_BY_SYSTEM;
	if (session->options->expects_end && !r->has_end) {
		warnf("the stream was cut: it has no End line");
		return RUN_ABORTED_BY_SYSTEM;
	}
	if (r->has_end)
		return r->end.run_status;
	/* k6 does not write how it ended, but it ends by such a threshold. */
	return judge_ended_generator(&session->judge)
	    ? RUN_ABORTED_BY_THRESHOLD : RUN_FINISHED;
}

struct reader_counts
session_read(const struct session *session)
{
	struct reader_counts none = { 0 };

	return session->reader != NULL ? reader_counts(session->reader) : none;
}

bool
session_is_cut_off(const struct session *session)
{
	return uploader_is_stopped(session->uploader) && settings_bool(
	    &session->options->settings, SET_STOP_ON_ERROR);
}

bool
session_run_is_removed(const struct session *session)
{
	return uploader_is_removed(session->uploader) ||
	    run_api_facts(session->run_api).is_removed;
}

/* What the stream's samples say of the thresholds, where its End does not. */
static void
judge_thresholds(struct session *session, const struct reader_counts *r)
{
	struct judge *judge = &session->judge;
	struct note *n = &session->note;
	struct buf results = { 0 };
	const struct verdict *v;
	const char *name;
	bool has_data = r->points > 0 || r->starts > 0;
	size_t i, at = 0;

	while ((name = judge_next_untold(judge, &at)) != NULL)
		warnf("thresholds of %s " JUDGE_UNTOLD_WHY, name);
	if (judge->n == 0) {
		note_set(&n->results, r->end.thresholds.p,
		    r->end.thresholds.n);
		return;
	}
	if (judge_all(judge, (double)((__int128)r->last_ns - r->first_ns) /
	    1e9) > 0)
		n->result_status = 1;
	for (i = 0; i < judge->n; i++) {
		v = judge->list[i];
		if (v->is_misfit && !v->is_told)
			warnf("threshold %.*s: %.*s: not judged: its metric "
			    "has no such method",
			    (int)v->threshold.key.text.n,
			    v->threshold.key.text.p,
			    (int)v->threshold.source.n, v->threshold.source.p);
		if (v->is_failed && v != r->crossed)
			warnf("a threshold was crossed: %.*s %.*s",
			    (int)v->threshold.key.text.n,
			    v->threshold.key.text.p,
			    (int)v->threshold.source.n, v->threshold.source.p);
		else if (v->is_asked && !judge_has_samples(v) &&
		    !v->is_failed && has_data)
			warnf("threshold %.*s: %.*s: no samples, so it holds",
			    (int)v->threshold.key.text.n,
			    v->threshold.key.text.p,
			    (int)v->threshold.source.n, v->threshold.source.p);
	}
	judge_print_results(judge, &results);
	note_set(&n->results, results.p, results.n);
	buf_release(&results);
}

/* The reader has ended. From here on it is known how the run does, also to a
 * process that takes over. */
void
session_end_input(struct session *session)
{
	struct note *n = &session->note;
	struct reader_counts r;

	reader_join(session->reader);
	r = reader_counts(session->reader);
	session->has_input_ended = true;
	session->ended_ns = now_monotonic_ns();
	n->has_ended = true;
	n->result_status = r.end.result_status;
	judge_thresholds(session, &r);
	n->run_status = run_status_of(session, &r);
	/* The generator's own count, if it knows of more than came. */
	if (r.end.dropped > 0)
		session->dropped = r.end.dropped;
	n->made = (int64_t)r.requests + session->dropped;
	if (r.end.requests > n->made)
		n->made = r.end.requests;
	n->is_from_data = session->options->is_from_data;
	n->first_ns = r.first_ns;
	n->last_ns = r.last_ns;
	n->dropped = session->dropped;
	n->points = (int64_t)(r.points - r.unkept.points);
	note_set(&n->own_testid, r.own_testid, r.own_testid != NULL
	    ? strlen(r.own_testid) : 0);
	n->has_own_testids = r.has_own_testids;
	if (session->has_run || reader_has_head(session->reader))
		session_note(session);
}

/* Stop the threads; what they have is here then, and on disk. */
static void
stop_threads(struct session *session)
{
	if (signals > 1)
		packer_hurry(session->packer);
	if (session->reader != NULL) {
		reader_stop(session->reader);
		if (!session->has_input_ended)
			session_end_input(session);
	}
	packer_stop(session->packer);
	(void)uploader_take(session->uploader);
	if (session->owes_note)
		session_note(session);
	if (session->journal != NULL)
		(void)journal_sync(session->journal, true, NULL);
}

/* A run with data still to come is left open. The process that delivers them
 * finishes it. */
static bool
may_finish(const struct session *session)
{
	if (run_api_state(session->run_api) != RUN_API_CREATED ||
	    session->foreign.points > 0 || session_run_is_removed(session))
		return false;
	return session->journal == NULL ||
	    uploader_is_stopped(session->uploader) ||
	    !uploader_has_waiting(session->uploader);
}

static void
finish_phase(struct session *session)
{
	struct note *n = &session->note;
	struct run_api *c = session->run_api;
	enum run_api_state state;
	struct run_result result = { .run_status = n->run_status,
	    .result_status = n->result_status, .thresholds =
	    n->results != NULL ? span_of(n->results) : SPAN("{}"),
	    .start_ns = n->first_ns, .end_ns = n->last_ns,
	    .is_dated = n->is_from_data };
	int signals_before = signals;
	int64_t until = now_monotonic_ns() + session->options->drain_ns;

	if (!may_finish(session))
		return;
	/* After a second Ctrl-C, wait only for a quick answer. */
	if (signals > 1)
		until = now_monotonic_ns() + NS_PER_S;
	else if (signals > 0 && last_signal == SIGTERM)
		until = session->ended_ns + TERM_S * NS_PER_S;
	run_api_finish(c, &result, n->finish_key);
	while ((state = run_api_state(c)) != RUN_API_FINISHED &&
	    state != RUN_API_FAILED &&
	    (signals == signals_before || signals < 2) &&
	    now_monotonic_ns() < until)
		(void)session_step(session);
	if (run_api_state(c) != RUN_API_FINISHED &&
	    !session_run_is_removed(session))
		warnf("failed to send test finished to the cloud: the run "
		    "will time out there");
}

bool
session_is_to_verify(const struct session *session)
{
	return session->options->is_verified && session->remote.is_chosen &&
	    session->has_run;
}

/* Ask the store what it has, if it is to be asked and should have all. */
static void
verify_phase(struct session *session)
{
	struct why why;

	if (!session_is_to_verify(session) || signals > 0 ||
	    uploader_has_waiting(session->uploader))
		return;
	session->is_unverified = verify(session, &why) < 0;
	if (session->is_unverified)
		warnf("the store does not say how many requests it has: %s",
		    why.text);
}

/* How to go on with samples in the journal. */
static const char *
way_of(const struct session *session)
{
	if (session_run_is_removed(session))
		return ", but the server has removed the run; to remove them, "
		    "too: k6push --discard";
	return uploader_is_stopped(session->uploader)
	    ? ", but the run takes no more; to remove them: k6push --discard"
	    : "; to deliver them: k6push --resume";
}

/* Remove the journal if a later process has nothing to do with it; else say
 * where it is and how to go on. */
static void
leave_journal(const struct session *session, const struct books *b)
{
	if (session->journal == NULL)
		return;
	if (b->is_open && b->on_disk == 0)
		warnf("the end of the run is kept on disk; to deliver it: "
		    "k6push --resume %s", journal_path(session->journal));
	else if (b->is_open)
		warnf("%" PRIu64 " sample%s (%" PRId64 " request%s) %s kept on "
		    "disk%s %s", b->on_disk,
		    b->on_disk == 1 ? "" : "s", b->requests_on_disk,
		    b->requests_on_disk == 1 ? "" : "s",
		    b->on_disk == 1 ? "is" : "are", way_of(session),
		    journal_path(session->journal));
	else
		journal_remove(session->journal);
}

/* What the run came to, in a word or two. */
static const char *
verdict_of(const struct session *session, const struct books *b)
{
	const struct note *n = &session->note;
	bool has_criteria = session->judge.n > 0 || (n->results != NULL &&
	    strcmp(n->results, "{}") != 0);

	if (session_run_is_removed(session))
		return "removed";
	if (n->result_status != 0 ||
	    n->run_status == RUN_ABORTED_BY_THRESHOLD)
		return "failed";
	if (b->is_open)
		return uploader_is_stopped(session->uploader)
		    ? "not delivered" : "not delivered yet";
	if (n->run_status != RUN_FINISHED)
		return run_status_name(n->run_status);
	if (!has_criteria)
		return "no criteria";
	return run_api_facts(session->run_api).unknown > 0 ? "not known" :
	    "passed";
}

/* The last line of all: what came of it, and where it is to be seen. */
static void
print_verdict(const struct session *session, const struct books *b)
{
	const char *url = run_api_facts(session->run_api).page_url;
	const struct note *n = &session->note;

	if (session->has_run && session->remote.is_chosen)
		warnf("%s: testid=%s", verdict_of(session, b),
		    n->own_testid != NULL ? n->own_testid : n->run);
	else if (session->has_run && url != NULL)
		warnf("%s: %s", session->note.is_borrowed &&
		    !session_run_is_removed(session) ? "the run" :
		    verdict_of(session, b), url);
}

static void
tell_no_run(const struct session *session, const struct reader_counts *r)
{
	bool is_asked = session->options->thresholds.n > 0 &&
	    session->note.result_status == 0;

	warnf("%s: no run was created%s%s%s", r->invalid == 0 ? "no data"
	    : "no line of the input belongs to the stream",
	    is_asked ? ", no threshold judged" : "",
	    r->hint != NULL ? "; it looks like " : "",
	    r->hint != NULL ? r->hint : "");
}

int
session_deliver(struct session *session)
{
	struct reader_counts r;
	struct books books;
	struct why why;
	int status;

	session_send(session);
	stop_threads(session);
	r = session_read(session);
	if (session_is_cut_off(session))
		session->note.run_status = RUN_ABORTED_BY_SYSTEM;
	if (run_api_state(session->run_api) == RUN_API_IDLE && signals == 0 &&
	    session->reader != NULL && r.failed_files == 0)
		tell_no_run(session, &r);
	finish_phase(session);
	verify_phase(session);
	books = books_of(session);
	books_print(&books);
	status = exit_status_of(session, &books);
	/* The last line of an array is a line of the stream. */
	if (r.hint != NULL && r.points > 0 && r.points < r.invalid) {
		warnf("hardly any line of the input belongs to the stream; it "
		    "looks like %s", r.hint);
		status = status == EXIT_DONE ? EXIT_FAILED : status;
	}
	leave_journal(session, &books);
	if (session->options->result_file != NULL &&
	    result_write(session, &books, status, &why) < 0) {
		warnf("%s", why.text);
		status = status == EXIT_DONE ? EXIT_FAILED : status;
	}
	print_verdict(session, &books);
	return status;
}
