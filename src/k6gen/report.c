/* SPDX-License-Identifier: MIT */
#include "k6gen/report.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/die.h"
#include "base/units.h"

enum {
	TREND_STATS = 6,
	CELL = 64,		/* bytes of a figure's text */
	NAME_WIDTH = 31,	/* of a metric with its dots, as in k6 */
};

/* One line of the summary before it is set in columns. */
struct row {
	const char *name;
	int indent;
	bool is_trend;
	char cells[TREND_STATS][CELL];	/* else two: the value, the rest */
};

/* Columns that a terminal needs for UTF-8 text. */
static int
width_of(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* 117.55ms: cut, not rounded, to two decimals of the unit. */
static void
print_duration(char text[CELL], double ms)
{
	int64_t ns = (int64_t)(ms * 1e6), unit = NS_PER_S;

	if (ns < NS_PER_US)
		unit = 100;
	else if (ns < NS_PER_MS)
		unit = NS_PER_US;
	else if (ns < NS_PER_S)
		unit = NS_PER_MS;
	(void)duration_print(text, ns - ns % (unit / 100));
}

/* 76 kB, 4.8 kB: decimal units, one decimal below ten. */
static void
print_bytes(char text[CELL], double bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB",
		"PB", "EB" };
	size_t u = 0;

	if (bytes < 10) {
		(void)snprintf(text, CELL, "%.0f B", floor(bytes));
		return;
	}
	while (bytes >= 1000 && u + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1000;
		u++;
	}
	bytes = floor(bytes * 10 + 0.5) / 10;
	(void)snprintf(text, CELL, bytes < 10 ? "%.1f %s" : "%.0f %s", bytes,
	    units[u]);
}

/* At most six decimals, no trailing zeros. */
static void
print_number(char text[CELL], double value)
{
	char *end = text + snprintf(text, CELL, "%.6f", value);

	while (end[-1] == '0')
		*--end = '\0';
	if (end[-1] == '.')
		end[-1] = '\0';
}

static struct row
trend_row(const char *name, const struct sink *s)
{
	static const char *const labels[TREND_STATS] = { "avg", "min", "med",
		"max", "p(90)", "p(95)" };
	double values[TREND_STATS] = { sink_avg(s), s->min,
		sink_quantile(s, 0.5), s->max, sink_quantile(s, 0.9),
		sink_quantile(s, 0.95) };
	struct row row = { .name = name, .is_trend = true };
	char text[CELL];
	int i;

	for (i = 0; i < TREND_STATS; i++) {
		print_duration(text, values[i]);
		(void)snprintf(row.cells[i], CELL, "%s=%.40s", labels[i],
		    text);
	}
	return row;
}

/* A sum and its rate, both as `print` writes them. */
static struct row
counter_row(const char *name, const struct sink *s, double seconds,
    void (*print)(char text[CELL], double value))
{
	struct row row = { .name = name };
	char rate[CELL];

	print(row.cells[0], s->sum);
	print(rate, seconds > 0 ? s->sum / seconds : 0);
	(void)snprintf(row.cells[1], CELL, "%.40s/s", rate);
	return row;
}

static struct row
rate_row(const char *name, const struct sink *s)
{
	struct row row = { .name = name };
	double rate = s->count > 0 ? (double)s->nonzero / (double)s->count : 0;

	(void)snprintf(row.cells[0], CELL, "%.2f%%",
	    floor(rate * 10000) / 100);
	(void)snprintf(row.cells[1], CELL, "%llu out of %llu",
	    (unsigned long long)s->nonzero, (unsigned long long)s->count);
	return row;
}

static struct row
gauge_row(const char *name, const struct sink *s)
{
	struct row row = { .name = name };

	print_number(row.cells[0], s->last);
	(void)snprintf(row.cells[1], CELL, "min=%.0f max=%.0f", s->min,
	    s->max);
	return row;
}

/* A summary's lines. */
struct table {
	struct row rows[10];
	int n;
	int widths[TREND_STATS];	/* of the trends' columns */
	int value_width;		/* of the others' first column */
};

static void
add_row(struct table *t, struct row row)
{
	int i, width;

	for (i = 0; i < TREND_STATS; i++) {
		width = width_of(row.cells[i]);
		if (row.is_trend && width > t->widths[i])
			t->widths[i] = width;
	}
	width = width_of(row.cells[0]);
	if (!row.is_trend && width > t->value_width)
		t->value_width = width;
	t->rows[t->n++] = row;
}

static void
print_cell(struct buf *out, const char *text, int width)
{
	buf_text(out, text);
	for (width -= width_of(text); width > 0; width--)
		buf_char(out, ' ');
}

static void
print_row(struct buf *out, const struct table *t, const struct row *row)
{
	int dots = NAME_WIDTH - row->indent - width_of(row->name), i;

	buf_printf(out, "    %*s%s", row->indent, "", row->name);
	while (dots-- > 0)
		buf_char(out, '.');
	buf_text(out, ":");
	for (i = 0; row->is_trend && i < TREND_STATS; i++) {
		buf_char(out, ' ');
		print_cell(out, row->cells[i], i + 1 < TREND_STATS ?
		    t->widths[i] : 0);
	}
	if (!row->is_trend) {
		buf_char(out, ' ');
		print_cell(out, row->cells[0], t->value_width);
		buf_printf(out, " %s", row->cells[1]);
	}
	buf_char(out, '\n');
}

static void
print_rows(struct buf *out, const struct table *t, const char *title, int from)
{
	int i;

	buf_printf(out, "\n    %s\n", title);
	for (i = from; i < t->n; i++)
		print_row(out, t, &t->rows[i]);
}

static void
print_summary(const struct emit *e, double seconds)
{
	const struct sink *s = e->sinks;
	struct table t = { .n = 0 }, part;
	struct buf out = { 0 };
	struct row row;
	int http, execution;

	add_row(&t, trend_row("http_req_duration",
	    &s[EMIT_TIMINGS + TIMING_DURATION]));
	if (e->expected.count > 0) {
		row = trend_row("{ expected_response:true }", &e->expected);
		row.indent = 2;
		add_row(&t, row);
	}
	add_row(&t, rate_row("http_req_failed", &s[EMIT_FAILED]));
	add_row(&t, counter_row("http_reqs", &s[EMIT_REQS], seconds,
	    print_number));
	http = t.n;
	if (s[EMIT_ITERATIONS].count > 0) {
		add_row(&t, trend_row("iteration_duration",
		    &s[EMIT_ITERATION_DURATION]));
		add_row(&t, counter_row("iterations", &s[EMIT_ITERATIONS],
		    seconds, print_number));
	}
	if (s[EMIT_VUS].count > 0) {
		add_row(&t, gauge_row("vus", &s[EMIT_VUS]));
		add_row(&t, gauge_row("vus_max", &s[EMIT_VUS_MAX]));
	}
	execution = t.n;
	add_row(&t, counter_row("data_received", &s[EMIT_RECEIVED], seconds,
	    print_bytes));
	add_row(&t, counter_row("data_sent", &s[EMIT_SENT], seconds,
	    print_bytes));

	buf_text(&out, "\n  █ TOTAL RESULTS\n");
	part = t;
	part.n = http;
	print_rows(&out, &part, "HTTP", 0);
	part.n = execution;
	if (execution > http)
		print_rows(&out, &part, "EXECUTION", http);
	print_rows(&out, &t, "NETWORK", execution);
	say("%s\n", out.p);
	buf_release(&out);
}

/* "10 looping VUs for 30s (gracefulStop: 30s)" */
static void
describe(const struct plan *p, struct buf *out)
{
	char limit[DURATION_TEXT], graceful[DURATION_TEXT];

	(void)duration_print(limit, p->duration_ns);
	(void)duration_print(graceful, p->graceful_ns);
	if (p->executor == CONSTANT_VUS)
		buf_printf(out, "%d looping VUs for %s (", p->vus, limit);
	else if (p->executor == SHARED_ITERATIONS)
		buf_printf(out, "%lld iterations shared among %d VUs "
		    "(maxDuration: %s, ", (long long)p->iterations, p->vus,
		    limit);
	else
		buf_printf(out, "%lld iterations for each of %d VUs "
		    "(maxDuration: %s, ", (long long)p->iterations / p->vus,
		    p->vus, limit);
	buf_printf(out, "gracefulStop: %s)", graceful);
}

void
report_start(struct report *r, const struct plan *plan)
{
	char all[DURATION_TEXT];
	struct buf scenario = { 0 };

	r->plan = plan;
	r->is_redrawn = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
	r->next_ns = r->is_redrawn ? 0 : 5 * NS_PER_S;
	if (r->is_quiet)
		return;
	(void)duration_print(all, plan->duration_ns + plan->graceful_ns);
	describe(plan, &scenario);
	say("\n     execution: local\n        script: %s\n"
	    "        output: ndjson (stdout)\n\n"
	    "     scenarios: (100.00%%) 1 scenario, %d max VUs, "
	    "%s max duration (incl. graceful stop):\n"
	    "              * default: %s\n\n",
	    plan->name, plan->vus, all, scenario.p);
	buf_release(&scenario);
}

static int
percent_done(const struct plan *plan, const struct progress *p)
{
	double part = plan->iterations > 0 ?
	    (double)p->complete / (double)plan->iterations :
	    (double)p->elapsed_ns / (double)plan->duration_ns;

	return part < 1 ? (int)(part * 100) : 100;
}

static void
show(const struct report *r, const struct progress *p)
{
	double seconds = (double)(p->elapsed_ns / 100000000) / 10;
	char line[192];

	(void)snprintf(line, sizeof(line), "running (%dm%04.1fs), %d/%d VUs, "
	    "%lld complete and %lld interrupted iterations  [ %3d%% ]",
	    (int)(seconds / 60), fmod(seconds, 60), p->active, r->plan->vus,
	    (long long)p->complete, (long long)p->interrupted,
	    percent_done(r->plan, p));
	/* One write a line, as others of the pipeline use stderr too. */
	if (r->is_redrawn)
		(void)fprintf(stderr, "\r%s\033[K", line);
	else
		(void)fprintf(stderr, "%s\n", line);
}

void
report_progress(struct report *r, const struct progress *p)
{
	if (r->is_quiet || p->elapsed_ns < r->next_ns)
		return;
	r->next_ns += (r->is_redrawn ? 1 : 5) * NS_PER_S;
	show(r, p);
}

void
report_stopping(struct report *r)
{
	if (r->is_redrawn && !r->is_quiet)
		(void)fputc('\n', stderr);
	if (!r->is_quiet)
		warnf("stopping; once more to end at once");
}

void
report_end(struct report *r, const struct progress *p, const struct emit *e)
{
	if (r->is_quiet)
		return;
	show(r, p);
	if (r->is_redrawn)
		(void)fputc('\n', stderr);
	if (!r->is_brief)
		print_summary(e, (double)p->elapsed_ns / 1e9);
}
