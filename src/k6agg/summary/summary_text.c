/* SPDX-License-Identifier: MIT */
/* The summary as text: the figures in columns, the names behind them. */
#include "base/die.h"
#include "data/percentile.h"
#include "k6agg/summary/summary.h"

/* A whole number, or else two decimals. */
static void
put_number(FILE *out, int width, double value)
{
	if (value == (double)(int64_t)value && value < 1e15 && value > -1e15)
		(void)fprintf(out, "%*lld", width, (long long)value);
	else
		(void)fprintf(out, "%*.2f", width, value);
}

/* Two decimals in eight places and a blank; larger figures by their size. */
static void
put_cell(FILE *out, double value)
{
	(void)fprintf(out, value > -1e4 && value < 99999.995 ? " %8.2f"
	    : " %8.3g", value);
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
put_trend(FILE *out, const struct sink *s)
{
	int i;

	if (s->count == 0) {
		(void)fprintf(out, "%*s", 9 * (PERCENTILES + 3) + 2, "");
		return;
	}
	put_cell(out, s->min);
	put_cell(out, sink_avg(s));
	for (i = 0; i < PERCENTILES; i++)
		put_cell(out, sink_quantile(s, percentiles[i].at));
	put_cell(out, s->max);
	(void)fputs("  ", out);
}

static void
put_requests(FILE *out, const struct summary_view *v,
    const struct request_row *r)
{
	put_number(out, 9, sink_sum(&r->reqs));
	(void)fprintf(out, " %7.2f%%", summary_part(&r->failed) * 100);
	put_cell(out, summary_rate(v, sink_sum(&r->reqs)));
	put_trend(out, &r->duration);
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
		print_escaped(out, c->name);
		(void)fputc('\n', out);
	}
}

static void
put_metric(FILE *out, const struct summary_view *v, const struct metric_row *m)
{
	const struct sink *s = &m->sink;

	switch (s->type) {
	case METRIC_TREND:
		(void)fprintf(out, "%9llu", (unsigned long long)s->count);
		put_trend(out, s);
		break;
	case METRIC_COUNTER:
		put_number(out, 15, sink_sum(s));
		(void)fprintf(out, " %14.2f  ", summary_rate(v, sink_sum(s)));
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

void
summary_print_text(const struct summary_view *v, FILE *out)
{
	const struct summary *s = v->summary;

	if (!s->has_points && !s->has_aggregates) {
		(void)fputs("no samples\n", out);
		return;
	}
	put_number(out, 0, sink_sum(&v->all.reqs));
	(void)fprintf(out, " requests in %.1f s (%.2f per s), %llu failed "
	    "(%.2f%%)\n", v->seconds, summary_rate(v, sink_sum(&v->all.reqs)),
	    (unsigned long long)v->all.failed.nonzero,
	    summary_part(&v->all.failed) * 100);
	if (s->requests.n > 0)
		print_requests(v, out);
	print_metrics(v, METRIC_TREND, out);
	print_checks(v, out);
	print_metrics(v, METRIC_COUNTER, out);
	print_metrics(v, METRIC_RATE, out);
	print_metrics(v, METRIC_GAUGE, out);
}
