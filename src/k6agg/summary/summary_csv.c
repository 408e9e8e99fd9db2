/* SPDX-License-Identifier: MIT */
/* The summary as CSV, with a row for each row of the table; unknown fields are
 * empty. */
#include <math.h>

#include "base/num.h"
#include "data/percentile.h"
#include "k6agg/summary/summary.h"

/* One row; NAN and NULL are empty. */
struct row {
	const char *kind, *name, *method, *status, *group, *threshold;
	double count, failed, failed_rate, rate, value, min, max;
	const struct sink *trend;
};

static const struct row empty = { .count = NAN, .failed = NAN,
	.failed_rate = NAN, .rate = NAN, .value = NAN, .min = NAN, .max = NAN };

static void
put_text(struct buf *out, const char *text)
{
	if (text == NULL)
		text = "";
	if (text[strcspn(text, "\",\r\n")] == '\0') {
		buf_text(out, text);
	} else {
		buf_char(out, '"');
		for (; *text != '\0'; text++) {
			if (*text == '"')
				buf_char(out, '"');
			buf_char(out, *text);
		}
		buf_char(out, '"');
	}
	buf_char(out, ',');
}

static void
put_number(struct buf *out, double value)
{
	char text[NUM_TEXT];

	if (isfinite(value))
		buf_add(out, text, num_print(text, value));
	buf_char(out, ',');
}

static void
put_row(struct buf *out, const struct row *r)
{
	const struct sink *t = r->trend;
	bool has_trend = t != NULL && t->count > 0;
	int i;

	put_text(out, r->kind);
	put_text(out, r->name);
	put_text(out, r->method);
	put_text(out, r->status);
	put_text(out, r->group);
	put_text(out, r->threshold);
	put_number(out, r->count);
	put_number(out, r->failed);
	put_number(out, r->failed_rate);
	put_number(out, r->rate);
	put_number(out, r->value);
	put_number(out, has_trend ? t->min : r->min);
	put_number(out, has_trend ? sink_avg(t) : (double)NAN);
	for (i = 0; i < PERCENTILES; i++)
		put_number(out, has_trend ? sink_quantile(t,
		    percentiles[i].at) : (double)NAN);
	put_number(out, has_trend ? t->max : r->max);
	out->p[out->n - 1] = '\n';
}

static void
put_request(struct buf *out, const struct summary_view *v, const char *kind,
    const struct request_row *r)
{
	struct row row = empty;
	double count = sink_sum(&r->reqs);

	row.kind = kind;
	row.name = r->name;
	row.method = r->method;
	row.status = r->status;
	row.count = count;
	if (r->failed.count > 0)
		row.failed = (double)r->failed.nonzero;
	row.failed_rate = summary_part(&r->failed);
	row.rate = summary_rate(v, count);
	row.trend = &r->duration;
	put_row(out, &row);
}

static void
put_ok(struct buf *out, const struct request_row *all)
{
	struct row row = empty;

	if (!all->has_outcome)
		return;
	row.kind = "ok";
	row.count = (double)all->ok.count;
	row.trend = &all->ok;
	put_row(out, &row);
}

static void
put_check(struct buf *out, const struct check_row *c)
{
	struct row row = empty;

	row.kind = "check";
	row.name = c->name;
	row.group = c->group;
	row.count = (double)c->passes.count;
	row.failed = (double)(c->passes.count - c->passes.nonzero);
	row.failed_rate = 1 - summary_part(&c->passes);
	put_row(out, &row);
}

static void
put_metric(struct buf *out, const struct summary_view *v,
    const struct metric_row *m)
{
	const struct sink *s = &m->sink;
	struct row row = empty;

	row.kind = metric_type_name(s->type);
	row.name = m->name;
	row.count = (double)s->count;
	switch (s->type) {
	case METRIC_COUNTER:
		row.value = sink_sum(s);
		row.rate = summary_rate(v, row.value);
		break;
	case METRIC_GAUGE:
		row.value = s->last;
		row.min = s->min;
		row.max = s->max;
		break;
	case METRIC_RATE:
		row.value = summary_part(s);
		break;
	case METRIC_TREND:
		row.trend = s;
		break;
	}
	put_row(out, &row);
}

static void
put_threshold(struct buf *out, const struct verdict *verdict, double seconds)
{
	struct buf key = { 0 }, source = { 0 };
	struct row row = empty;

	buf_span(&key, verdict->threshold.key.text);
	buf_span(&source, verdict->threshold.source);
	row.kind = "threshold";
	row.name = key.p;
	row.threshold = source.p;
	row.failed = verdict->is_failed;
	if (judge_has_samples(verdict))
		row.value = judge_measure(verdict, seconds);
	put_row(out, &row);
	buf_release(&key);
	buf_release(&source);
}

void
summary_print_csv(const struct summary_view *v, FILE *out)
{
	const struct summary *s = v->summary;
	struct buf text = { 0 };
	size_t i;

	buf_text(&text, "row,name,method,status,group,threshold,count,failed,"
	    "failed_rate,rate,value,min,avg,");
	for (i = 0; i < PERCENTILES; i++)
		buf_printf(&text, "%s,", percentiles[i].key);
	buf_text(&text, "max\n");
	for (i = 0; i < v->judge->n; i++)
		put_threshold(&text, v->judge->list[i], v->seconds);
	put_request(&text, v, "all", &v->all);
	put_ok(&text, &v->all);
	for (i = 0; i < s->requests.n; i++)
		put_request(&text, v, "request", s->requests.list[i]);
	for (i = 0; i < s->checks.n; i++)
		put_check(&text, s->checks.list[i]);
	for (i = 0; i < s->metrics.n; i++)
		put_metric(&text, v, s->metrics.list[i]);
	(void)fwrite(text.p, 1, text.n, out);
	buf_release(&text);
}
