/* SPDX-License-Identifier: MIT */
/* Writes a run as one file: HTML, JSON or CSV. */
#include "k6serve/view/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/die.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/units.h"
#include "data/run.h"
#include "k6serve/view/assets.h"
#include "k6serve/view/ci.h"
#include "k6serve/view/csv.h"
#include "k6serve/view/group.h"
#include "k6serve/view/page.h"

enum {
	MOST_URLS = 1000,
	MOST_STEPS = 360,
	ROWS = 20,		/* of a file that have charts of their own */
	ROW_STEPS = 120,
};

static const char *const formats[] = { "html", "json", "csv", "text", "junit",
	"markdown", "github" };

bool
report_format_parse(const char *name, enum report_format *format)
{
	int i;

	for (i = REPORT_HTML; i <= REPORT_GITHUB; i++)
		if (strcmp(name, formats[i]) == 0) {
			*format = (enum report_format)i;
			return true;
		}
	return false;
}

/* A step that gives at most that many: 1, 2, 5, 10, 20, 30 s, 1, 2, 5,
 * 10 min and so on, or the next multiple of the run's own. */
static int64_t
good_step(double seconds, int64_t most, int64_t least)
{
	static const int steps[] = { 1, 2, 5, 10, 20, 30, 60, 120, 300, 600,
	    1200, 1800, 3600 };
	size_t i, n = sizeof(steps) / sizeof(steps[0]);
	int64_t step = (int64_t)(seconds / (double)most) + 1;

	for (i = 0; i < n; i++)
		if (seconds / steps[i] <= (double)most) {
			step = steps[i];
			break;
		}
	return (step + least - 1) / least * least;
}

int
view_report(const struct view *v, struct jsn_out *o, struct why *why)
{
	static const struct {
		const char *key;
		view_put *put;
	} parts[] = {
		{ "run", view_run }, { "range", view_range },
		{ "series", view_series },
		{ "distribution", view_distribution }, { "urls", view_urls },
		{ "requests", view_requests }, { "tags", view_tags },
		{ "slow", view_slow }, { "checks", view_checks },
		{ "errors", view_errors }, { "metrics", view_metrics },
	};
	struct view all = *v, whole;
	size_t i;

	all.step_s = good_step(v->seconds, MOST_STEPS, v->step_s);
	all.most_urls = MOST_URLS;
	whole = all;
	whole.from_s = whole.to_s = 0;
	whole.tags = NULL;
	jsn_open(o, '{');
	jsn_member_text(o, "schema", SPAN("k6serve-report/1"));
	jsn_member_int(o, "step", all.step_s);
	jsn_member_int(o, "most_urls", MOST_URLS);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		/* the run and its course are whole also beside a part */
		jsn_key(o, parts[i].key);
		if (parts[i].put(parts[i].put == view_run ||
		    parts[i].put == view_metrics ? &whole : &all, o, why) < 0)
			return -1;
	}
	jsn_close(o, '}');
	return 0;
}

/* A series under the key that the page looks for. */
static int
put_row(const struct view *v, const char *key, struct jsn_out *o,
    struct why *why)
{
	jsn_key(o, key);
	return view_series(v, o, why);
}

static int
put_url_rows(struct view *v, struct jsn_out *o, struct why *why)
{
	struct groups g = { .by = { "name", "method" } };
	struct store_query q = { .owner = v->owner, .run = v->run,
	    .metric = "http_reqs", .has_no_hist = true };
	struct group **sorted;
	char *key;
	int status = groups_read(&g, v->store, &q, why);
	size_t i;

	sorted = groups_sorted(&g, group_by_reqs);
	for (i = 0; status == 0 && i < ROWS && i < g.by_key.n; i++) {
		v->name = sorted[i]->tag[0].p;
		v->method = sorted[i]->tag[1].p;
		key = xasprintf("%s\n%s", v->name, v->method);
		status = put_row(v, key, o, why);
		free(key);
	}
	free(sorted);
	groups_release(&g);
	return status;
}

/* A metric that stands in no other table. */
static int
note_metric(void *ctx, const struct store_row *row)
{
	struct opt_list *names = ctx;

	if (names->n < ROWS && memcmp(row->metric.p, "http_",
	    row->metric.n < 5 ? row->metric.n : 5) != 0)
		opt_list_add(names, xstrndup(row->metric.p, row->metric.n));
	return 0;
}

static int
put_metric_rows(const struct view *all, struct jsn_out *o, struct why *why)
{
	struct store_query q = { .owner = all->owner, .run = all->run,
	    .is_whole = true, .has_no_hist = true };
	struct view v = *all;
	struct opt_list names = { 0 };
	char *key;
	size_t i;
	int status = store_series(v.store, &q, note_metric, &names, why);

	v.name = v.method = v.status = NULL;
	for (i = 0; i < names.n; i++) {
		v.metric = names.items[i];
		key = xasprintf("metric\n%s", v.metric);
		if (status == 0)
			status = put_row(&v, key, o, why);
		free(key);
		free((char *)names.items[i]);
	}
	opt_list_release(&names);
	return status;
}

/* The report, and the charts of its first rows, for a page that cannot ask. */
static int
put_whole(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct view row = *v;

	if (view_report(v, o, why) < 0)
		return -1;
	o->to->n--;	/* the last bracket */
	row.step_s = good_step(v->seconds, ROW_STEPS, v->step_s);
	jsn_member_int(o, "row_step", row.step_s);
	jsn_key(o, "rows");
	jsn_open(o, '{');
	if (put_url_rows(&row, o, why) < 0 ||
	    put_metric_rows(&row, o, why) < 0)
		return -1;
	jsn_close(o, '}');
	jsn_close(o, '}');
	return 0;
}

/* Nothing in the data may end the script element that it stands in. */
static void
put_data(struct buf *out, struct span json)
{
	size_t i;

	buf_text(out, "<script type=\"application/json\" id=\"report\">");
	for (i = 0; i < json.n; i++)
		if (json.p[i] == '<')
			buf_text(out, "\\u003c");
		else
			buf_char(out, json.p[i]);
	buf_text(out, "</script>\n");
}

/* The file that a line of the page loads, by its path behind mark. */
static bool
loaded_by(struct span line, const char *mark, struct span *file)
{
	size_t n = strlen(mark);
	const char *end;

	if (line.n < n || memcmp(line.p, mark, n) != 0)
		return false;
	end = memchr(line.p + n, '"', line.n - n);
	return end != NULL && page_file((struct span){ line.p + n,
	    (size_t)(end - line.p) - n }, file);
}

static void
put_inside(struct buf *out, const char *element, struct span file)
{
	buf_printf(out, "<%s>\n", element);
	buf_span(out, file);
	buf_printf(out, "\n</%s>\n", element);
}

/* The run's page with all that it loads inside. */
static void
put_html(struct span json, struct buf *out)
{
	static const char policy[] = "<meta http-equiv="
	    "\"Content-Security-Policy\" content=\"default-src 'none'; "
	    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
	    "img-src data:\">\n";
	struct span page = asset(ASSET_RUN_HTML), line, file;
	const char *end;
	bool has_data = false;

	for (; page.n > 0; page.p += line.n, page.n -= line.n) {
		end = memchr(page.p, '\n', page.n);
		line = (struct span){ page.p, end == NULL ? page.n :
		    (size_t)(end - page.p) + 1 };
		if (loaded_by(line, "<link rel=\"icon\" href=\"", &file))
			continue;
		if (loaded_by(line, "<link rel=\"stylesheet\" href=\"",
		    &file)) {
			put_inside(out, "style", file);
		} else if (loaded_by(line, "<script src=\"", &file)) {
			if (!has_data)
				put_data(out, json);
			has_data = true;
			put_inside(out, "script", file);
		} else {
			buf_span(out, line);
		}
		if (line.n > 13 && memcmp(line.p, "<meta charset", 13) == 0)
			buf_text(out, policy);
	}
}

static int
print_ci(const struct view *v, enum report_format format, struct buf *out,
    struct why *why)
{
	static void (*const put[])(const struct ci *, struct buf *) = {
		ci_put_text, ci_put_junit, ci_put_markdown, ci_put_github };
	struct ci c = { 0 };
	int status = ci_read(&c, v, why);

	if (status > 0)
		put[format - REPORT_TEXT](&c, out);
	ci_release(&c);
	return status < 0 ? -1 : 0;
}

static int
print_json(const struct view *v, enum report_format format, struct buf *out,
    struct why *why)
{
	struct buf json = { 0 };
	struct jsn_out o = { .to = &json };
	int status = format == REPORT_CSV ? view_urls(v, &o, why) :
	    format == REPORT_JSON ? view_report(v, &o, why) :
	    put_whole(v, &o, why);

	if (status == 0 && format == REPORT_CSV) {
		csv_print(buf_whole(&json), out);
	} else if (status == 0 && format == REPORT_HTML) {
		put_html(buf_whole(&json), out);
	} else if (status == 0) {
		buf_span(out, buf_whole(&json));
		buf_char(out, '\n');
	}
	buf_release(&json);
	return status;
}

int
report_print(const struct view *v, enum report_format format,
    struct buf *out, struct why *why)
{
	return format >= REPORT_TEXT ? print_ci(v, format, out, why) :
	    print_json(v, format, out, why);
}

int64_t
run_operand(const struct view *v, const char *text)
{
	bool is_last = strcmp(text, "last") == 0 ||
	    strncmp(text, "last:", 5) == 0;
	enum store_result result = STORE_DONE;
	int64_t found;
	struct why why;

	if (is_last) {
		found = store_run_last(v->store, v->owner,
		    span_of(text[4] == ':' ? text + 5 : ""), &why);
		result = found < 0 ? STORE_FAILED : found == 0 ? STORE_NO_RUN
		    : STORE_DONE;
	} else if (num_parse_int(text, 1, INT64_MAX, &found)) {
		result = store_run_find(v->store, v->owner, found, &why);
	} else {
		(void)opt_misuse("%s: not the number of a run, last or "
		    "last:NAME", text);
		return 0;
	}
	if (result == STORE_NO_RUN)
		warnf("%s: no such run", text);
	else if (result != STORE_DONE)
		dief(EXIT_FAILED, "%s", why.text);
	return result == STORE_DONE ? found : 0;
}

int
report_command(struct view *v, enum report_format format, const char *run)
{
	struct buf out = { 0 };
	struct why why;
	int status = EXIT_DONE;

	v->run = run_operand(v, run);
	if (v->run == 0)
		return EXIT_USAGE;
	if (view_open(v, &why) < 0 ||
	    report_print(v, format, &out, &why) < 0) {
		warnf("run %s: %s", run, why.text);
		buf_reset(&out);
		status = EXIT_FAILED;
	}
	status = close_stdout_with(out.p, out.n, status);
	buf_release(&out);
	return status;
}

static int
wait_status(const struct ci *c)
{
	if (c->verdict == VERDICT_FAILED)
		return EXIT_THRESHOLD;
	return c->status == RUN_FINISHED && c->verdict != VERDICT_UNKNOWN ?
	    EXIT_DONE : EXIT_FAILED;
}

int
wait_command(struct view *v, enum report_format format, const char *run)
{
	const struct timespec pause = { 0, 500 * NS_PER_MS };
	struct ci c = { 0 };
	struct buf out = { 0 };
	struct why why = { .text = "it was removed" };
	int status = EXIT_FAILED, found;

	v->run = run_operand(v, run);
	if (v->run == 0)
		return EXIT_USAGE;
	while ((found = ci_read(&c, v, &why)) > 0 &&
	    c.status == RUN_RUNNING) {
		ci_release(&c);
		c = (struct ci){ 0 };
		(void)nanosleep(&pause, NULL);
	}
	if (found <= 0 || view_open(v, &why) <= 0 ||
	    report_print(v, format, &out, &why) < 0) {
		warnf("run %s: %s", run, why.text);
		buf_reset(&out);
	} else {
		status = wait_status(&c);
	}
	status = close_stdout_with(out.p, out.n, status);
	ci_release(&c);
	buf_release(&out);
	return status;
}
