/* SPDX-License-Identifier: MIT */
/* Reads the verdict of a run, and writes it as text, JUnit XML, Markdown,
 * GitHub's annotations and a badge. */
#include "k6serve/view/ci.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/units.h"
#include "data/run.h"
#include "k6serve/view/ci_text.h"
#include "k6serve/view/failures.h"

static int
read_run(void *ctx, const struct store_run *run)
{
	struct ci *c = ctx;

	c->id = run->id;
	c->points = run->points;
	c->name = xstrndup(run->name.p, run->name.n);
	return 1;
}

struct reading {
	struct ci *c;
	const struct view *v;
	struct why *why;
};

static int
read_criteria(void *ctx, const struct store_run *run)
{
	struct reading *r = ctx;
	struct ci *c = r->c;

	c->status = run_state(run, r->v->timeout_ns);
	if (criteria_read(&c->criteria, r->v->store, r->v->owner, run,
	    r->why) < 0)
		return -1;
	c->verdict = criteria_verdict(&c->criteria, run, c->status);
	return 1;
}

static int
add_row(void *ctx, const struct store_row *row)
{
	measure_add(ctx, row->metric, row->sink);
	return 0;
}

int
ci_read(struct ci *c, const struct view *view, struct why *why)
{
	struct view v = *view;
	struct store_run_query run = { .owner = v.owner, .id = v.run };
	struct store_query q = { .owner = v.owner, .run = v.run,
	    .is_whole = true };
	struct reading r = { c, &v, why };
	int status = view_open(&v, why);

	if (status <= 0)
		return status;
	c->seconds = c->figures.seconds = v.seconds;
	c->first_ns = v.first_ns;
	c->figures.duration.type = METRIC_TREND;
	c->checks.by[0] = "check";
	c->checks.by[1] = "group";
	if (store_runs(v.store, &run, read_run, c, why) < 0 ||
	    store_runs(v.store, &run, read_criteria, &r, why) < 0 ||
	    store_series(v.store, &q, add_row, &c->figures, why) < 0 ||
	    failures_by_status(&v, &c->figures.failed_by_status, why) < 0)
		return -1;
	q.is_whole = false;
	q.metric = "checks";
	return groups_read(&c->checks, v.store, &q, why) < 0 ? -1 : 1;
}

void
ci_release(struct ci *c)
{
	free(c->name);
	criteria_release(&c->criteria);
	groups_release(&c->checks);
	sink_release(&c->figures.duration);
	sink_release(&c->figures.failed);
	sink_release(&c->figures.checks);
}

static const char *
word_of(enum run_verdict v)
{
	static const char *const words[] = { "Running", "Passed", "Failed",
		"No criteria", "Not known" };

	return words[v];
}

/* "312.4", "no samples" or "not judged". */
static void
put_value(const struct criterion *c, struct buf *out)
{
	if (isfinite(c->value))
		buf_printf(out, "%.6g", c->value);
	else
		buf_text(out, c->is_empty ? "no samples" : "not judged");
}

static const char *
result_of(const struct criterion *c)
{
	int failed = criterion_failed(c);

	return failed < 0 ? "not known" : failed > 0 ? "crossed" : "kept";
}

/* "1234 requests, 2.76 % failed, p95 312 ms". */
static void
put_figures(const struct ci *c, struct buf *out)
{
	const struct figures *f = &c->figures;
	double p95 = measures[MEASURE_P95].of(f);

	buf_printf(out, "%.0f request%s", f->reqs, f->reqs == 1 ? "" : "s");
	if (f->failed.count != 0 && f->reqs > 0)
		buf_printf(out, ", %.4g %% failed",
		    (double)f->failed.nonzero / f->reqs * 100);
	else if (f->reqs > 0 && isfinite(f->failed_by_status))
		buf_printf(out, ", %.4g %% failed (by status)",
		    f->failed_by_status / f->reqs * 100);
	else if (f->reqs > 0)
		buf_text(out, ", failures not known");
	if (isfinite(p95))
		buf_printf(out, ", p95 %.4g ms", p95);
}

void
ci_put_text(const struct ci *c, struct buf *out)
{
	const struct criterion *at;
	size_t i;

	buf_printf(out, "run %lld \"", (long long)c->id);
	ci_text_plain(c->name, out);
	buf_printf(out, "\": %s (%s), ", word_of(c->verdict),
	    run_status_name(c->status));
	put_figures(c, out);
	buf_char(out, '\n');
	for (i = 0; i < c->criteria.n; i++) {
		at = &c->criteria.list[i];
		buf_printf(out, "  %-9s ", result_of(at));
		ci_text_plain(at->metric, out);
		buf_text(out, ": ");
		ci_text_plain(at->source, out);
		buf_text(out, "  (");
		put_value(at, out);
		buf_text(out, ")\n");
	}
}

/* "::a::b" and a check as "a > b > check". */
static void
check_name(const struct group *g, struct buf *out)
{
	const char *p = g->tag[1].p, *colons;

	buf_reset(out);
	for (; strncmp(p, "::", 2) == 0; p = colons) {
		p += 2;
		colons = strstr(p, "::");
		if (colons == NULL)
			colons = p + strlen(p);
		buf_add(out, p, (size_t)(colons - p));
		buf_text(out, " > ");
	}
	buf_span(out, g->tag[0]);
}

/* Whether the run came to its end, and to a verdict. */
static void
put_state_case(const struct ci *c, int count[3], struct buf *out)
{
	struct test_case t = { .class = "run", .name = "state" };

	t.result = c->status == RUN_RUNNING ? CASE_SKIPPED :
	    c->status != RUN_FINISHED || c->verdict == VERDICT_UNKNOWN ?
	    CASE_FAILED : CASE_PASSED;
	buf_text(&t.message, run_status_name(c->status));
	if (c->verdict == VERDICT_UNKNOWN && c->status == RUN_FINISHED)
		buf_text(&t.message, c->points == 0 ? ": no data came" :
		    ": it is not known if the thresholds were kept");
	ci_text_case(&t, count, out);
}

static void
put_threshold_cases(const struct ci *c, int count[3], struct buf *out)
{
	const struct criterion *at;
	struct buf name = { 0 };
	struct test_case t;
	size_t i;

	for (i = 0; i < c->criteria.n; i++) {
		at = &c->criteria.list[i];
		buf_reset(&name);
		buf_printf(&name, "%s: %s", at->metric, at->source);
		t = (struct test_case){ .class = "threshold",
		    .name = name.p, .result = criterion_failed(at) < 0 ?
		    CASE_SKIPPED : criterion_failed(at) > 0 ? CASE_FAILED :
		    CASE_PASSED };
		buf_printf(&t.message, "%s: ", result_of(at));
		put_value(at, &t.message);
		ci_text_case(&t, count, out);
	}
	buf_release(&name);
}

static void
put_check_cases(const struct ci *c, int count[3], struct buf *out)
{
	struct group **sorted = groups_sorted(&c->checks, group_by_count);
	struct buf name = { 0 };
	struct test_case t;
	size_t i;

	for (i = 0; i < c->checks.by_key.n; i++) {
		check_name(sorted[i], &name);
		t = (struct test_case){ .class = "check",
		    .name = buf_whole(&name).p, .result =
		    sorted[i]->sink.nonzero < sorted[i]->sink.count ?
		    CASE_FAILED : CASE_PASSED };
		buf_printf(&t.message, "%llu of %llu failed",
		    (unsigned long long)(sorted[i]->sink.count -
		    sorted[i]->sink.nonzero),
		    (unsigned long long)sorted[i]->sink.count);
		ci_text_case(&t, count, out);
	}
	buf_release(&name);
	free(sorted);
}

void
ci_put_junit(const struct ci *c, struct buf *out)
{
	struct buf cases = { 0 };
	char time[TIME_TEXT];
	int count[3] = { 0 };

	put_state_case(c, count, &cases);
	put_threshold_cases(c, count, &cases);
	put_check_cases(c, count, &cases);
	(void)time_print(time, c->first_ns);
	buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<testsuites name=\"k6serve\">\n  <testsuite name=\"");
	ci_text_xml(c->name, out);
	buf_printf(out, "\" id=\"%lld\" timestamp=\"%s\" time=\"%.3f\""
	    " tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\">\n",
	    (long long)c->id, time, c->seconds, count[CASE_PASSED] +
	    count[CASE_FAILED] + count[CASE_SKIPPED], count[CASE_FAILED],
	    count[CASE_SKIPPED]);
	buf_span(out, buf_whole(&cases));
	buf_text(out, "  </testsuite>\n</testsuites>\n");
	buf_release(&cases);
}

void
ci_put_markdown(const struct ci *c, struct buf *out)
{
	struct group **sorted = groups_sorted(&c->checks, group_by_count);
	const struct criterion *at;
	struct buf name = { 0 };
	size_t i;

	buf_printf(out, "### %s: ", word_of(c->verdict));
	ci_text_cell(c->name, out);
	buf_printf(out, "\n\n%s, ", run_status_name(c->status));
	put_figures(c, out);
	buf_printf(out, ", %.4g s, run %lld.\n", c->seconds,
	    (long long)c->id);
	if (c->criteria.n + c->checks.by_key.n != 0)
		buf_text(out, "\n| | criterion | value |\n|---|---|---:|\n");
	for (i = 0; i < c->criteria.n; i++) {
		at = &c->criteria.list[i];
		buf_printf(out, "| %s | ", result_of(at));
		ci_text_cell(at->metric, out);
		buf_text(out, ": ");
		ci_text_cell(at->source, out);
		buf_text(out, " | ");
		put_value(at, out);
		buf_text(out, " |\n");
	}
	for (i = 0; i < c->checks.by_key.n; i++) {
		check_name(sorted[i], &name);
		buf_printf(out, "| %s | ", sorted[i]->sink.nonzero <
		    sorted[i]->sink.count ? "failed" : "passed");
		ci_text_cell(buf_whole(&name).p, out);
		buf_printf(out, " | %llu of %llu |\n",
		    (unsigned long long)sorted[i]->sink.nonzero,
		    (unsigned long long)sorted[i]->sink.count);
	}
	buf_release(&name);
	free(sorted);
}

void
ci_put_github(const struct ci *c, struct buf *out)
{
	const struct criterion *at;
	struct buf text = { 0 };
	size_t i;

	for (i = 0; i < c->criteria.n; i++) {
		at = &c->criteria.list[i];
		if (criterion_failed(at) == 0)
			continue;
		buf_reset(&text);
		buf_printf(&text, "%s: %s is %s: ", at->metric, at->source,
		    result_of(at));
		put_value(at, &text);
		buf_printf(out, "::%s title=load test::",
		    criterion_failed(at) > 0 ? "error" : "warning");
		ci_text_command(text.p, out);
		buf_char(out, '\n');
	}
	buf_reset(&text);
	ci_put_text(c, &text);
	text.n = (size_t)(strchr(text.p, '\n') - text.p);
	text.p[text.n] = '\0';
	buf_printf(out, "::%s title=load test::",
	    c->verdict == VERDICT_FAILED ? "error" :
	    c->verdict == VERDICT_UNKNOWN ? "warning" : "notice");
	ci_text_command(text.p, out);
	buf_char(out, '\n');
	buf_release(&text);
}

void
ci_put_badge(const struct ci *c, struct buf *out)
{
	static const char *const colors[] = { "#1f6feb", "#2e7d32", "#c62828",
		"#6b7280", "#b26a00" };
	const char *word = word_of(c->verdict);
	int left = 68, right = 14 + 7 * (int)strlen(word);

	buf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\""
	    " height=\"20\" role=\"img\" aria-label=\"load test: %s\">"
	    "<rect width=\"%d\" height=\"20\" fill=\"#444c56\"/>"
	    "<rect x=\"%d\" width=\"%d\" height=\"20\" fill=\"%s\"/>"
	    "<g fill=\"#fff\" text-anchor=\"middle\" font-size=\"11\""
	    " font-family=\"Verdana,DejaVu Sans,sans-serif\">"
	    "<text x=\"%d\" y=\"14\">load test</text>"
	    "<text x=\"%d\" y=\"14\">%s</text></g></svg>\n",
	    left + right, word, left, left, right, colors[c->verdict],
	    left / 2, left + right / 2, word);
}
