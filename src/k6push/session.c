/* SPDX-License-Identifier: MIT */
/*
 * Three threads: the reader makes batches of lines, the packer compresses
 * them and brings them to the disk, this one sends them and looks after the
 * run and the signals.
 */
#include "k6push/push.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "base/thread.h"
#include "base/units.h"
#include "k6push/session.h"
#include "k6push/wire/wire.h"

enum { LONGEST_WAIT_MS = 200, MEMORY_BYTES = 256 << 20 };

/* After SIGTERM, which others follow with SIGKILL. */
static const int64_t term_ns = 2 * NS_PER_S;

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

/* reader.on_head: the run as flags and the stream's Start want it. */
static void
note_plan(void *ctx)
{
	struct session *session = ctx;
	struct push_options *o = session->options;
	const struct run_start *start = &session->reader.collector.start;
	struct note *n = &session->note;
	const char *name, *base = session->file != NULL ? strrchr(session->file,
	    '/') : NULL;
	struct span thresholds = start->thresholds;
	char *text = xstrndup(start->name.p, start->name.n);

	if (start->name.n > 0)
		(void)settings_set(&o->settings, SET_NAME, text, FROM_START,
		    NULL);
	free(text);
	name = settings_text(&o->settings, SET_NAME);
	if (name == NULL)
		name = base != NULL ? base + 1 : session->file != NULL
		    ? session->file : "k6 test";
	if (o->thresholds.n > 0 || thresholds.n == 0)
		thresholds = buf_whole(&session->thresholds);
	note_set(&n->name, name, strlen(name));
	note_set(&n->thresholds, thresholds.p, thresholds.n);
	n->vus = o->vus != 0 ? o->vus : start->vus;
	n->duration_ns = o->duration_ns != 0 ? o->duration_ns
	    : start->duration_ns;
	session_note(session);
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

/* How the run ended, for the server (PROTOCOL 3.4). */
static int
run_status_of(const struct session *session)
{
	const struct reader *r = &session->reader;
	const struct run_ends *ends = &r->collector.ends;

	if (signals > 0)
		return RUN_ABORTED_BY_USER;
	if (r->in.n_failed > 0)	/* what came is not all there is */
		return RUN_ABORTED_BY_SYSTEM;
	if (r->collector.starts > ends->end.streams) {
		warnf("the stream was cut: it has a Start and no End");
		return RUN_ABORTED_BY_SYSTEM;
	}
	return ends->n > 0 ? ends->end.run_status : RUN_FINISHED;
}

/* When the run was, as its head and tail say, else as its samples do. */
static void
note_times(struct session *session)
{
	const struct collector *c = &session->reader.collector;
	struct note *n = &session->note;

	n->first_ns = c->start.time_ns != 0 ? c->start.time_ns : c->first_ns;
	n->last_ns = c->ends.end.time_ns != 0 ? c->ends.end.time_ns
	    : c->last_ns;
}

/* The reader has ended. From here on it is known how the run does, also to a
 * process that takes over. */
static void
note_end(struct session *session)
{
	const struct collector *c = &session->reader.collector;
	struct note *n = &session->note;

	reader_join(&session->reader);
	session->has_input_ended = true;
	session->ended_ns = now_monotonic_ns();
	n->has_ended = true;
	n->run_status = run_status_of(session);
	n->result_status = c->ends.end.result_status;
	note_set(&n->results, c->ends.end.thresholds.p,
	    c->ends.end.thresholds.n);
	/* The generator's own count, if it knows of more than came. */
	if (c->ends.end.dropped > 0)
		session->dropped = c->ends.end.dropped;
	n->made = (int64_t)c->requests + session->dropped;
	if (c->ends.end.requests > n->made)
		n->made = c->ends.end.requests;
	if (session->options->is_from_data)
		note_times(session);
	if (session->has_run || session->reader.has_head)
		session_note(session);
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

/* One turn: sleep until something can be done, and do it. True: the packer
 * has more. */
static bool
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
		note_end(session);
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
		return now - from < term_ns;
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

static void
send_phase(struct session *session)
{
	bool is_more = true;

	while (!must_leave(session) && has_time_left(session) &&
	    !is_delivered(session, is_more))
		is_more = session_step(session);
}

/* Stop the threads; what they have is here then, and on disk. */
static void
stop_threads(struct session *session)
{
	bool is_hurried = signals > 1;

	session->reader.stop = READER_NOW;
	session->packer.is_hurried = is_hurried;
	if (session->has_reader) {
		reader_poke(&session->reader);
		if (!session->has_input_ended)
			note_end(session);
	}
	packer_stop(&session->packer, is_hurried);
	(void)uploader_take(&session->uploader);
	if (session->journal != NULL)
		(void)journal_sync(session->journal, true, NULL);
}

struct amount
session_left(const struct session *session)
{
	return batches_amount(&session->uploader.waiting, false);
}

/* A run with data still to come is left open: the server takes them, and
 * whoever delivers them finishes it. */
static bool
may_finish(const struct session *session)
{
	if (session->run_api.state != RUN_API_CREATED ||
	    session->foreign.points > 0)
		return false;
	return session->journal == NULL || session->uploader.is_stopped ||
	    session->uploader.waiting.n == 0;
}

static void
finish_phase(struct session *session)
{
	struct note *n = &session->note;
	struct run_api *c = &session->run_api;
	struct run_result result = { .run_status = n->run_status,
	    .result_status = n->result_status, .thresholds =
	    n->results != NULL ? span_of(n->results) : SPAN("{}"),
	    .start_ns = n->first_ns, .end_ns = n->last_ns };
	int signals_before = signals;
	int64_t until = now_monotonic_ns() + session->options->drain_ns;

	if (!may_finish(session))
		return;
	/* Whoever presses twice waits no longer than for a quick answer. */
	if (signals > 1)
		until = now_monotonic_ns() + NS_PER_S;
	else if (signals > 0 && last_signal == SIGTERM)
		until = session->ended_ns + term_ns;
	run_api_finish(c, &result, n->finish_key);
	while (c->state != RUN_API_FINISHED && c->state != RUN_API_FAILED &&
	    (signals == signals_before || signals < 2) &&
	    now_monotonic_ns() < until)
		(void)session_step(session);
	if (c->state != RUN_API_FINISHED)
		warnf("failed to send test finished to the cloud: the run "
		    "will time out there");
}

int
session_deliver(struct session *session)
{
	struct books books;
	struct why why;
	int status;

	send_phase(session);
	stop_threads(session);
	if (session->uploader.is_stopped && settings_bool(
	    &session->options->settings, SET_STOP_ON_ERROR))
		session->note.run_status = RUN_ABORTED_BY_SYSTEM;
	if (session->run_api.state == RUN_API_IDLE && signals == 0 &&
	    session->has_reader && session->reader.in.n_failed == 0)
		warnf(session->reader.bad.n > 0 ? "no line of the input is of "
		    "the stream: no run was created"
		    : "no data: no run was created");
	finish_phase(session);
	books = books_of(session);
	books_print(session, &books);
	status = exit_status_of(session, &books);
	tell_resume(session, &books);
	if (session->options->result_file != NULL &&
	    result_write(session, &books, status, &why) < 0) {
		warnf("%s", why.text);
		status = status == EXIT_DONE ? EXIT_FAILED : status;
	}
	return status;
}

int
session_init(struct session *session, struct push_options *o, struct why *why)
{
	struct fetch_options fetch = { .user_agent = "k6push/" K6PIPE_VERSION,
	    .timeout_ns = settings_int(&o->settings, SET_TIMEOUT),
	    .ca_file = o->ca_file };

	session->options = o;
	session->wake = thread_bell_open();
	session->fetcher = fetcher_new(&fetch, why);
	if (session->fetcher == NULL || thresholds_from_options(&o->thresholds,
	    &session->thresholds, why) < 0 || run_api_init(&session->run_api,
	    session->fetcher, &o->settings, o->allows_http, why) < 0)
		return -1;
	session->packer.wake = session->wake;
	session->uploader.fetcher = session->fetcher;
	session->uploader.settings = &o->settings;
	session->uploader.packer = &session->packer;
	session->uploader.numbers = &session->numbers;
	/* The keys of an earlier process stay. */
	if (session->note.create_key[0] == '\0') {
		session->note.started_ns = now_unix_ns();
		idempotency_key(session->note.create_key);
		idempotency_key(session->note.finish_key);
	}
	signals_take(session->wake);
	return 0;
}

void
session_release(struct session *session)
{
	fetcher_free(session->fetcher);
	uploader_release(&session->uploader);
	batches_release(&session->packer.in);
	batches_release(&session->packer.out);
	run_api_release(&session->run_api);
	reader_release(&session->reader);
	journal_close(session->journal);
	note_release(&session->note);
	buf_release(&session->thresholds);
	if (session->wake > 0)
		(void)close(session->wake);
}

/* A journal of this push's own. -1: why. */
static int
make_journal(struct session *session, struct why *why)
{
	struct push_options *o = session->options;
	char *home, *path, stamp[TIME_TEXT], *p;
	int status;

	if (o->has_no_journal)
		return 0;
	home = journals_path(o, why);
	if (home == NULL)
		return -1;
	(void)time_print(stamp, now_unix_ns() / NS_PER_S * NS_PER_S);
	while ((p = strpbrk(stamp, "-:")) != NULL)
		(void)memmove(p, p + 1, strlen(p));
	path = xasprintf("%s/%s-%ld", home, stamp, (long)getpid());
	status = journal_open(&session->journal, path, JOURNAL_NEW, &o->journal,
	    why);
	free(path);
	free(home);
	return status;
}

/* The threads' share of the set-up. */
static void
start_threads(struct session *session, char *const *files, int n_files)
{
	const struct settings *s = &session->options->settings;
	struct reader *r = &session->reader;

	lines_init(&r->in, files, n_files);
	r->in.codecs = input_codecs;
	session->has_reader = true;
	r->packer = &session->packer;
	r->on_head = note_plan;
	r->ctx = session;
	r->journal = session->packer.journal = session->uploader.journal =
	    session->journal;
	r->wake = session->wake;
	r->memory_max = MEMORY_BYTES;
	r->interval_ns = settings_int(s, SET_PUSH_INTERVAL);
	r->max_samples = settings_int(s, SET_MAX_SAMPLES);
	r->numbers = &session->numbers;
	if (r->has_open_batches) {
		r->open_batches.packer = r->packer;
		r->open_batches.journal = r->journal;
		r->open_batches.numbers = r->numbers;
		r->collector.series = &r->open_batches.collect;
	}
	packer_start(&session->packer);
	reader_start(r);
}

/* One of several that feed a run has a name, and its samples show it. */
static void
name_instance(struct session *session)
{
	const struct push_options *o = session->options;
	char host[HOST_NAME_MAX + 1] = "host";
	char *name = NULL;

	if (o->instance == NULL &&
	    settings_text(&o->settings, SET_PUSH_REF_ID) == NULL)
		return;
	(void)gethostname(host, sizeof(host) - 1);
	name = o->instance != NULL ? xstrdup(o->instance)
	    : xasprintf("%s-%ld", host, (long)getpid());
	note_set(&session->note.instance, name, strlen(name));
	session->reader.collector.label.instance = session->note.instance;
	session->reader.collector.label.tags =
	    &session->reader.collector.stream.tags;
	free(name);
}

int
push_run(struct push_options *o, char *const *files, int n_files)
{
	struct session session = { .file = n_files > 0 ? files[0] : NULL };
	struct reader *r = &session.reader;
	struct why why;
	int status;

	r->has_open_batches = settings_int(&o->settings, SET_API_VERSION) == 2;
	if ((r->has_open_batches &&
		open_batches_init(&r->open_batches, &o->settings,
		    &r->collector.stream.metrics, &why) < 0) ||
	    session_init(&session, o, &why) < 0) {
		status = opt_misuse("%s", why.text);
	} else if (make_journal(&session, &why) < 0) {
		warnf("%s", why.text);
		status = EXIT_FAILED;
	} else {
		if (!o->is_quiet && !o->has_no_journal)
			tell_leftovers(o);
		name_instance(&session);
		note_set(&session.note.host, session.run_api.host,
		    strlen(session.run_api.host));
		session_note(&session);
		start_threads(&session, files, n_files);
		status = session_deliver(&session);
	}
	session_release(&session);
	return status;
}
