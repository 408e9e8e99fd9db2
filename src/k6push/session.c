/* SPDX-License-Identifier: MIT */
/*
 * Three threads: the reader makes parcels of lines, the packer compresses
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
plan_of(const struct push *push)
{
	const struct note *n = &push->note;
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
	struct push *push = ctx;
	struct push_options *o = push->options;
	const struct run_start *start = &push->reader.collector.start;
	struct note *n = &push->note;
	const char *name, *base = push->file != NULL ? strrchr(push->file,
	    '/') : NULL;
	struct span thresholds = start->thresholds;
	char *text = xstrndup(start->name.p, start->name.n);

	if (start->name.n > 0)
		(void)settings_set(&o->settings, SET_NAME, text, FROM_START,
		    NULL);
	free(text);
	name = settings_text(&o->settings, SET_NAME);
	if (name == NULL)
		name = base != NULL ? base + 1 : push->file != NULL
		    ? push->file : "k6 test";
	if (o->thresholds.n > 0 || thresholds.n == 0)
		thresholds = buf_whole(&push->thresholds);
	note_set(&n->name, name, strlen(name));
	note_set(&n->thresholds, thresholds.p, thresholds.n);
	n->vus = o->vus != 0 ? o->vus : start->vus;
	n->duration_ns = o->duration_ns != 0 ? o->duration_ns
	    : start->duration_ns;
	push_note(push);
}

void
push_note(struct push *push)
{
	struct buf text = { 0 };
	struct why why;

	if (push->journal == NULL)
		return;
	note_print(&push->note, &text);
	if (journal_note(push->journal, buf_whole(&text), &why) < 0)
		warnf("%s", why.text);
	buf_release(&text);
}

/* k6's three lines. */
static void
print_banner(const struct push *push)
{
	if (push->options->is_quiet)
		return;
	say("\n     execution: local\n");
	say_line("        script: %s", push->note.name != NULL
	    ? push->note.name : "k6 test");
	say_line("        output: cloud (%s)", push->control.page_url);
	say("\n");
}

/* Of protocol 2: how the server wants the samples. */
static void
set_period(struct push *push)
{
	int64_t period_ns, wait_ns;
	struct why why;

	if (gather_rule(&push->options->settings, &period_ns, &wait_ns,
	    &why) == 0) {
		push->reader.wait_ns = wait_ns;
		push->reader.period_ns = period_ns;
	} else {
		warnf("the server's config: %s", why.text);
	}
	push->reader.is_answered = true;
	reader_poke(&push->reader);
}

/* The run exists: note it, and let the parcels go. */
static void
begin_run(struct push *push)
{
	struct control *c = &push->control;
	struct note *n = &push->note;
	const struct settings *s = &push->options->settings;

	push->has_run = true;
	if (n->run == NULL) {
		note_set(&n->run, c->id, strlen(c->id));
		note_set(&n->page, c->page_url, strlen(c->page_url));
		note_set(&n->config, c->config.p, c->config.n);
		n->is_borrowed = c->is_borrowed;
		push_note(push);
	}
	push->uploader.host = c->ingest_host;
	push->uploader.run = c->escaped_id;
	push->uploader.run_id = c->id;
	push->uploader.token = settings_text(s, SET_TOKEN);
	push->uploader.push_url = settings_text(s, SET_METRICS_PUSH_URL);
	push->uploader.push_token = settings_text(s, SET_TEST_RUN_TOKEN);
	push->uploader.acked_ns = now_monotonic_ns();
	push->reader.interval_ns = settings_int(s, SET_PUSH_INTERVAL);
	push->reader.max_samples = settings_int(s, SET_MAX_SAMPLES);
	if (push->has_reader && push->reader.has_buckets)
		set_period(push);
	if (n->is_borrowed && n->instance != NULL &&
	    push->uploader.push_url == NULL)
		control_announce(c, n->instance);
	print_banner(push);
}

/* Whatever may be started now, is. */
static void
start_calls(struct push *push)
{
	struct control *c = &push->control;
	struct run_plan plan;

	if (c->state == CONTROL_IDLE && push->note.run != NULL) {
		c->is_borrowed = push->note.is_borrowed;
		control_adopt(c, push->note.run, push->note.config != NULL
		    ? span_of(push->note.config) : SPAN(""), "the journal");
	} else if (c->state == CONTROL_IDLE &&
	    (!push->has_reader || push->reader.has_head)) {
		plan = plan_of(push);
		control_create(c, &plan, push->note.create_key);
	}
	control_start(c);
	if (c->state == CONTROL_CREATED && !push->has_run)
		begin_run(push);
	uploader_recall(&push->uploader);
	uploader_start(&push->uploader);
	if (c->state == CONTROL_CREATED && !push->has_input_ended)
		uploader_beat(&push->uploader, push->options->beat_ns);
	if (push->uploader.is_stopped)
		push->reader.is_useless = true;
}

/* How the run ended, for the server (PROTOCOL 3.4). */
static int
run_status_of(const struct push *push)
{
	const struct reader *r = &push->reader;
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
note_times(struct push *push)
{
	const struct collector *c = &push->reader.collector;
	struct note *n = &push->note;

	n->first_ns = c->start.time_ns != 0 ? c->start.time_ns : c->first_ns;
	n->last_ns = c->ends.end.time_ns != 0 ? c->ends.end.time_ns
	    : c->last_ns;
}

/* The reader has ended. From here on it is known how the run does, also to a
 * process that takes over. */
static void
note_end(struct push *push)
{
	const struct collector *c = &push->reader.collector;
	struct note *n = &push->note;

	reader_join(&push->reader);
	push->has_input_ended = true;
	push->ended_ns = now_monotonic_ns();
	n->has_ended = true;
	n->run_status = run_status_of(push);
	n->result_status = c->ends.end.result_status;
	note_set(&n->results, c->ends.end.thresholds.p,
	    c->ends.end.thresholds.n);
	/* The generator's own count, if it knows of more than came. */
	if (c->ends.end.dropped > 0)
		push->dropped = c->ends.end.dropped;
	n->made = (int64_t)c->requests + push->dropped;
	if (c->ends.end.requests > n->made)
		n->made = c->ends.end.requests;
	if (push->options->is_from_data)
		note_times(push);
	if (push->has_run || push->reader.has_head)
		push_note(push);
}

/* How long the loop may sleep. */
static int
wait_ms(const struct push *push)
{
	int64_t next = uploader_next_ns(&push->uploader);
	int64_t now = now_monotonic_ns();

	if (next <= now)
		return 0;
	next = (next - now) / NS_PER_MS + 1;
	return next < LONGEST_WAIT_MS ? (int)next : LONGEST_WAIT_MS;
}

/* One turn: sleep until something can be done, and do it. True: the packer
 * has more. */
static bool
turn(struct push *push)
{
	bool is_more;

	if (fetcher_wait(push->fetcher, push->wake, wait_ms(push)))
		thread_bell_clear(push->wake);
	if (signals > 0 && !push->has_input_ended) {
		push->reader.signal = last_signal;
		push->reader.stop = READER_SIGNAL;
		reader_poke(&push->reader);
	}
	if (!push->has_input_ended && push->reader.has_ended)
		note_end(push);
	is_more = uploader_take(&push->uploader);
	start_calls(push);
	return is_more;
}

/* The server's no, or a second signal, ends it all. */
static bool
must_leave(const struct push *push)
{
	return signals > 1 || push->control.state == CONTROL_FAILED ||
	    (push->uploader.is_stopped && settings_bool(
	    &push->options->settings, SET_STOP_ON_ERROR));
}

/* After the end of the input: how long may it still take? As long as the
 * server takes something now and then; after SIGTERM not long. */
static bool
has_time_left(const struct push *push)
{
	int64_t now = now_monotonic_ns(), from = push->ended_ns;

	if (!push->has_input_ended)
		return true;
	if (signals > 0 && last_signal == SIGTERM)
		return now - from < term_ns;
	if (push->uploader.acked_ns > from)
		from = push->uploader.acked_ns;
	return now - from < push->options->drain_ns;
}

static bool
is_delivered(const struct push *push, bool is_more)
{
	return push->has_input_ended && !is_more &&
	    uploader_is_idle(&push->uploader) &&
	    (push->has_run || (push->uploader.waiting.n == 0 &&
	    push->control.state == CONTROL_IDLE));
}

static void
send_phase(struct push *push)
{
	bool is_more = true;

	while (!must_leave(push) && has_time_left(push) &&
	    !is_delivered(push, is_more))
		is_more = turn(push);
}

/* Stop the threads; what they have is here then, and on disk. */
static void
gather_all(struct push *push)
{
	bool is_hurried = signals > 1;

	push->reader.stop = READER_NOW;
	push->packer.is_hurried = is_hurried;
	if (push->has_reader) {
		reader_poke(&push->reader);
		if (!push->has_input_ended)
			note_end(push);
	}
	packer_stop(&push->packer, is_hurried);
	(void)uploader_take(&push->uploader);
	if (push->journal != NULL)
		(void)journal_sync(push->journal, true, NULL);
}

struct amount
push_left(const struct push *push)
{
	return parcels_amount(&push->uploader.waiting, false);
}

/* A run with data still to come is left open: the server takes them, and
 * whoever delivers them finishes it. */
static bool
may_finish(const struct push *push)
{
	if (push->control.state != CONTROL_CREATED || push->foreign.points > 0)
		return false;
	return push->journal == NULL || push->uploader.is_stopped ||
	    push->uploader.waiting.n == 0;
}

static void
finish_phase(struct push *push)
{
	struct note *n = &push->note;
	struct control *c = &push->control;
	struct run_result result = { .run_status = n->run_status,
	    .result_status = n->result_status, .thresholds =
	    n->results != NULL ? span_of(n->results) : SPAN("{}"),
	    .start_ns = n->first_ns, .end_ns = n->last_ns };
	int signals_before = signals;
	int64_t until = now_monotonic_ns() + push->options->drain_ns;

	if (!may_finish(push))
		return;
	/* Whoever presses twice waits no longer than for a quick answer. */
	if (signals > 1)
		until = now_monotonic_ns() + NS_PER_S;
	else if (signals > 0 && last_signal == SIGTERM)
		until = push->ended_ns + term_ns;
	control_finish(c, &result, n->finish_key);
	while (c->state != CONTROL_FINISHED && c->state != CONTROL_FAILED &&
	    (signals == signals_before || signals < 2) &&
	    now_monotonic_ns() < until)
		(void)turn(push);
	if (c->state != CONTROL_FINISHED)
		warnf("failed to send test finished to the cloud: the run "
		    "will time out there");
}

int
push_deliver(struct push *push)
{
	struct books books;
	struct why why;
	int status;

	send_phase(push);
	gather_all(push);
	if (push->uploader.is_stopped && settings_bool(
	    &push->options->settings, SET_STOP_ON_ERROR))
		push->note.run_status = RUN_ABORTED_BY_SYSTEM;
	if (push->control.state == CONTROL_IDLE && signals == 0 &&
	    push->has_reader && push->reader.in.n_failed == 0)
		warnf(push->reader.bad.n > 0 ? "no line of the input is of "
		    "the stream: no run was created"
		    : "no data: no run was created");
	finish_phase(push);
	books = books_of(push);
	books_print(push, &books);
	status = exit_status_of(push, &books);
	tell_resume(push, &books);
	if (push->options->result_file != NULL &&
	    result_write(push, &books, status, &why) < 0) {
		warnf("%s", why.text);
		status = status == EXIT_DONE ? EXIT_FAILED : status;
	}
	return status;
}

int
push_init(struct push *push, struct push_options *o, struct why *why)
{
	struct fetch_options fetch = { .user_agent = "k6push/" K6PIPE_VERSION,
	    .timeout_ns = settings_int(&o->settings, SET_TIMEOUT),
	    .ca_file = o->ca_file };

	push->options = o;
	push->wake = thread_bell_open();
	push->fetcher = fetcher_new(&fetch, why);
	if (push->fetcher == NULL || thresholds_from_options(&o->thresholds,
	    &push->thresholds, why) < 0 || control_init(&push->control,
	    push->fetcher, &o->settings, o->allows_http, why) < 0)
		return -1;
	push->packer.wake = push->wake;
	push->uploader.fetcher = push->fetcher;
	push->uploader.settings = &o->settings;
	push->uploader.packer = &push->packer;
	push->uploader.numbers = &push->numbers;
	if (push->note.create_key[0] == '\0') {	/* no earlier process's */
		push->note.started_ns = now_unix_ns();
		retry_key(push->note.create_key);
		retry_key(push->note.finish_key);
	}
	signals_take(push->wake);
	return 0;
}

void
push_release(struct push *push)
{
	fetcher_free(push->fetcher);
	uploader_release(&push->uploader);
	parcels_release(&push->packer.in);
	parcels_release(&push->packer.out);
	control_release(&push->control);
	reader_release(&push->reader);
	journal_close(push->journal);
	note_release(&push->note);
	buf_release(&push->thresholds);
	if (push->wake > 0)
		(void)close(push->wake);
}

/* A journal of this push's own. -1: why. */
static int
open_journal(struct push *push, struct why *why)
{
	struct push_options *o = push->options;
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
	status = journal_open(&push->journal, path, JOURNAL_NEW, &o->journal,
	    why);
	free(path);
	free(home);
	return status;
}

/* The threads' share of the set-up. */
static void
start_threads(struct push *push, char *const *files, int n_files)
{
	const struct settings *s = &push->options->settings;
	struct reader *r = &push->reader;

	lines_init(&r->in, files, n_files);
	r->in.codecs = input_codecs;
	push->has_reader = true;
	r->packer = &push->packer;
	r->on_head = note_plan;
	r->ctx = push;
	r->journal = push->packer.journal = push->uploader.journal =
	    push->journal;
	r->wake = push->wake;
	r->memory_max = MEMORY_BYTES;
	r->interval_ns = settings_int(s, SET_PUSH_INTERVAL);
	r->max_samples = settings_int(s, SET_MAX_SAMPLES);
	r->numbers = &push->numbers;
	if (r->has_buckets) {
		r->buckets.packer = r->packer;
		r->buckets.journal = r->journal;
		r->buckets.numbers = r->numbers;
		r->collector.gather = &r->buckets.gather;
	}
	packer_start(&push->packer);
	reader_start(r);
}

/* One of several that feed a run has a name, and its samples show it. */
static void
name_instance(struct push *push)
{
	const struct push_options *o = push->options;
	char host[HOST_NAME_MAX + 1] = "host";
	char *name = NULL;

	if (o->instance == NULL &&
	    settings_text(&o->settings, SET_PUSH_REF_ID) == NULL)
		return;
	(void)gethostname(host, sizeof(host) - 1);
	name = o->instance != NULL ? xstrdup(o->instance)
	    : xasprintf("%s-%ld", host, (long)getpid());
	note_set(&push->note.instance, name, strlen(name));
	push->reader.collector.label.instance = push->note.instance;
	push->reader.collector.label.tags =
	    &push->reader.collector.stream.tags;
	free(name);
}

int
push_run(struct push_options *o, char *const *files, int n_files)
{
	struct push push = { .file = n_files > 0 ? files[0] : NULL };
	struct reader *r = &push.reader;
	struct why why;
	int status;

	r->has_buckets = settings_int(&o->settings, SET_API_VERSION) == 2;
	if ((r->has_buckets && buckets_init(&r->buckets, &o->settings,
	    &r->collector.stream.metrics, &why) < 0) ||
	    push_init(&push, o, &why) < 0) {
		status = opt_misuse("%s", why.text);
	} else if (open_journal(&push, &why) < 0) {
		warnf("%s", why.text);
		status = EXIT_FAILED;
	} else {
		if (!o->is_quiet && !o->has_no_journal)
			tell_leftovers(o);
		name_instance(&push);
		note_set(&push.note.host, push.control.host,
		    strlen(push.control.host));
		push_note(&push);
		start_threads(&push, files, n_files);
		status = push_deliver(&push);
	}
	push_release(&push);
	return status;
}
