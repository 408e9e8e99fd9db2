/* SPDX-License-Identifier: MIT */
/* The summary as text: the figures in columns, the names behind them. */
#include <math.h>

#include "base/die.h"
#include "data/percentile.h"
#include "k6agg/summary/summary.h"

/* Two decimals, unless they would show a small value as 0. */
static int
decimals_of(double value)
{
	double size = fabs(value);

	return size == 0 || size >= 0.005 ? 2 : size >= 0.0001 ? 5 : 8;
}

/* A whole number, or else decimals; what is not known is a dash. */
static void
put_number(FILE *out, int width, double value)
{
	if (!isfinite(value))
		(void)fprintf(out, "%*s", width, "-");
	else if (fabs(value) < 1e15 && value == (double)(int64_t)value)
		(void)fprintf(out, "%*lld", width, (long long)value);
	else
		(void)fprintf(out, "%*.*f", width, decimals_of(value), value);
}

/* Two decimals in eight places and a blank; of large figures fewer, of small
 * ones more, if they are fine: no times. */
static void
put_cell(FILE *out, double value, bool is_fine)
{
	double size = fabs(value), room = value < 0 ? 10 : 1;
	int decimals = 2;

	if (!isfinite(value)) {
		(void)fprintf(out, " %8s", "-");
		return;
	}
	if (size * room >= 999999.95)
		decimals = 0;
	else if (size * room >= 99999.995)
		decimals = 1;
	else if (size != 0 && size < (is_fine ? 1 : 0.005))
		decimals = size >= (is_fine ? 0.01 : 0.001) ? 4 : 6;
	(void)fprintf(out, " %8.*f", decimals, value);
}

static void
put_trend_titles(FILE *out)
{
	int i;

	(void)fprintf(out, " %8s %8s", "min", "avg");
	for (i = 0; i < PERCENTILES; i++)
		(void)fprintf(out, " %8s", percentiles[i].label);
	(void)fprintf(out, " %8s  ", "max");
}

static void
put_trend(FILE *out, const struct sink *s, bool is_fine)
{
	int i;

	if (s->count == 0) {
		(void)fprintf(out, "%*s", 9 * (PERCENTILES + 3) + 2, "");
		return;
	}
	put_cell(out, s->min, is_fine);
	put_cell(out, sink_avg(s), is_fine);
	for (i = 0; i < PERCENTILES; i++)
		put_cell(out, sink_quantile(s, percentiles[i].at), is_fine);
	put_cell(out, s->max, is_fine);
	(void)fputs("  ", out);
}

static void
put_requests(FILE *out, const struct summary_view *v,
    const struct request_row *r)
{
	put_number(out, 9, sink_sum(&r->reqs));
	if (r->failed.count == 0)
		(void)fprintf(out, " %8s", "-");
	else
		(void)fprintf(out, " %7.2f%%", summary_part(&r->failed) *
		    100);
	put_cell(out, summary_rate(v, sink_sum(&r->reqs)), false);
	put_trend(out, &r->duration, false);
}

/* Failed requests are often fast, or wait for a timeout: what the others took
 * stands below all. */
static void
put_ok(FILE *out, const struct request_row *all)
{
	if (!all->has_outcome || all->ok.count == all->duration.count)
		return;
	(void)fprintf(out, "%9llu %8s %8s", (unsigned long long)all->ok.count,
	    "", "");
	put_trend(out, &all->ok, false);
	(void)fputs("expected_response:true\n", out);
}

/* A text and a space behind it; nothing for "". */
static void
put_word(FILE *out, const char *text)
{
	if (text[0] == '\0')
		return;
	print_escaped(out, text);
	(void)fputc(' ', out);
}

static void
print_requests(const struct summary_view *v, FILE *out)
{
	const struct rows *rows = &v->summary->requests;
	const struct request_row *r;
	size_t i;

	(void)fprintf(out, "\n%9s %8s %8s", "requests", "failed", "per s");
	put_trend_titles(out);
	(void)fputs("method status name (times in ms)\n", out);
	put_requests(out, v, &v->all);
	(void)fputs("all\n", out);
	put_ok(out, &v->all);
	for (i = 0; i < rows->n; i++) {
		r = rows->list[i];
		put_requests(out, v, r);
		put_word(out, r->method);
		put_word(out, r->status);
		print_escaped(out, r->name);
		(void)fputc('\n', out);
	}
}

static void
print_checks(const struct summary_view *v, FILE *out)
{
	const struct rows *rows = &v->summary->checks;
	const struct check_row *c;
	size_t i;

	if (rows->n > 0)
		(void)fprintf(out, "\n%9s %9s %8s  check\n", "passes", "fails",
		    "passed");
	for (i = 0; i < rows->n; i++) {
		c = rows->list[i];
		(void)fprintf(out, "%9llu %9llu %7.2f%%  ",
		    (unsigned long long)c->passes.nonzero,
		    (unsigned long long)(c->passes.count - c->passes.nonzero),
		    summary_part(&c->passes) * 100);
		put_word(out, c->group);
		if (c->group[0] != '\0')
			(void)fputs("› ", out);
		print_escaped(out, c->name);
		(void)fputc('\n', out);
	}
}

static void
put_rate(FILE *out, double rate)
{
	if (isfinite(rate))
		(void)fprintf(out, "%14.*f", decimals_of(rate), rate);
	else
		(void)fprintf(out, "%14s", "-");
}

static void
put_metric(FILE *out, const struct summary_view *v, const struct metric_row *m)
{
	const struct sink *s = &m->sink;

	switch (s->type) {
	case METRIC_TREND:
		(void)fprintf(out, "%9llu", (unsigned long long)s->count);
		put_trend(out, s, m->contains != CONTAINS_TIME);
		break;
	case METRIC_COUNTER:
		put_number(out, 15, sink_sum(s));
		(void)fputc(' ', out);
		put_rate(out, summary_rate(v, sink_sum(s)));
		(void)fputs("  ", out);
		break;
	case METRIC_GAUGE:
		put_number(out, 15, s->last);
		(void)fputc(' ', out);
		put_number(out, 14, s->min);
		(void)fputc(' ', out);
		put_number(out, 14, s->max);
		(void)fputs("  ", out);
		break;
	case METRIC_RATE:
		(void)fprintf(out, "%14.2f%% %14llu %14llu  ",
		    summary_part(s) * 100, (unsigned long long)s->nonzero,
		    (unsigned long long)s->count);
		break;
	}
	print_escaped(out, m->name);
	if (s->type == METRIC_TREND && m->contains == CONTAINS_TIME)
		(void)fputs(" (ms)", out);
	(void)fputs(m->contains == CONTAINS_DATA ? " (bytes)\n" : "\n", out);
}

static void
put_titles(FILE *out, enum metric_type type)
{
	static const char *const titles[][3] = {
		[METRIC_COUNTER] = { "sum", "per s" },
		[METRIC_GAUGE] = { "last", "min", "max" },
		[METRIC_RATE] = { "rate", "not 0", "of" },
	};
	int i;

	if (type == METRIC_TREND) {
		(void)fprintf(out, "\n%9s", "values");
		put_trend_titles(out);
		(void)fputs("trend\n", out);
		return;
	}
	(void)fputc('\n', out);
	for (i = 0; i < 3 && titles[type][i] != NULL; i++)
		(void)fprintf(out, "%s%*s", i > 0 ? " " : "", i > 0 ? 14 : 15,
		    titles[type][i]);
	(void)fprintf(out, "  %s\n", metric_type_name(type));
}

/* The metrics of one type. */
static void
print_metrics(const struct summary_view *v, enum metric_type type, FILE *out)
{
	const struct rows *rows = &v->summary->metrics;
	const struct metric_row *m;
	bool has_titles = false;
	size_t i;

	for (i = 0; i < rows->n; i++) {
		m = rows->list[i];
		if (m->sink.type != type)
			continue;
		if (!has_titles)
			put_titles(out, type);
		has_titles = true;
		put_metric(out, v, m);
	}
}

static void
print_thresholds(const struct summary_view *v, FILE *out)
{
	const struct judge *j = v->judge;
	const struct verdict *verdict;
	struct buf text = { 0 };
	size_t i;

	if (j->n > 0)
		(void)fprintf(out, "\n%9s %14s  threshold\n", "", "value");
	for (i = 0; i < j->n; i++) {
		verdict = j->list[i];
		(void)fprintf(out, "%9s ", verdict->is_failed ? "crossed"
		    : "ok");
		put_number(out, 14, judge_has_samples(verdict)
		    ? judge_measure(verdict, v->seconds) : (double)NAN);
		buf_reset(&text);
		buf_span(&text, verdict->threshold.key.text);
		buf_text(&text, ": ");
		buf_span(&text, verdict->threshold.source);
		(void)fputs("  ", out);
		print_escaped(out, text.p);
		(void)fputs(judge_has_samples(verdict) ? "\n"
		    : " (no samples)\n", out);
	}
	buf_release(&text);
}

static void
print_head(const struct summary_view *v, FILE *out)
{
	const struct request_row *all = &v->all;
	double count = sink_sum(&all->reqs);

	put_number(out, 0, count);
	(void)fprintf(out, " requests in %.1f s (", v->seconds);
	if (v->seconds > 0)
		(void)fprintf(out, "%.2f per s), ", count / v->seconds);
	else
		(void)fputs("no rate), ", out);
	if (all->failed.count == 0 && count > 0)
		(void)fputs("failures not known\n", out);
	else if (!summary_knows_failed(all))
		(void)fprintf(out, "%llu failed of %llu known (%.2f%%)\n",
		    (unsigned long long)all->failed.nonzero,
		    (unsigned long long)all->failed.count,
		    summary_part(&all->failed) * 100);
	else
		(void)fprintf(out, "%llu failed (%.2f%%)\n",
		    (unsigned long long)all->failed.nonzero,
		    all->failed.count > 0 ? summary_part(&all->failed) * 100
		    : 0);
	if (v->state != NULL)
		(void)fprintf(out, "the stream: %s\n", v->state);
}

void
summary_print_text(const struct summary_view *v, FILE *out)
{
	const struct summary *s = v->summary;

	if (!s->has_points && !s->has_aggregates) {
		(void)fputs("no samples\n", out);
		return;
	}
	print_head(v, out);
	print_thresholds(v, out);
	if (s->requests.n > 0)
		print_requests(v, out);
	print_metrics(v, METRIC_TREND, out);
	print_checks(v, out);
	print_metrics(v, METRIC_COUNTER, out);
	print_metrics(v, METRIC_RATE, out);
	print_metrics(v, METRIC_GAUGE, out);
}
