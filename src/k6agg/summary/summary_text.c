/* SPDX-License-Identifier: MIT */
/* The summary as text, 80 columns wide: names, and right of them figures in
 * columns. The figures of a trend do not fit beside its name, and are on the
 * next line. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/mem.h"
#include "data/percentile.h"
#include "k6agg/summary/summary.h"

/* A name while it is put together, and the columns that it takes. */
struct label {
	FILE *to;
	char *text;
	size_t n;
};

/* Where to write the name. */
static FILE *
label_begin(struct label *l)
{
	l->text = NULL;
	l->n = 0;
	l->to = open_memstream(&l->text, &l->n);
	if (l->to == NULL)
		dief(EXIT_FAILED, "cannot allocate memory");
	return l->to;
}

/* Write it, and blanks up to the figures, which take so many of the columns; a
 * long name has a line of its own. */
static void
label_end(struct label *l, FILE *out, int figures)
{
	enum { COLUMNS = 80 };
	int room = COLUMNS - figures, width = 0;
	size_t i;

	(void)fclose(l->to);
	for (i = 0; i < l->n; i++)
		width += (l->text[i] & 0xc0) != 0x80;	/* of UTF-8 */
	(void)fwrite(l->text, 1, l->n, out);
	if (width > room) {
		(void)fputc('\n', out);
		width = 0;
	}
	(void)fprintf(out, "%*s", room - width, "");
	free(l->text);
}

/* The title of names. */
static void
put_title(FILE *out, const char *text, int figures)
{
	struct label l;

	(void)fputs(text, label_begin(&l));
	(void)fputc('\n', out);
	label_end(&l, out, figures);
}

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
	else if (fabs(value) < 1e12)
		(void)fprintf(out, "%*.*f", width, decimals_of(value), value);
	else
		(void)fprintf(out, "%*.5e", width, value);
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
	if (size * room >= 99999999.5) {
		(void)fprintf(out, " %8.*e", value < 0 ? 1 : 2, value);
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

/* Eight figures of nine columns. */
enum { TREND_INDENT = 8 };

static void
put_trend_titles(FILE *out)
{
	int i;

	(void)fprintf(out, "\n%*s %8s %8s", TREND_INDENT, "", "min", "avg");
	for (i = 0; i < PERCENTILES; i++)
		(void)fprintf(out, " %8s", percentiles[i].label);
	(void)fprintf(out, " %8s\n", "max");
}

/* The line below a name. */
static void
put_trend(FILE *out, const struct sink *s, bool is_fine)
{
	int i;

	(void)fputc('\n', out);
	if (s->count == 0)
		return;
	(void)fprintf(out, "%*s", TREND_INDENT, "");
	put_cell(out, s->min, is_fine);
	put_cell(out, sink_avg(s), is_fine);
	for (i = 0; i < PERCENTILES; i++)
		put_cell(out, sink_quantile(s, percentiles[i].at), is_fine);
	put_cell(out, s->max, is_fine);
	(void)fputc('\n', out);
}

enum { REQUEST_COLUMNS = 27 };

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
	struct label l;

	if (!all->has_outcome || all->ok.count == all->duration.count)
		return;
	(void)fputs("expected_response:true", label_begin(&l));
	label_end(&l, out, REQUEST_COLUMNS);
	(void)fprintf(out, "%9llu", (unsigned long long)all->ok.count);
	put_trend(out, &all->ok, false);
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
	struct label l;
	size_t i;

	put_title(out, "method status name (times in ms)", REQUEST_COLUMNS);
	(void)fprintf(out, "%9s %8s %8s", "requests", "failed", "per s");
	put_trend_titles(out);
	(void)fputs("all", label_begin(&l));
	label_end(&l, out, REQUEST_COLUMNS);
	put_requests(out, v, &v->all);
	put_ok(out, &v->all);
	for (i = 0; i < rows->n; i++) {
		r = rows->list[i];
		put_word(label_begin(&l), r->method);
		put_word(l.to, r->status);
		print_escaped(l.to, r->name);
		label_end(&l, out, REQUEST_COLUMNS);
		put_requests(out, v, r);
	}
}

static void
print_checks(const struct summary_view *v, FILE *out)
{
	enum { CHECK_COLUMNS = 28 };
	const struct rows *rows = &v->summary->checks;
	const struct check_row *c;
	struct label l;
	size_t i;

	if (rows->n > 0) {
		put_title(out, "check", CHECK_COLUMNS);
		(void)fprintf(out, "%9s %9s %8s\n", "passes", "fails",
		    "passed");
	}
	for (i = 0; i < rows->n; i++) {
		c = rows->list[i];
		put_word(label_begin(&l), c->group);
		if (c->group[0] != '\0')
			put_symbols(l.to, "› ", strlen("› "));
		print_escaped(l.to, c->name);
		label_end(&l, out, CHECK_COLUMNS);
		(void)fprintf(out, "%9llu %9llu %7.2f%%\n",
		    (unsigned long long)c->passes.nonzero,
		    (unsigned long long)(c->passes.count - c->passes.nonzero),
		    summary_part(&c->passes) * 100);
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

static const int metric_columns[] = {
	[METRIC_COUNTER] = 30, [METRIC_GAUGE] = 45, [METRIC_RATE] = 45,
	[METRIC_TREND] = 9,
};

static void
put_figures(FILE *out, const struct summary_view *v,
    const struct metric_row *m)
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
		(void)fputc('\n', out);
		break;
	case METRIC_GAUGE:
		put_number(out, 15, s->last);
		(void)fputc(' ', out);
		put_number(out, 14, s->min);
		(void)fputc(' ', out);
		put_number(out, 14, s->max);
		(void)fputc('\n', out);
		break;
	case METRIC_RATE:
		(void)fprintf(out, "%14.2f%% %14llu %14llu\n",
		    summary_part(s) * 100, (unsigned long long)s->nonzero,
		    (unsigned long long)s->count);
		break;
	}
}

static void
put_metric(FILE *out, const struct summary_view *v, const struct metric_row *m)
{
	struct label l;

	print_escaped(label_begin(&l), m->name);
	if (m->sink.type == METRIC_TREND && m->contains == CONTAINS_TIME)
		(void)fputs(" (ms)", l.to);
	if (m->contains == CONTAINS_DATA)
		(void)fputs(" (bytes)", l.to);
	label_end(&l, out, metric_columns[m->sink.type]);
	put_figures(out, v, m);
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

	put_title(out, metric_type_name(type), metric_columns[type]);
	if (type == METRIC_TREND) {
		(void)fprintf(out, "%9s", "values");
		put_trend_titles(out);
		return;
	}
	for (i = 0; i < 3 && titles[type][i] != NULL; i++)
		(void)fprintf(out, "%s%*s", i > 0 ? " " : "", i > 0 ? 14 : 15,
		    titles[type][i]);
	(void)fputc('\n', out);
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
	enum { THRESHOLD_COLUMNS = 24 };
	const struct judge *j = v->judge;
	const struct verdict *verdict;
	struct buf text = { 0 };
	struct label l;
	size_t i;

	if (j->n > 0) {
		put_title(out, "threshold", THRESHOLD_COLUMNS);
		(void)fprintf(out, "%15s\n", "value");
	}
	for (i = 0; i < j->n; i++) {
		verdict = j->list[i];
		buf_reset(&text);
		buf_span(&text, verdict->threshold.key.text);
		buf_text(&text, ": ");
		buf_span(&text, verdict->threshold.source);
		print_escaped(label_begin(&l), text.p);
		if (!judge_has_samples(verdict))
			(void)fputs(" (no samples)", l.to);
		label_end(&l, out, THRESHOLD_COLUMNS);
		put_number(out, 15, judge_has_samples(verdict)
		    ? judge_measure(verdict, v->seconds) : (double)NAN);
		(void)fprintf(out, " %8s\n", verdict->is_failed ? "crossed"
		    : "ok");
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
