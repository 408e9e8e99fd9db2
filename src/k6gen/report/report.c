/* SPDX-License-Identifier: MIT */
/* Progress while a run lasts, on a terminal or in lines; its end. */
#include "k6gen/report/report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/units.h"
#include "data/percentile.h"
#include "k6gen/report/summary_figures.h"

enum { BAR = 38 };

static const double busy_percent = 95;	/* of a processor, by one thread */

/* Say text that begins at a column; on a terminal what it has no room for goes
 * on in lines below, at that column. */
static void
say_folded(const struct report *r, int column, const char *text)
{
	size_t room = r->columns > column ? (size_t)(r->columns - column) :
	    SIZE_MAX, n;

	while (strlen(text) > room) {
		for (n = room; n > 0 && text[n] != ' '; n--)
			;
		if (n == 0)
			n = room;
		say("%.*s\n%*s", (int)n, text, column, "");
		text += n + (text[n] == ' ');
	}
	say("%s\n", text);
}

static bool
is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

void
report_start(struct report *r, const struct plan *plan)
{
	char all[DURATION_TEXT], graceful[DURATION_TEXT];
	struct buf scenario = { 0 }, line = { 0 };

	r->plan = plan;
	/* Lines of the next tool of a pipeline would stand in a view that is
	 * drawn again. */
	r->is_redrawn = isatty(STDERR_FILENO) && (!plan->has_output ||
	    (!isatty(STDOUT_FILENO) && !is_pipe(STDOUT_FILENO)));
	r->has_color = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL &&
	    getenv("K6_NO_COLOR") == NULL;
	r->columns = isatty(STDERR_FILENO) ? stderr_columns() : 0;
	r->next_ns = r->is_redrawn ? 0 : 5 * NS_PER_S;
	if (r->is_quiet)
		return;
	(void)duration_print(all, plan->duration_ns + plan->graceful_ns);
	(void)duration_print(graceful, plan->graceful_ns);
	plan->executor->describe(plan, &scenario);
	say("\n     execution: local\n        script: ");
	say_folded(r, 16, plan->name);
	say("        output: %s%s%s\n\n     scenarios: ",
	    plan->has_output ? "ndjson (" : "-",
	    plan->has_output ? plan->output : "",
	    plan->has_output ? ")" : "");
	buf_printf(&line, "(100.00%%) 1 scenario, %d max VUs, "
	    "%s max duration (incl. graceful stop):", plan->max_vus, all);
	say_folded(r, 16, line.p);
	buf_printf(&scenario, "gracefulStop: %s)", graceful);
	say("              * default: ");
	say_folded(r, 25, scenario.p);
	say("\n");
	buf_release(&scenario);
	buf_release(&line);
}

void
report_second(struct report *r, double cpu_percent, int64_t lag_ns)
{
	if (cpu_percent > r->cpu_percent)
		r->cpu_percent = cpu_percent;
	r->n_busy += cpu_percent >= busy_percent;
	if (lag_ns > r->lag_ns)
		r->lag_ns = lag_ns;
}

static double
part_done(const struct plan *plan, const struct progress *p,
    const struct tally *t)
{
	double part = plan->iterations > 0 ?
	    (double)t->complete / (double)plan->iterations :
	    (double)p->elapsed_ns / (double)plan->duration_ns;

	if (p->is_over && !p->is_interrupted)
		return 1;
	return part < 1 ? part : 1;
}

static void
print_line(const struct report *r, const struct progress *p,
    const struct tally *t, struct buf *out)
{
	double seconds = (double)(p->elapsed_ns / 100000000) / 10;

	buf_printf(out, "running (%dm%04.1fs), %0*d/%d VUs, "
	    "%lld complete and %lld interrupted iterations",
	    (int)(seconds / 60), fmod(seconds, 60),
	    snprintf(NULL, 0, "%d", r->plan->max_vus), p->active,
	    r->plan->max_vus, (long long)t->complete,
	    (long long)t->interrupted);
}

/* default ✓ [====>---] 10 VUs  05.0s/30s */
static void
print_bar(const struct report *r, const struct progress *p,
    const struct tally *t, struct buf *out)
{
	double part = part_done(r->plan, p, t);
	int i, full = (int)(part * BAR);
	char limit[DURATION_TEXT];

	buf_printf(out, "default %s [", !p->is_over ? " " :
	    p->is_interrupted ? "✗" : "✓");
	for (i = 0; i < BAR; i++)
		buf_char(out, i < full ? '=' : i == full ? '>' : '-');
	(void)duration_print(limit, r->plan->duration_ns);
	buf_printf(out, "] %3d%%  %d VUs  %04.1fs/%s", (int)(part * 100),
	    p->active, (double)(p->elapsed_ns / 100000000) / 10, limit);
}

/* The last n rates. */
static void
print_spark(const struct report *r, int n, struct buf *out)
{
	static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇",
		"█" };
	double most = 1;
	int i;

	for (i = REPORT_RATES - n; i < REPORT_RATES; i++)
		most = fmax(most, r->rates[i]);
	for (i = REPORT_RATES - n; i < REPORT_RATES; i++)
		buf_text(out, r->rates[i] <= 0 ? " " :
		    bars[(int)(r->rates[i] / most * 7.99)]);
}

/* Columns that text without control bytes takes. */
static int
columns_of(const struct buf *text)
{
	int n = 0;
	size_t i;

	for (i = 0; i < text->n; i++)
		n += ((unsigned char)text->p[i] & 0xc0) != 0x80;
	return n;
}

/* "184 req/s  p50=66µs p95=175.84µs p99=255.24µs" */
static void
print_times(const struct report *r, const struct progress *p,
    const struct tally *t, struct buf *out)
{
	static const enum percentile shown[] = { P50, P95, P99 };
	const struct sink *s = &t->sinks[EMIT_TIMINGS + TIMING_DURATION];
	double rate = r->rates[REPORT_RATES - 1];
	char text[FIGURE_TEXT];
	size_t i;

	if (r->rate_ns == 0 && p->elapsed_ns > 0)
		rate = (double)t->requests * 1e9 / (double)p->elapsed_ns;
	buf_printf(out, "%.0f req/s ", rate);
	for (i = 0; i < 3; i++) {
		figure_duration(text, sink_quantile(s,
		    percentiles[shown[i]].at));
		buf_printf(out, " %s=%s", percentiles[shown[i]].label, text);
	}
}

/* Rates of the last seconds, as many as there is room for; rate, percentiles,
 * failures. */
static void
print_figures(const struct report *r, const struct progress *p,
    const struct tally *t, struct buf *out)
{
	const struct sink *failed = &t->sinks[EMIT_FAILED];
	bool is_red = r->has_color && failed->nonzero > 0;
	struct buf times = { 0 }, failures = { 0 };
	char text[FIGURE_TEXT];
	int room;

	print_times(r, p, t, &times);
	figure_percent(text, (double)failed->nonzero, (double)failed->count);
	buf_printf(&failures, "failed=%llu (%s)",
	    (unsigned long long)failed->nonzero, text);
	room = stderr_columns() - columns_of(&times) -
	    columns_of(&failures) - 3;
	if (room > 0) {
		print_spark(r, room < REPORT_RATES ? room : REPORT_RATES,
		    out);
		buf_char(out, ' ');
	}
	buf_printf(out, "%s  %s%s%s", times.p, is_red ? "\033[31m" : "",
	    failures.p, is_red ? "\033[0m" : "");
	buf_release(&times);
	buf_release(&failures);
}

/* One write, as others of the pipeline use stderr too. */
static void
show_progress(struct report *r, const struct progress *p, const struct tally *t)
{
	struct buf out = { 0 };

	if (!r->is_redrawn) {
		print_line(r, p, t, &out);
		buf_printf(&out, "  [ %3d%% ]\n",
		    (int)(part_done(r->plan, p, t) * 100));
	} else {
		if (r->drawn > 0)
			buf_printf(&out, "\r\033[%dA", r->drawn - 1);
		/* A line that is too long is cut: wrapped, it would be two,
		 * and the next view be drawn below. */
		buf_text(&out, "\033[?7l");
		print_line(r, p, t, &out);
		buf_text(&out, "\033[K\n");
		print_bar(r, p, t, &out);
		buf_text(&out, "\033[K\n");
		print_figures(r, p, t, &out);
		buf_text(&out, "\033[K\033[?7h");
		r->drawn = 3;
	}
	put_symbols(stderr, out.p, out.n);
	(void)fflush(stderr);
	buf_release(&out);
}

static void
note_rate(struct report *r, const struct progress *p, const struct tally *t)
{
	int64_t ns = p->elapsed_ns - r->rate_ns;

	if (ns < NS_PER_S)
		return;
	memmove(r->rates, r->rates + 1, sizeof(r->rates) -
	    sizeof(r->rates[0]));
	r->rates[REPORT_RATES - 1] = (double)(t->requests - r->requests) /
	    ((double)ns / 1e9);
	r->requests = t->requests;
	r->rate_ns = p->elapsed_ns;
}

void
report_progress(struct report *r, const struct progress *p,
    const struct tally *t)
{
	if (r->is_quiet)
		return;
	note_rate(r, p, t);
	if (p->elapsed_ns < r->next_ns)
		return;
	r->next_ns += r->is_redrawn ? 200 * NS_PER_MS : 5 * NS_PER_S;
	show_progress(r, p, t);
}

void
report_stopping(struct report *r)
{
	if (r->drawn > 0)
		(void)fputc('\n', stderr);
	r->drawn = 0;
	if (!r->is_quiet)
		warnf("stopping; a second signal ends k6gen at once");
}

/* What makes the figures those of the generator and not of the server. */
static void
print_taints(const struct report *r, const struct progress *p,
    const struct tally *t, struct buf *out)
{
	char text[DURATION_TEXT];
	const struct sink *dropped = &t->sinks[EMIT_DROPPED];

	if (r->n_busy > 0)
		buf_printf(out, "\n    ! a thread of k6gen used up to %.0f %% "
		    "of a processor, and more than %.0f %% for %d s: times "
		    "may include its own delays\n", r->cpu_percent,
		    busy_percent, r->n_busy);
	if (r->lag_ns >= 10 * NS_PER_MS) {
		(void)duration_print(text, r->lag_ns -
		    r->lag_ns % NS_PER_MS);
		buf_printf(out, "\n    ! k6gen was late by up to %s: times "
		    "may include its own delays\n", text);
	}
	if (p->stalled_ns >= NS_PER_MS) {
		(void)duration_print(text, p->stalled_ns -
		    p->stalled_ns % NS_PER_MS);
		buf_printf(out, "\n    ! the load waited %s for the reader of "
		    "%s\n", text, r->plan->output);
	}
	if (t->unanswered > 0)
		buf_printf(out, "\n    ! %lld request%s had no answer when the "
		    "run ended: counted as failed\n",
		    (long long)t->unanswered, t->unanswered > 1 ? "s" : "");
	if (r->plan->executor->is_open && t->starved > 0)
		buf_printf(out, "\n    ! %lld iteration%s waited for a target: "
		    "stdin is slower than the rate\n", (long long)t->starved,
		    t->starved > 1 ? "s" : "");
	if (r->plan->executor->is_open && dropped->count > 0)
		buf_printf(out, "\n    ! %.0f iteration%s found no free VU "
		    "(--max-vus %d)\n", sink_sum(dropped),
		    sink_sum(dropped) > 1 ? "s" : "", r->plan->max_vus);
}

static int
write_export(const char *path, const struct buf *json, struct why *why)
{
	FILE *f = fopen(path, "we");
	bool is_written = f != NULL && fwrite(json->p, 1, json->n, f) ==
	    json->n;

	if (f != NULL && fclose(f) == 0 && is_written)
		return 0;
	return why_set(why, "%s: %s", path, strerror(errno));
}

/* Without a summary: why the exit status is not 0. */
static void
warn_crossed(const struct report *r, const struct summary *s)
{
	const struct threshold *t;
	size_t i;

	for (i = 0; i < r->plan->n_limits; i++) {
		t = &r->plan->limits[i].threshold;
		if (s->failed[i])
			warnf("threshold %.*s: %.*s was crossed",
			    (int)t->key.text.n, t->key.text.p,
			    (int)t->source.n, t->source.p);
	}
}

int
report_end(struct report *r, const struct progress *p,
    const struct summary *s, struct why *why)
{
	struct buf out = { 0 };
	int status = 0;

	if (!r->is_quiet) {
		show_progress(r, p, s->tally);
		if (r->is_redrawn)
			(void)fputc('\n', stderr);
	}
	if (!r->is_quiet && !r->is_brief) {
		summary_print(s, &out);
		print_taints(r, p, s->tally, &out);
		buf_char(&out, '\n');
		put_symbols(stderr, out.p, out.n);
		buf_reset(&out);
	}
	else
		warn_crossed(r, s);
	if (r->export_path != NULL) {
		summary_export(s, &out);
		status = write_export(r->export_path, &out, why);
	}
	buf_release(&out);
	return status;
}
