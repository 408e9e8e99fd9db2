/* SPDX-License-Identifier: MIT */
/*
 * The loop of a push: it sleeps until something can be done, and does it. The
 * reader makes batches of lines, the packer compresses them and brings them to
 * the disk; this thread sends them, and looks after the run and the signals.
 */
#include "k6push/session.h"


#include "base/die.h"
#include "base/thread.h"
#include "base/units.h"

enum { LONGEST_WAIT_MS = 200 };

volatile sig_atomic_t signals, last_signal;
static volatile sig_atomic_t signal_wake = -1;

static void
on_signal(int number)
{
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
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);	/* a write that fails says so */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
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
	if (journal_note(session->journal, buf_whole(&text), &why) < 0)
		warnf("%s", why.text);
	buf_release(&text);
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
	say_line("        output: cloud (%s)", session->run_api.page_url);
	say("\n");
}

/* Of protocol 2: how the server wants the samples. */
static void
set_period(struct session *session)
{
	int64_t period_ns, wait_ns;
	struct why why;

	if (series_collect_rule(
		&session->options->settings, &period_ns, &wait_ns, &why) == 0) {
		session->reader.wait_ns = wait_ns;
		session->reader.period_ns = period_ns;
	} else {
		warnf("the server's config: %s", why.text);
	}
	session->reader.is_answered = true;
	reader_poke(&session->reader);
}

/* The run exists: note it, and let the batches go. */
static void
begin_run(struct session *session)
{
	struct run_api *c = &session->run_api;
	struct note *n = &session->note;
	const struct settings *s = &session->options->settings;

	session->has_run = true;
	if (n->run == NULL) {
		note_set(&n->run, c->id, strlen(c->id));
		note_set(&n->page, c->page_url, strlen(c->page_url));
		note_set(&n->config, c->config.p, c->config.n);
		n->is_borrowed = c->is_borrowed;
		session_note(session);
	}
	session->uploader.host = c->ingest_host;
	session->uploader.run = c->escaped_id;
	session->uploader.run_id = c->id;
	session->uploader.token = settings_text(s, SET_TOKEN);
	session->uploader.push_url = settings_text(s, SET_METRICS_PUSH_URL);
	session->uploader.push_token = settings_text(s, SET_TEST_RUN_TOKEN);
	session->uploader.acked_ns = now_monotonic_ns();
	session->reader.interval_ns = settings_int(s, SET_PUSH_INTERVAL);
	session->reader.max_samples = settings_int(s, SET_MAX_SAMPLES);
	if (session->has_reader && session->reader.has_open_batches)
		set_period(session);
	if (n->is_borrowed && n->instance != NULL &&
	    session->uploader.push_url == NULL)
		run_api_announce(c, n->instance);
	print_banner(session);
}

/* Whatever may be started now, is. */
static void
start_calls(struct session *session)
{
	struct run_api *c = &session->run_api;
	struct run_plan plan;

	if (c->state == RUN_API_IDLE && session->note.run != NULL) {
		c->is_borrowed = session->note.is_borrowed;
		run_api_adopt(c, session->note.run, session->note.config != NULL
		    ? span_of(session->note.config) : SPAN(""), "the journal");
	} else if (c->state == RUN_API_IDLE &&
	    (!session->has_reader || session->reader.has_head)) {
		plan = plan_of(session);
		run_api_create(c, &plan, session->note.create_key);
	}
	run_api_start(c);
	if (c->state == RUN_API_CREATED && !session->has_run)
		begin_run(session);
	uploader_recall(&session->uploader);
	uploader_start(&session->uploader);
	if (c->state == RUN_API_CREATED && !session->has_input_ended)
		uploader_beat(&session->uploader, session->options->beat_ns);
	if (session->uploader.is_stopped)
		session->reader.is_useless = true;
}

/* How long the loop may sleep. */
static int
wait_ms(const struct session *session)
{
	int64_t next = uploader_next_ns(&session->uploader);
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
	if (signals > 0 && !session->has_input_ended) {
		session->reader.signal = last_signal;
		session->reader.stop = READER_SIGNAL;
		reader_poke(&session->reader);
	}
	if (!session->has_input_ended && session->reader.has_ended)
		session_end_input(session);
	is_more = uploader_take(&session->uploader);
	start_calls(session);
	return is_more;
}

/* The server's no, or a second signal, ends it all. */
static bool
must_leave(const struct session *session)
{
	return signals > 1 || session->run_api.state == RUN_API_FAILED ||
	    (session->uploader.is_stopped && settings_bool(
	    &session->options->settings, SET_STOP_ON_ERROR));
}

/* After the end of the input: how long may it still take? As long as the
 * server takes something now and then; after SIGTERM not long. */
static bool
has_time_left(const struct session *session)
{
	int64_t now = now_monotonic_ns(), from = session->ended_ns;

	if (!session->has_input_ended)
		return true;
	if (signals > 0 && last_signal == SIGTERM)
		return now - from < TERM_S * NS_PER_S;
	if (session->uploader.acked_ns > from)
		from = session->uploader.acked_ns;
	return now - from < session->options->drain_ns;
}

static bool
is_delivered(const struct session *session, bool is_more)
{
	return session->has_input_ended && !is_more &&
	    uploader_is_idle(&session->uploader) &&
	    (session->has_run || (session->uploader.waiting.n == 0 &&
	    session->run_api.state == RUN_API_IDLE));
}

void
session_send(struct session *session)
{
	bool is_more = true;

	while (!must_leave(session) && has_time_left(session) &&
	    !is_delivered(session, is_more))
		is_more = session_step(session);
}
