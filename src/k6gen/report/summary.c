/* SPDX-License-Identifier: MIT */
/* The summary at the end, in k6's columns. */
#include "k6gen/report/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "k6gen/report/summary_figures.h"
#include "k6gen/report/summary_histogram.h"
#include "k6gen/report/summary_requests.h"

enum {
	NAME_WIDTH = 31,	/* of a metric with its dots, as in k6 */
	CHECK_WIDTH = 19,
};

/* One line before it is set in columns. */
struct row {
	char *name;		/* owned */
	int indent;
	bool is_trend;
	char cells[MOST_STATS][FIGURE_TEXT];	/* else two */
};

struct table {
	const struct plan *plan;
	struct row *rows;
	size_t n, cap;
	int widths[MOST_STATS];	/* of the trends' columns */
	int value_width;	/* of the others' first column */
	int columns;		/* no line is longer; 0: any length */
};

static struct row *
add_row(struct table *t, const char *name)
{
	struct row *row;

	t->rows = xgrow(t->rows, t->n, &t->cap, sizeof(*t->rows));
	row = &t->rows[t->n++];
	*row = (struct row){ .name = xstrdup(name) };
	return row;
}

static void
fill_trend(const struct plan *plan, struct row *row, const struct sink *s,
    bool is_time)
{
	char text[FIGURE_TEXT];
	double value;
	size_t i;

	row->is_trend = true;
	for (i = 0; i < plan->n_stats; i++) {
		value = threshold_stat(s, plan->stats[i].method,
		    plan->stats[i].percentile);
		if (is_time && plan->stats[i].method != THRESHOLD_COUNT)
			figure_duration(text, value);
		else
			figure_number(text, value);
		(void)snprintf(row->cells[i], FIGURE_TEXT, "%.24s=%.36s",
		    plan->stats[i].name, text);
	}
}

static void
fill_counter(struct row *row, const struct sink *s, double seconds,
    bool is_data)
{
	void (*print)(char *, double) = is_data ? figure_bytes :
	    figure_number;
	char rate[FIGURE_TEXT];

	print(row->cells[0], sink_sum(s));
	print(rate, seconds > 0 ? sink_sum(s) / seconds : 0);
	(void)snprintf(row->cells[1], FIGURE_TEXT, "%.40s/s", rate);
}

static void
fill_rate(struct row *row, const struct sink *s)
{
	figure_percent(row->cells[0], (double)s->nonzero, (double)s->count);
	(void)snprintf(row->cells[1], FIGURE_TEXT, "%llu out of %llu",
	    (unsigned long long)s->nonzero, (unsigned long long)s->count);
}

static void
fill_gauge(struct row *row, const struct sink *s, bool is_time)
{
	void (*print)(char *, double) = is_time ? figure_duration :
	    figure_number;
	char min[FIGURE_TEXT], max[FIGURE_TEXT];

	print(row->cells[0], s->last);
	print(min, s->min);
	print(max, s->max);
	(void)snprintf(row->cells[1], FIGURE_TEXT, "min=%.24s max=%.24s",
	    min, max);
}

static void
fill(const struct summary *s, struct row *row, enum emitted which,
    const struct sink *sink)
{
	const struct metric *m = plan_metric(which);

	switch (m->type) {
	case METRIC_TREND:
		fill_trend(s->tally->plan, row, sink,
		    m->contains == CONTAINS_TIME);
		break;
	case METRIC_COUNTER:
		fill_counter(row, sink, s->seconds,
		    m->contains == CONTAINS_DATA);
		break;
	case METRIC_RATE:
		fill_rate(row, sink);
		break;
	case METRIC_GAUGE:
		fill_gauge(row, sink, m->contains == CONTAINS_TIME);
		break;
	}
}

/* A metric, and below it its submetrics. */
static void
add_metric(const struct summary *s, struct table *t, enum emitted which)
{
	const struct plan *plan = s->tally->plan;
	struct row *row;
	char *name;
	size_t i;

	if (s->tally->sinks[which].count == 0)
		return;
	row = add_row(t, plan_metric(which)->name.p);
	fill(s, row, which, &s->tally->sinks[which]);
	for (i = 0; i < plan->n_submetrics; i++) {
		if (plan->submetrics[i].metric != which ||
		    s->tally->subs[i].count == 0)
			continue;
		name = xasprintf("{ %.*s }",
		    (int)plan->submetrics[i].key.suffix.n,
		    plan->submetrics[i].key.suffix.p);
		row = add_row(t, name);
		row->indent = 2;
		fill(s, row, which, &s->tally->subs[i]);
		free(name);
	}
}

static void
measure(struct table *t)
{
	size_t i, j;
	int width;

	for (i = 0; i < t->n; i++) {
		for (j = 0; j < MOST_STATS && t->rows[i].is_trend; j++) {
			width = figure_width(t->rows[i].cells[j]);
			if (width > t->widths[j])
				t->widths[j] = width;
		}
		width = figure_width(t->rows[i].cells[0]);
		if (!t->rows[i].is_trend && width > t->value_width)
			t->value_width = width;
	}
}

static void
print_cell(struct buf *out, const char *text, int width)
{
	buf_text(out, text);
	for (width -= figure_width(text); width > 0; width--)
		buf_char(out, ' ');
}

/* The columns of a trend: what does not fit goes on in the next line. */
static void
print_trend(struct buf *out, const struct table *t, const struct row *row,
    int at)
{
	size_t i, n = t->plan->n_stats;
	int column = at;

	for (i = 0; i < n; i++) {
		if (t->columns > 0 && column > at &&
		    column + 1 + t->widths[i] > t->columns) {
			buf_printf(out, "\n%*s", at, "");
			column = at;
		}
		buf_char(out, ' ');
		print_cell(out, row->cells[i], i + 1 < n ? t->widths[i] : 0);
		column += 1 + t->widths[i];
	}
}

static void
print_row(struct buf *out, const struct table *t, const struct row *row,
    int name_width)
{
	int dots = name_width - row->indent - figure_width(row->name);

	buf_printf(out, "    %*s%s", row->indent, "", row->name);
	while (dots-- > 0)
		buf_char(out, '.');
	buf_text(out, ":");
	if (row->is_trend) {
		print_trend(out, t, row, 4 + name_width + 1);
	} else {
		buf_char(out, ' ');
		print_cell(out, row->cells[0], t->value_width);
		buf_printf(out, " %s", row->cells[1]);
	}
	buf_char(out, '\n');
}

static void
print_rows(struct buf *out, const struct table *t, const char *title,
    size_t from, size_t to)
{
	size_t i;

	if (from == to)
		return;
	buf_printf(out, "\n    %s\n", title);
	for (i = from; i < to; i++)
		print_row(out, t, &t->rows[i], NAME_WIDTH);
}

static void
release_table(struct table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->rows[i].name);
	free(t->rows);
}

static const char *
mark(const struct summary *s, bool is_good)
{
	if (!s->has_color)
		return is_good ? "✓" : "✗";
	return is_good ? "\033[32m✓\033[0m" : "\033[31m✗\033[0m";
}

/* "p(95)=148.21ms": what came of an assertion's left side. */
static void
print_measure(const struct summary *s, const struct limit *l,
    struct buf *out)
{
	const struct metric *m = plan_metric(l->metric);
	const struct threshold *t = &l->threshold;
	const struct sink *sink = tally_sink(s->tally, l);
	double value = threshold_measure(t, sink, s->seconds);
	size_t n = strcspn(t->source.p, " <>=!");
	char text[FIGURE_TEXT];

	if (m->type == METRIC_RATE)
		figure_percent(text, value, 1);
	else if (m->type != METRIC_COUNTER && m->contains == CONTAINS_TIME)
		figure_duration(text, value);
	else
		figure_number(text, value);
	buf_printf(out, "%.*s=%s\n", (int)n, t->source.p,
	    sink->count > 0 ? text : "none");
}

static void
print_thresholds(const struct summary *s, struct buf *out)
{
	const struct plan *plan = s->tally->plan;
	const struct threshold *t;
	struct span key = { "", 0 };
	size_t i;

	if (plan->n_limits == 0)
		return;
	buf_text(out, "\n  █ THRESHOLDS\n");
	for (i = 0; i < plan->n_limits; i++) {
		t = &plan->limits[i].threshold;
		if (!span_equal(key, t->key.text))
			buf_printf(out, "\n    %.*s\n", (int)t->key.text.n,
			    t->key.text.p);
		key = t->key.text;
		buf_printf(out, "    %s '%.*s' ", mark(s, !s->failed[i]),
		    (int)t->source.n, t->source.p);
		print_measure(s, &plan->limits[i], out);
	}
}

static void
print_checks(const struct summary *s, struct buf *out)
{
	const struct plan *plan = s->tally->plan;
	const struct sink *checks = &s->tally->sinks[EMIT_CHECKS];
	struct sink failed = *checks, total = *checks;
	struct table t = { .plan = plan };
	const struct check_count *c;
	size_t i;

	if (checks->count == 0)
		return;
	failed.nonzero = checks->count - checks->nonzero;
	total.sum = total_of((double)checks->count);
	fill_counter(add_row(&t, "checks_total"), &total, s->seconds, false);
	fill_rate(add_row(&t, "checks_succeeded"), checks);
	fill_rate(add_row(&t, "checks_failed"), &failed);
	measure(&t);
	buf_char(out, '\n');
	for (i = 0; i < t.n; i++)
		print_row(out, &t, &t.rows[i], CHECK_WIDTH);
	release_table(&t);
	buf_char(out, '\n');
	for (i = 0; i < plan->n_checks; i++) {
		c = &s->tally->checks[i];
		buf_printf(out, "    %s %s\n", mark(s, c->fails == 0),
		    plan->checks[i].name);
		if (c->fails > 0)
			buf_printf(out, "      ↳  %lld%% — ✓ %lld / ✗ %lld\n",
			    (long long)(100 * c->passes /
			    (c->passes + c->fails)), (long long)c->passes,
			    (long long)c->fails);
	}
}

void
summary_print(const struct summary *s, struct buf *out)
{
	static const enum emitted execution[] = { EMIT_DROPPED,
		EMIT_ITERATION_DURATION, EMIT_ITERATIONS, EMIT_SCHEDULE_LAG,
		EMIT_VUS, EMIT_VUS_MAX };
	struct table t = { .plan = s->tally->plan, .columns = s->columns };
	size_t i, http, network;

	print_thresholds(s, out);
	buf_text(out, "\n  █ TOTAL RESULTS\n");
	print_checks(s, out);
	add_metric(s, &t, EMIT_TIMINGS + TIMING_DURATION);
	/* The others only where a threshold shows that they matter. */
	for (i = 0; i < t.plan->n_limits; i++)
		if (t.plan->limits[i].metric > EMIT_TIMINGS &&
		    t.plan->limits[i].metric < EMIT_FAILED)
			add_metric(s, &t, t.plan->limits[i].metric);
	add_metric(s, &t, EMIT_FAILED);
	add_metric(s, &t, EMIT_REQS);
	http = t.n;
	for (i = 0; i < sizeof(execution) / sizeof(execution[0]); i++)
		add_metric(s, &t, execution[i]);
	network = t.n;
	add_metric(s, &t, EMIT_RECEIVED);
	add_metric(s, &t, EMIT_SENT);
	measure(&t);
	print_rows(out, &t, "HTTP", 0, http);
	print_rows(out, &t, "EXECUTION", http, network);
	print_rows(out, &t, "NETWORK", network, t.n);
	release_table(&t);
	summary_print_requests(s, out);
	if (s->has_histogram)
		summary_print_histogram(&s->tally->sinks[EMIT_TIMINGS +
		    TIMING_DURATION], out);
}
