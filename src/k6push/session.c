/* SPDX-License-Identifier: MIT */
/*
 * The loop of a push: it sleeps until something can be done, and does it. The
 * reader makes batches of lines, the packer compresses them and brings them to
 * the disk; this thread sends them, and looks after the run and the signals.
 */
#include "k6push/session.h"

#include "base/die.h"
#include "base/hangup.h"
#include "base/thread.h"
#include "base/units.h"

enum { LONGEST_WAIT_MS = 200 };

volatile sig_atomic_t signals, last_signal;
static volatile sig_atomic_t signal_wake = -1;

static void
on_signal(int number)
{
	number = hangup_counts_as(number, signals > 0);
	if (number == 0)
		return;
	last_signal = number;
	signals++;
	thread_bell_ring(signal_wake);
}

void
signals_take(int wake)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t none;

	signal_wake = wake;
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	hangup_take(on_signal);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void
signals_let_go(void)
{
	signal_wake = -1;
}

static struct run_plan
plan_of(const struct session *session)
{
	const struct note *n = &session->note;
	struct run_plan plan = { .name = n->name != NULL ? n->name
	    : "k6 test", .vus = n->vus,
	    .duration_ns = n->duration_ns,
	    .thresholds = n->thresholds != NULL ? span_of(n->thresholds)
	    : SPAN("{}") };

	return plan;
}

void
session_note(struct session *session)
{
	struct buf text = { 0 };
	struct why why;

	if (session->journal == NULL)
		return;
	note_print(&session->note, &text);
	if (journal_note(session->journal, buf_whole(&text), &why) == 0)
		session->owes_note = false;
	else if (!atomic_exchange(&session->owes_note, true))
		warnf("%s", why.text);
	buf_release(&text);
}

/* The disk may have room again. Until the head is read the note is the
 * reader's. */
static void
note_again(struct session *session)
{
	int64_t now = now_monotonic_ns();

	if (!session->owes_note || now < session->note_at_ns ||
	    (session->reader != NULL && !reader_has_head(session->reader)))
		return;
	session->note_at_ns = now + NS_PER_S;
	session_note(session);
}

/* k6's three lines. */
static void
print_banner(const struct session *session)
{
	if (session->options->is_quiet)
		return;
	say("\n     execution: local\n");
	say_line("        script: %s", session->note.name != NULL
	    ? session->note.name : "k6 test");
	say_line("        output: %s (%s)", session->remote.is_chosen
	    ? "prometheus-rw" : "cloud",
	    run_api_facts(session->run_api).page_url);
	say("\n");
}

/* Note the database that has the run. True: it was not known before. */
static bool
note_database(struct session *session)
{
	const char *id = run_api_facts(session->run_api).database;

	if (id == NULL || session->note.database != NULL)
		return false;
	note_set(&session->note.database, id, strlen(id));
	return true;
}

/* The run exists: note it, and let the batches go. */
static void
begin_run(struct session *session)
{
	const struct settings *s = &session->options->settings;
	struct run_facts run = run_api_facts(session->run_api);
	struct upload_target to = { .receiver = &receiver_cloud,
	    .fetcher = session->fetcher,
	    .host = run.ingest_host, .run = run.escaped_id,
	    .run_id = run.id, .database = run.database,
	    .is_borrowed = run.is_borrowed,
	    .token = settings_text(s, SET_TOKEN),
	    .push_url = settings_text(s, SET_METRICS_PUSH_URL),
	    .push_token = settings_text(s, SET_TEST_RUN_TOKEN) };
	struct note *n = &session->note;
	bool is_announced;
	struct why why;

	if (session->remote.is_chosen) {
		to.receiver = &receiver_remote;
		to.host = run_api_host(session->run_api);
		to.run = to.token = to.push_url = NULL;
		to.access = &session->remote.access;
		to.learn = remote_learn;
		to.ctx = &session->remote;
	}
	session->has_run = true;
	if (n->run == NULL) {
		note_set(&n->run, run.id, strlen(run.id));
		note_set(&n->page, run.page_url, strlen(run.page_url));
		note_set(&n->config, run.config.p, run.config.n);
		n->is_borrowed = run.is_borrowed;
		(void)note_database(session);
		session_note(session);
	}
	is_announced = n->is_borrowed && n->instance != NULL &&
	    to.push_url == NULL;
	if (is_announced)
		to.push = n->create_key;
	uploader_open(session->uploader, &to);
	if (session->reader != NULL &&
	    reader_set_settings(session->reader, s, &why) < 0)
		warnf("the server's config: %s", why.text);
	if (is_announced)
		run_api_announce(session->run_api, n->instance, n->create_key);
	print_banner(session);
}

/* Take the run of the note, or have one created as soon as its start is
 * known. */
static void
find_run(struct session *session)
{
	const struct note *n = &session->note;
	struct run_known known = { .id = n->run,
	    .database = n->database, .config = n->config != NULL
	    ? span_of(n->config) : SPAN(""), .is_borrowed = n->is_borrowed,
	    .from = "the journal" };
	struct run_plan plan;

	/* Until the head is there, the note is the reader's. */
	if (session->reader != NULL && !reader_has_head(session->reader) &&
	    session->remote.is_chosen)
		return;
	if (n->run != NULL) {
		run_api_adopt(session->run_api, &known);
	} else if (session->reader == NULL ||
	    reader_has_head(session->reader)) {
		plan = plan_of(session);
		run_api_create(session->run_api, &plan, n->create_key);
	}
}

/* Another feeds the run by our name: gauges of one tag set would not add up. */
static void
take_own_instance(struct session *session)
{
	struct run_facts run = run_api_facts(session->run_api);

	if (session->reader == NULL || session->has_input_ended)
		return;
	if (run.own_instance != NULL && !session->is_renamed) {
		session->is_renamed = true;
		reader_rename(session->reader, run.own_instance);
		warnf("what this one reads from now on has the tag "
		    "instance=%s", run.own_instance);
	}
	if (run.is_announced)
		reader_settle_name(session->reader);
}

/* Whatever may be started now, is. */
static void
start_calls(struct session *session)
{
	struct run_api *c = session->run_api;

	if (run_api_state(c) == RUN_API_IDLE)
		find_run(session);
	run_api_start(c);
	if (run_api_state(c) == RUN_API_CREATED && !session->has_run)
		begin_run(session);
	/* Of a run that is not ours it is told later. */
	if (session->has_run && note_database(session)) {
		uploader_set_database(session->uploader,
		    run_api_facts(c).database);
		session_note(session);
	}
	take_own_instance(session);
	uploader_recall(session->uploader);
	uploader_start(session->uploader);
	if (run_api_state(c) == RUN_API_CREATED && !session->has_input_ended)
		uploader_beat(session->uploader, session->options->beat_ns);
	if (session->reader != NULL &&
	    uploader_is_stopped(session->uploader))
		reader_let_pass(session->reader);
}

/* How long the loop may sleep. */
static int
wait_ms(const struct session *session)
{
	int64_t next = uploader_next_ns(session->uploader);
	int64_t now = now_monotonic_ns();

	if (next <= now)
		return 0;
	next = (next - now) / NS_PER_MS + 1;
	return next < LONGEST_WAIT_MS ? (int)next : LONGEST_WAIT_MS;
}

bool
session_step(struct session *session)
{
	bool is_more;

	if (fetcher_wait(session->fetcher, session->wake, wait_ms(session)))
		thread_bell_clear(session->wake);
	if (signals > 0 && !session->has_input_ended)
		reader_interrupt(session->reader, last_signal);
	if (!session->has_input_ended && reader_has_ended(session->reader))
		session_end_input(session);
	is_more = uploader_take(session->uploader);
	note_again(session);
	start_calls(session);
	return is_more;
}

/* The server's no, or a second signal, ends it all. */
static bool
must_leave(const struct session *session)
{
	return signals > 1 || session_is_cut_off(session) ||
	    run_api_state(session->run_api) == RUN_API_FAILED;
}

/* After the end of the input: how long may it still take? As long as the
 * server takes something now and then; after SIGTERM not long. */
static bool
has_time_left(const struct session *session)
{
	int64_t now = now_monotonic_ns(), from = session->ended_ns;
	int64_t acked = uploader_acked_ns(session->uploader);

	if (!session->has_input_ended)
		return true;
	if (signals > 0 && last_signal == SIGTERM)
		return now - from < TERM_S * NS_PER_S;
	if (acked > from)
		from = acked;
	return now - from < session->options->drain_ns;
}

static bool
is_delivered(const struct session *session, bool is_more)
{
	return session->has_input_ended && !is_more &&
	    uploader_is_idle(session->uploader) &&
	    (session->has_run || (!uploader_has_waiting(session->uploader) &&
	    run_api_state(session->run_api) == RUN_API_IDLE));
}

void
session_send(struct session *session)
{
	bool is_more = true;

	while (!must_leave(session) && has_time_left(session) &&
	    !is_delivered(session, is_more))
		is_more = session_step(session);
}
