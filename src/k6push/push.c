/* SPDX-License-Identifier: MIT */
/* One loop waits for input, replies and timers. */
#include "k6push/push.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/lines.h"
#include "base/units.h"
#include "io/gz.h"
#include "io/zst.h"
#include "k6push/collect.h"
#include "k6push/control.h"
#include "k6push/upload.h"

enum { LONGEST_WAIT_MS = 200, WAITING_BYTES = 256 << 20,
	TAG_SETS_MAX = 20000 };

static const struct codec *const codecs[] = { &gz_codec, &zst_codec, NULL };

/* One push, from the first line to the books. */
struct push {
	struct push_options *options;
	struct lines in;
	const char *file;		/* first operand, NULL: stdin */
	struct collector collector;
	struct gather gather;		/* of protocol 2 */
	struct uploader uploader;
	struct control control;
	struct buf thresholds;		/* of the options */
	int64_t next_cut_ns;		/* monotonic */
	int64_t give_up_ns;		/* set when the input has ended */
	struct bad_lines bad;
	bool has_input_ended;
	bool has_given_up;		/* no run, and no time left for one */
	bool has_banner;
};

static volatile sig_atomic_t signals, last_signal;

static void
on_signal(int number)
{
	last_signal = number;
	signals++;
}

static int
hand_to_uploader(void *ctx, const struct sample *s)
{
	struct push *push = ctx;

	uploader_add(&push->uploader, s);
	return 0;
}

static int
print_sample(void *ctx, const struct sample *s)
{
	const struct push *push = ctx;
	struct buf out = { 0 };

	sample_print(s, settings_bool(&push->options->settings,
	    SET_SEND_HISTOGRAMS), &out);
	buf_char(&out, '\n');
	(void)fwrite(out.p, 1, out.n, stdout);
	buf_release(&out);
	return 0;
}

static void
print_batch(void *ctx, struct metricset *batch)
{
	struct buf *out = ctx;

	metricset_print(batch, out);
	(void)fwrite(out->p, 1, out->n, stdout);
	buf_reset(out);
}

/* True once enough of the stream was seen to create the run. */
static bool
has_head(const struct push *push)
{
	return push->collector.points > 0 || push->collector.starts > 0 ||
	    push->collector.trails.n > 0;
}

/* True while the server has not yet said how it wants the samples: lines are
 * read, so that the generator is not held up, but wait as they are. */
static bool
is_waiting_for_run(const struct push *push)
{
	return push->uploader.url == NULL && has_head(push) &&
	    !push->options->is_dry_run && !push->has_given_up;
}

/* Take the whole lines that are here. */
static void
take_lines(struct push *push)
{
	enum lines_result got;
	struct span text;
	struct why why;

	while (!is_waiting_for_run(push) &&
	    (got = lines_take(&push->in, &text)) != LINES_MORE) {
		if (got == LINES_LONG)
			bad_lines_add(&push->bad, &push->in, SPAN("{"),
			    LINES_LONG_WHY);
		else if (collector_line(&push->collector, text, &why) < 0)
			bad_lines_add(&push->bad, &push->in, text, why.text);
	}
}

/* Read once, and take what may be taken. Sets has_input_ended. */
static void
read_input(struct push *push)
{
	struct why why;
	int more;

	if (push->collector.trails.n == 0)
		stream_trim(&push->collector.stream, TAG_SETS_MAX);
	more = lines_fill(&push->in, &why);
	if (more < 0)
		warnf("%s", why.text);
	else if (more == 0)
		push->has_input_ended = true;
	take_lines(push);
}

static struct run_plan
plan_of(struct push *push)
{
	struct push_options *o = push->options;
	const struct run_start *start = &push->collector.start;
	const char *base = push->file != NULL ? strrchr(push->file, '/')
	    : NULL;
	struct run_plan plan = { .vus = o->vus != 0 ? o->vus : start->vus,
	    .duration_ns = o->duration_ns != 0 ? o->duration_ns
	    : start->duration_ns };
	char *name = xstrndup(start->name.p, start->name.n);

	if (start->name.n > 0)
		(void)settings_set(&o->settings, SET_NAME, name, FROM_START,
		    NULL);
	free(name);
	plan.name = settings_text(&o->settings, SET_NAME);
	if (plan.name == NULL)
		plan.name = base != NULL ? base + 1
		    : push->file != NULL ? push->file : "k6 test";
	plan.thresholds = o->thresholds.n > 0 || start->thresholds.n == 0
	    ? (struct span){ push->thresholds.p, push->thresholds.n }
	    : start->thresholds;
	return plan;
}

/* k6's three lines. */
static void
print_banner(struct push *push)
{
	struct run_plan plan = plan_of(push);

	push->has_banner = true;
	if (push->options->is_quiet)
		return;
	say("\n     execution: local\n");
	say_line("        script: %s", plan.name);
	say_line("        output: cloud (%s)", push->control.page_url);
	say("\n");
}

/* Whatever may be started now, is. */
static void
start_calls(struct push *push)
{
	struct control *c = &push->control;
	struct run_plan plan;

	if (c->state == CONTROL_IDLE && has_head(push)) {
		plan = plan_of(push);
		control_create(c, &plan);
	}
	control_start(c);
	if (c->state == CONTROL_CREATED && !push->has_banner) {
		push->uploader.url = c->metrics_url;
		push->uploader.token = settings_text(&push->options->settings,
		    SET_TOKEN);
		print_banner(push);
		take_lines(push);	/* those that waited for it */
	}
	uploader_start(&push->uploader);
}

/* How long the loop may sleep. */
static int
wait_ms(const struct push *push)
{
	int64_t next = push->next_cut_ns, now = now_monotonic_ns();

	if (uploader_next_ns(&push->uploader) < next)
		next = uploader_next_ns(&push->uploader);
	if (next <= now)
		return 0;
	next = (next - now) / NS_PER_MS + 1;
	return next < LONGEST_WAIT_MS ? (int)next : LONGEST_WAIT_MS;
}

/* Reading pauses while too much waits: back-pressure, not loss. */
static bool
may_read(const struct push *push)
{
	if (push->has_input_ended || uploader_is_full(&push->uploader))
		return false;
	return !is_waiting_for_run(push) || (lines_waiting(&push->in) <
	    WAITING_BYTES && !push->in.is_eof);
}

/* One turn: sleep until something can be done, and do it. */
static void
turn(struct push *push)
{
	bool wants_input = may_read(push);
	int fd = wants_input ? lines_fd(&push->in) : -1;
	bool has_input;

	has_input = fetcher_wait(push->uploader.fetcher, fd,
	    wants_input && fd < 0 ? 0 : wait_ms(push));
	if (wants_input && (has_input || fd < 0))
		read_input(push);
	if (now_monotonic_ns() >= push->next_cut_ns) {
		uploader_cut(&push->uploader);
		push->next_cut_ns = now_monotonic_ns() + settings_int(
		    &push->options->settings, SET_PUSH_INTERVAL);
	}
	start_calls(push);
}

/* True while the server's no, or a second signal, does not end it all. */
static bool
may_go_on(const struct push *push)
{
	bool is_over = push->uploader.is_stopped && settings_bool(
	    &push->options->settings, SET_STOP_ON_ERROR);

	return signals < 2 && push->control.state != CONTROL_FAILED &&
	    !is_over;
}

/* Nothing more is to be read before there is a run. */
static bool
is_all_waiting(const struct push *push)
{
	return is_waiting_for_run(push) && push->in.is_eof;
}

static void
read_phase(struct push *push)
{
	push->next_cut_ns = now_monotonic_ns() + settings_int(
	    &push->options->settings, SET_PUSH_INTERVAL);
	while (!push->has_input_ended && !is_all_waiting(push) &&
	    may_go_on(push) && !lines_must_stop(&push->in, last_signal))
		turn(push);
}

static bool
has_time_left(const struct push *push)
{
	return now_monotonic_ns() < push->give_up_ns;
}

/* The input has ended, or was left: what was read must be a run's, and go. */
static void
drain_phase(struct push *push)
{
	push->give_up_ns = now_monotonic_ns() + push->options->drain_ns;
	while (is_waiting_for_run(push) && may_go_on(push) &&
	    has_time_left(push))
		turn(push);
	push->has_given_up = true;
	if (signals > 0)
		take_lines(push);
	while (!push->has_input_ended && may_go_on(push) &&
	    !lines_must_stop(&push->in, last_signal))
		read_input(push);
	push->has_input_ended = true;
	collector_end(&push->collector);
	uploader_cut(&push->uploader);
	while (push->control.state == CONTROL_CREATED && may_go_on(push) &&
	    has_time_left(push) && !uploader_is_idle(&push->uploader))
		turn(push);
}

/* How the run ended, for the server (PROTOCOL 3.4). */
static int
run_status_of(const struct push *push)
{
	const struct collector *c = &push->collector;

	if (push->uploader.is_stopped && settings_bool(
	    &push->options->settings, SET_STOP_ON_ERROR))
		return RUN_ABORTED_BY_SYSTEM;
	if (signals > 0)
		return RUN_ABORTED_BY_USER;
	if (push->in.n_failed > 0)	/* what came is not all there is */
		return RUN_ABORTED_BY_SYSTEM;
	if (c->starts > c->ends.end.streams) {
		warnf("the stream was cut: it has a Start and no End");
		return RUN_ABORTED_BY_SYSTEM;
	}
	return c->ends.n > 0 ? c->ends.end.run_status : RUN_FINISHED;
}

static void
finish_phase(struct push *push, int run_status)
{
	const struct run_end *end = &push->collector.ends.end;
	struct control *c = &push->control;
	int signals_before = signals;

	if (c->state != CONTROL_CREATED)
		return;
	/* Whoever presses twice waits no longer than for a quick answer. */
	if (signals >= 2)
		push->give_up_ns = now_monotonic_ns() + NS_PER_S;
	control_finish(c, run_status, end->result_status,
	    end->thresholds.n > 0 ? end->thresholds : SPAN("{}"));
	while (c->state != CONTROL_FINISHED && c->state != CONTROL_FAILED &&
	    (signals == signals_before || signals < 2) &&
	    has_time_left(push))
		turn(push);
	if (c->state != CONTROL_FINISHED)
		warnf("failed to send test finished to the cloud: the run "
		    "will time out there");
}

/* The books: samples as points of the stream, then requests as the server
 * counts them. Returns the exit status that they ask for. */
static int
print_books(const struct push *push)
{
	const struct collector *c = &push->collector;
	struct amount left = uploader_left(&push->uploader);
	/* The generator's own count, should it know of more than came. */
	int64_t made = c->ends.end.requests > (int64_t)c->requests
	    ? c->ends.end.requests : (int64_t)c->requests;
	int64_t stored = push->control.has_stored
	    ? push->control.stored_requests
	    : (int64_t)push->uploader.acked.requests;
	int64_t lost = stored < made ? made - stored : 0;
	int64_t twice = stored > made ? stored - made : 0;

	if (left.points > 0)
		warnf("%" PRIu64 " samples (%" PRIu64 " requests) were not "
		    "delivered and are lost with this process", left.points,
		    left.requests);
	warnf("read=%" PRIu64 " acknowledged=%" PRIu64 " undelivered=%" PRIu64
	    " invalid=%" PRId64 " resent=%" PRIu64, c->points,
	    push->uploader.acked.points, left.points, push->bad.n,
	    push->uploader.resent);
	warnf("%" PRId64 " made = %" PRId64 " stored, %" PRId64 " lost, %"
	    PRId64 " twice", made, stored, lost, twice);
	if (left.points > 0 || lost > 0)
		return EXIT_UNDELIVERED;
	return twice > 0 ? EXIT_FAILED : EXIT_DONE;
}

/* The worst of what there is to say. */
static int
exit_status_of(const struct push *push, int books, int run_status)
{
	const struct run_end *end = &push->collector.ends.end;

	if (push->uploader.is_stopped && settings_bool(
	    &push->options->settings, SET_STOP_ON_ERROR))
		return EXIT_INTERRUPTED;
	if (push->control.state == CONTROL_FAILED && push->control.id == NULL)
		return EXIT_FAILED;
	if (books != EXIT_DONE)
		return books;
	if (push->control.state == CONTROL_FAILED || push->in.n_failed > 0 ||
	    (push->control.state == CONTROL_IDLE && push->bad.n > 0) ||
	    (push->control.state != CONTROL_FINISHED &&
	    push->control.state != CONTROL_IDLE))
		return EXIT_FAILED;
	if (run_status == RUN_ABORTED_BY_USER)
		return EXIT_INTERRUPTED;
	if (end->result_status != 0)
		return EXIT_THRESHOLD;
	return run_status == RUN_FINISHED ? EXIT_DONE : EXIT_FAILED;
}

/* Print the samples instead of sending them. */
static int
dry_run(struct push *push)
{
	struct buf out = { 0 };
	struct why why;
	int more;

	push->collector.each = print_sample;
	while ((more = lines_fill(&push->in, &why)) != 0) {
		if (more < 0)
			warnf("%s", why.text);
		take_lines(push);
	}
	collector_end(&push->collector);
	if (push->collector.gather != NULL)
		gather_take(&push->gather, true, print_batch, &out);
	buf_release(&out);
	return push->in.n_failed > 0 ? EXIT_FAILED : EXIT_DONE;
}

static int
send_all(struct push *push)
{
	int run_status;

	read_phase(push);
	drain_phase(push);
	if (push->control.state == CONTROL_IDLE && signals == 0 &&
	    push->in.n_failed == 0)
		warnf(push->bad.n > 0 ? "no line of the input is of the "
		    "stream: no run was created"
		    : "no data: no run was created");
	run_status = run_status_of(push);
	finish_phase(push, run_status);
	return exit_status_of(push, print_books(push), run_status);
}

int
push_run(struct push_options *o, char *const *files, int n_files)
{
	struct fetch_options fetch = { .user_agent = "k6push/" K6PIPE_VERSION,
	    .timeout_ns = settings_int(&o->settings, SET_TIMEOUT),
	    .ca_file = o->ca_file };
	struct push push = { .options = o, .collector.each = hand_to_uploader,
	    .collector.ctx = &push, .file = n_files > 0 ? files[0] : NULL,
	    .uploader.settings = &o->settings };
	struct sigaction action = { .sa_handler = on_signal };
	struct why why;
	int status;

	if (!o->is_dry_run) {	/* which is a plain filter */
		(void)sigaction(SIGINT, &action, NULL);
		(void)sigaction(SIGTERM, &action, NULL);
		(void)signal(SIGPIPE, SIG_IGN);
	}
	if (settings_int(&o->settings, SET_API_VERSION) == 2) {
		push.collector.gather = &push.gather;
		if (gather_init(&push.gather, &o->settings,
		    &push.collector.stream.metrics, &why) < 0)
			return opt_misuse("%s", why.text);
	}
	lines_init(&push.in, files, n_files);
	push.in.codecs = codecs;
	push.uploader.fetcher = fetcher_new(&fetch, &why);
	if (push.uploader.fetcher == NULL)
		status = opt_misuse("%s", why.text);
	else if (thresholds_from_options(&o->thresholds, &push.thresholds,
	    &why) < 0 || control_init(&push.control, push.uploader.fetcher,
	    &o->settings, o->allows_http, &why) < 0)
		status = opt_misuse("%s", why.text);
	else
		status = o->is_dry_run ? dry_run(&push) : send_all(&push);
	fetcher_free(push.uploader.fetcher);
	uploader_release(&push.uploader);
	control_release(&push.control);
	gather_release(&push.gather);
	collector_release(&push.collector);
	lines_release(&push.in);
	buf_release(&push.thresholds);
	return status;
}
