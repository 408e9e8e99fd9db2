/* SPDX-License-Identifier: MIT */
/*
 * k6agg: fold the ordinary HTTP requests of each time bucket into one line,
 * pass everything else as it is. Buckets close by the stream's own clock, so
 * that the same input gives the same output however fast it comes.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "base/die.h"
#include "base/lines.h"
#include "base/opt.h"
#include "base/units.h"
#include "data/bucket.h"
#include "data/keep.h"
#include "data/run.h"
#include "data/settings.h"
#include "data/stream.h"

enum { OUTPUT_BUFFER = 1 << 18, LONGEST_WAIT_MS = 200,
	TAG_SETS_MAX = 20000 };

struct options {
	struct settings settings;
	bool is_strict;
	bool is_quiet;
};

/* One run of the filter. */
struct agg {
	const struct options *options;
	struct lines in;
	struct stream stream;
	struct trails trails;
	struct buckets buckets;
	struct buf out, packed;		/* scratch */
	int64_t calc_ns, wait_ns;
	int64_t clock_ns;		/* latest time of the stream */
	int64_t tick;			/* calc intervals that it has passed */
	bool has_clock;
	bool is_folding;
	bool lacks_newline;		/* the last input had none at its end */
	int starts;
	struct run_ends ends;
	struct bad_lines bad;
	int64_t points, requests, folded_before;
};

static volatile sig_atomic_t stop_signal;

static void
on_signal(int number)
{
	stop_signal = number;
}

static void
put(struct span s)
{
	(void)fwrite(s.p, 1, s.n, stdout);
}

static void
put_line(struct agg *agg, struct span line)
{
	if (agg->lacks_newline)
		(void)putc('\n', stdout);
	put(line);
	/* `cat` adds no newline; neither do we, unless something follows. */
	agg->lacks_newline = !agg->in.had_newline;
	if (agg->in.had_newline)
		(void)putc('\n', stdout);
}

static void
put_lines(void *ctx, struct span lines)
{
	struct agg *agg = ctx;

	if (agg->lacks_newline)
		(void)putc('\n', stdout);
	agg->lacks_newline = false;
	put(lines);
}

/* Write lines as keep_pack packed them. */
static void
put_kept(void *ctx, struct span packed)
{
	struct agg *agg = ctx;

	buf_reset(&agg->out);
	keep_unpack(&agg->out, packed);
	put_lines(agg, buf_whole(&agg->out));
}

static void
put_aggregate(void *ctx, const struct aggregate *a)
{
	struct sample s = { .kind = SAMPLE_AGGREGATE, .aggregate = a };
	struct agg *agg = ctx;

	buf_reset(&agg->out);
	sample_print(&s, true, &agg->out);
	buf_char(&agg->out, '\n');
	put_lines(agg, buf_whole(&agg->out));
}

static struct bucket_out
output_of(struct agg *agg)
{
	return (struct bucket_out){ put_kept, put_aggregate, agg };
}

/* Close what is due when the stream's clock stands at now_ns. */
static void
close_due(struct agg *agg, int64_t now_ns)
{
	struct bucket_out out = output_of(agg);

	buckets_close(&agg->buckets, now_ns, agg->wait_ns, &out);
}

/* The clock goes on with the latest time seen; due buckets are closed when it
 * passes a multiple of the calc interval. */
static void
advance_clock(struct agg *agg, int64_t time_ns)
{
	int64_t tick;

	if (agg->has_clock && time_ns <= agg->clock_ns)
		return;
	tick = time_ns / agg->calc_ns;
	if (agg->has_clock && tick > agg->tick)
		close_due(agg, time_ns);
	agg->tick = tick;
	agg->clock_ns = time_ns;
	agg->has_clock = true;
}

/* Requests that a point stands for by itself. */
static int64_t
requests_of(const struct point *p)
{
	return p->value > 0 && p->value < 0x1p53 &&
	    span_is(p->metric->name, "http_reqs") ? (int64_t)p->value : 0;
}

static void
take_group(void *ctx, const struct group_out *g)
{
	struct agg *agg = ctx;
	int i;

	if (g->kind == GROUP_TRAIL) {
		agg->requests++;
		buf_reset(&agg->packed);
		keep_pack(&agg->packed, g->points, g->n);
		buckets_add(&agg->buckets, &g->trail,
		    buf_whole(&agg->packed));
		return;
	}
	for (i = 0; i < g->n; i++)
		agg->requests += requests_of(&g->points[i]);
	put_lines(agg, g->lines);
}

static void
take_point(struct agg *agg, const struct point *p, struct span text)
{
	agg->points++;
	if (!agg->is_folding) {
		agg->requests += requests_of(p);
		put_line(agg, text);
		return;
	}
	advance_clock(agg, p->time_ns);
	trails_add(&agg->trails, p, take_group, agg);
}

static int
count_aggregate(void *ctx, const struct sample *s)
{
	struct agg *agg = ctx;

	agg->points += (int64_t)sample_points(s);
	agg->requests += (int64_t)sample_requests(s);
	agg->folded_before += (int64_t)sample_requests(s);
	return 0;
}

/* Count a line that is not taken. -1: --strict makes it fatal. */
static int
refuse(struct agg *agg, struct span text, const char *why)
{
	if (agg->options->is_strict && (text.n == 0 || text.p[0] != '{'))
		warnf("%s:%" PRId64 ": %s", agg->in.name, agg->in.number, why);
	bad_lines_add(&agg->bad, &agg->in, text, why);
	return agg->options->is_strict ? -1 : 0;
}

/* Take one line. -1: it is bad and --strict was given. */
static int
take_line(struct agg *agg, struct span text)
{
	struct run_end end;
	struct line line;
	struct json j;
	struct why why;
	bool is_bad = false;

	switch (stream_read(&agg->stream, text, &line, &why)) {
	case LINE_POINT:
		take_point(agg, &line.point, text);
		return 0;
	case LINE_BLANK:
		return 0;
	case LINE_BAD:
		is_bad = true;
		break;
	case LINE_AGGREGATED:
		j = json_of(text);
		is_bad = sample_parse(&j, &agg->stream.tags, count_aggregate,
		    agg, &why) < 0;
		break;
	case LINE_END:
		is_bad = run_end_parse(&end, line.data, &why) < 0;
		if (is_bad)
			break;
		run_ends_add(&agg->ends, &end);
		if (agg->is_folding)
			return 0;	/* written, with our books, at the end */
		break;
	case LINE_START:
		agg->starts++;
		break;
	case LINE_METRIC:
	case LINE_OTHER:
		break;
	}
	if (is_bad)
		return refuse(agg, text, why.text);
	put_line(agg, text);
	return 0;
}

/* Wait for input, or until there is to be no more. While a live stream is
 * silent, its clock goes on with ours, and what was written is seen by the
 * next tool. */
static void
wait_for_input(struct agg *agg)
{
	struct pollfd p = { .fd = lines_fd(&agg->in), .events = POLLIN };
	int64_t silent_since = now_monotonic_ns(), now;
	int64_t next_ns = silent_since + agg->calc_ns;
	int timeout = agg->calc_ns < LONGEST_WAIT_MS * NS_PER_MS
	    ? (int)(agg->calc_ns / NS_PER_MS) + 1 : LONGEST_WAIT_MS;

	if (p.fd < 0 || poll(&p, 1, 0) > 0)
		return;
	(void)fflush(stdout);
	while (!lines_must_stop(&agg->in, stop_signal) &&
	    poll(&p, 1, timeout) <= 0) {
		now = now_monotonic_ns();
		if (!agg->is_folding || !agg->has_clock || now < next_ns)
			continue;
		close_due(agg, agg->clock_ns + now - silent_since);
		(void)fflush(stdout);
		next_ns = now + agg->calc_ns;
	}
}

/* Read all input. Returns 0, or -1 after a bad line with --strict. */
static int
read_all(struct agg *agg)
{
	enum lines_result got;
	struct span text;
	struct why why;
	int more = 1;

	while (more != 0) {
		wait_for_input(agg);
		if (lines_must_stop(&agg->in, stop_signal))
			return 0;
		/* Nobody holds a tag set now: too many may be forgotten. */
		if (agg->buckets.n == 0 && agg->trails.n == 0)
			stream_trim(&agg->stream, TAG_SETS_MAX);
		more = lines_fill(&agg->in, &why);
		if (more < 0)
			warnf("%s", why.text);
		while ((got = lines_take(&agg->in, &text)) != LINES_MORE) {
			if (got == LINES_LONG ? refuse(agg, SPAN("{"),
			    LINES_LONG_WHY) < 0 : take_line(agg, text) < 0)
				return -1;
			/* The reader has gone: nobody wants the rest. */
			if (ferror(stdout))
				return 0;
		}
	}
	return 0;
}

/* What was passed on is not all there was: whoever reads on must know. */
static void
note_failure(struct run_end *end, int status)
{
	if (stop_signal != 0) {
		end->run_status = RUN_ABORTED_BY_USER;
		end->exit_code = EXIT_INTERRUPTED;
	}
	if (status == EXIT_FAILED) {
		end->run_status = RUN_ABORTED_BY_SYSTEM;
		end->exit_code = EXIT_FAILED;
	}
}

/* Without a period the trailers of the input have passed; what failed is
 * added as one more, of no stream and with no books. */
static void
put_failure(struct agg *agg, int status)
{
	struct run_end end = { .run_status = RUN_FINISHED,
	    .tool = SPAN("k6agg " K6PIPE_VERSION),
	    .time_ns = now_unix_ns() };

	note_failure(&end, status);
	buf_reset(&agg->out);
	run_end_print(&end, &agg->out);
	put_lines(agg, buf_whole(&agg->out));
}

/* Write the trailer: the generator's, or one of our own, with the books. A
 * stream that began with Start and lacks its End was cut, and stays so. */
static void
put_end(struct agg *agg, int status)
{
	struct run_end *end = &agg->ends.end;

	if (agg->points == 0 && agg->starts == 0 && agg->ends.n == 0)
		return;
	if (agg->starts > end->streams) {
		warnf("%s: the stream was cut: it has a Start and no End",
		    agg->in.name);
		return;
	}
	if (agg->ends.n == 0)
		*end = (struct run_end){ .run_status = RUN_FINISHED,
		    .time_ns = agg->clock_ns, .points = agg->points,
		    .requests = agg->requests };
	note_failure(end, status);
	end->tool = SPAN("k6agg " K6PIPE_VERSION);
	end->folded = (int64_t)agg->buckets.folded + agg->folded_before;
	end->passed = agg->requests - end->folded;
	end->late += (int64_t)agg->buckets.late;
	end->skipped += agg->bad.n;
	buf_reset(&agg->out);
	run_end_print(end, &agg->out);
	put_lines(agg, buf_whole(&agg->out));
}

static void
drain(struct agg *agg, int status)
{
	struct bucket_out out = output_of(agg);

	trails_end(&agg->trails, take_group, agg);
	buckets_close_all(&agg->buckets, &out);
	if (agg->is_folding)
		put_end(agg, status);
	else if (status != EXIT_DONE)
		put_failure(agg, status);
}

static void
report(const struct agg *agg)
{
	int64_t folded = (int64_t)agg->buckets.folded + agg->folded_before;

	if (agg->bad.n > 0)
		warnf("%" PRId64 " line%s skipped that %s not of the stream",
		    agg->bad.n, agg->bad.n == 1 ? "" : "s",
		    agg->bad.n == 1 ? "is" : "are");
	if (agg->is_folding && !agg->options->is_quiet)
		warnf("%" PRId64 " requests in = %" PRId64 " folded into %"
		    PRIu64 " aggregates + %" PRId64 " passed", agg->requests,
		    folded, agg->buckets.aggregates, agg->requests - folded);
}

static struct bucket_rule
rule_of(const struct settings *s)
{
	return (struct bucket_rule){
		.period_ns = settings_int(s, SET_PERIOD),
		.min_samples = settings_int(s, SET_MIN_SAMPLES),
		.skip_outliers = settings_bool(s, SET_SKIP_OUTLIERS),
		.fence = {
			.algo_threshold = settings_int(s, SET_ALGO_THRESHOLD),
			.radius = settings_real(s, SET_IQR_RADIUS),
			.coef_lower = settings_real(s, SET_IQR_COEF_LOWER),
			.coef_upper = settings_real(s, SET_IQR_COEF_UPPER),
		},
	};
}

static int
run(const struct options *o, char *const *files, int n_files)
{
	struct agg agg = { .options = o,
	    .buckets.rule = rule_of(&o->settings),
	    .calc_ns = settings_int(&o->settings, SET_CALC_INTERVAL),
	    .wait_ns = settings_int(&o->settings, SET_WAIT_PERIOD) };
	int status;

	agg.is_folding = agg.buckets.rule.period_ns > 0;
	lines_init(&agg.in, files, n_files);
	status = read_all(&agg) < 0 || agg.in.n_failed > 0 ? EXIT_FAILED
	    : stop_signal != 0 ? EXIT_INTERRUPTED : EXIT_DONE;
	drain(&agg, status);
	report(&agg);
	lines_release(&agg.in);
	stream_release(&agg.stream);
	trails_release(&agg.trails);
	buckets_release(&agg.buckets);
	buf_release(&agg.out);
	buf_release(&agg.packed);
	run_ends_release(&agg.ends);
	return status;
}

static const struct opt table[] = {
	{ 0, "strict", NULL, "end with status 1 at the first bad line",
	    OPT_FLAG, offsetof(struct options, is_strict), NULL, 0 },
	{ 'q', "quiet", NULL, "do not report the books on stderr", OPT_FLAG,
	    offsetof(struct options, is_quiet), NULL, 0 },
	{ 0 },
};

int
main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal,
	    .sa_flags = (int)SA_RESETHAND };
	struct opt settings_rows[SETTINGS + 1];
	struct opt_tool tool = {
		.synopsis = "[options] [FILE...]",
		.about = "Fold the HTTP requests of a k6 stream into "
		    "aggregates, keep the outliers.",
		.examples = "  k6gen -d 30s URL | k6agg -p 3s | k6push\n"
		    "  zcat results.json.gz | k6agg -p 3s >folded.json\n",
		.tables = { table, settings_rows },
	};
	struct options o = { 0 };
	struct why why;
	int first, status;

	die_init();
	settings_options(USED_BY_AGG, offsetof(struct options, settings),
	    settings_rows);
	settings_init(&o.settings);
	status = opt_parse(&tool, &o, argc, argv, &first);
	if (status == OPT_CONTINUE &&
	    settings_from_env(&o.settings, &why) < 0)
		status = opt_misuse("%s", why.text);
	if (status == OPT_CONTINUE) {
		(void)sigaction(SIGINT, &action, NULL);
		(void)sigaction(SIGTERM, &action, NULL);
		(void)setvbuf(stdout, NULL, _IOFBF, OUTPUT_BUFFER);
		status = close_stdout(run(&o, argv + first, argc - first));
	}
	settings_release(&o.settings);
	return status;
}
