/* SPDX-License-Identifier: MIT */
/* A comparison of runs as text, JSON, JUnit XML, Markdown and annotations. */
#include <math.h>
#include <stdio.h>

#include "base/die.h"
#include "base/units.h"
#include "k6serve/view/ci_text.h"
#include "k6serve/view/diff.h"

static const struct diff_run *
run_of(const struct diff *d)
{
	return &d->runs[d->n_base];
}

/* "run 12 with run 11", "run 12 with 3 runs: 11, 10, 8". */
static void
put_title(const struct diff *d, struct buf *out)
{
	size_t i;

	buf_printf(out, "run %lld with ", (long long)run_of(d)->view.run);
	if (d->n_base == 1)
		buf_text(out, "run ");
	else
		buf_printf(out, "%zu runs: ", d->n_base);
	for (i = 0; i < d->n_base; i++)
		buf_printf(out, "%s%lld", i > 0 ? ", " : "",
		    (long long)d->runs[i].view.run);
}

static void
put_side(struct jsn_out *o, const char *key, const struct group *g)
{
	jsn_key(o, key);
	jsn_open(o, '{');
	jsn_member_number(o, "count", g->reqs);
	jsn_member_number(o, "failed", group_failed(g));
	put_durations_only(o, &g->sink);
	jsn_close(o, '}');
}

static const struct group *
group_of(const struct diff *d, size_t run, const struct change_of_name *n)
{
	struct buf key = { 0 };
	const struct group *g;
	int i;

	buf_text(&key, n->name);
	buf_char(&key, '\0');
	buf_text(&key, n->method);
	for (i = 1; i < GROUP_TAGS; i++)
		buf_char(&key, '\0');
	g = map_get(&d->runs[run].by_name.by_key, buf_whole(&key));
	buf_release(&key);
	return g;
}

/* The two sides are those of the newest run of the base and of the run; low,
 * high and p are of all. */
static void
put_name(const struct diff *d, const struct change_of_name *n,
    struct jsn_out *o)
{
	jsn_open(o, '{');
	jsn_member_text(o, "name", span_of(n->name));
	jsn_member_text(o, "method", span_of(n->method));
	put_side(o, "base", group_of(d, 0, n));
	put_side(o, "run", group_of(d, d->n_base, n));
	compare_put_change(&n->p95, o);
	jsn_close(o, '}');
}

int
diff_put(const struct diff *d, struct jsn_out *o, struct why *why)
{
	const struct comparison *c = &d->comparison;
	size_t i;

	jsn_open(o, '{');
	jsn_member_text(o, "schema", SPAN("k6serve-diff/2"));
	jsn_key(o, "baseline");
	jsn_open(o, '[');
	for (i = 0; i < d->n_base; i++)
		jsn_put_int(o, d->runs[i].view.run);
	jsn_close(o, ']');
	jsn_key(o, "base");
	if (view_run(&d->runs[0].view, o, why) < 0)
		return -1;
	jsn_key(o, "run");
	if (view_run(&run_of(d)->view, o, why) < 0)
		return -1;
	compare_put(c, o);
	jsn_key(o, "urls");
	jsn_open(o, '[');
	for (i = 0; i < c->n_names; i++)
		put_name(d, &c->names[i], o);
	jsn_close(o, ']');
	jsn_close(o, '}');
	return 0;
}

void
diff_put_none(struct jsn_out *o)
{
	static const char *const unknown[] = { "worse", "better", "unknown" };
	static const char *const lists[] = { "baseline", "figures", "urls" };
	size_t i;

	jsn_open(o, '{');
	jsn_member_text(o, "schema", SPAN("k6serve-diff/2"));
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		jsn_member_raw(o, unknown[i], SPAN("null"));
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		jsn_member_raw(o, lists[i], SPAN("[]"));
	jsn_close(o, '}');
}

/* Each change that is judged: figures, then names. */
static size_t
count_of(const struct diff *d)
{
	return MEASURES + d->comparison.n_names;
}

static const struct change *
change_at(const struct diff *d, size_t i, struct buf *name)
{
	const struct comparison *c = &d->comparison;
	const struct change_of_name *n;

	buf_reset(name);
	if (i < MEASURES) {
		buf_text(name, measures[i].name);
		return &c->changes[i];
	}
	n = &c->names[i - MEASURES];
	buf_printf(name, "%s %s: p95", n->method, n->name);
	return &n->p95;
}

static void
print_text(const struct diff *d, struct buf *out)
{
	put_title(d, out);
	buf_char(out, '\n');
	compare_print(&d->comparison, out);
}

static void
print_junit(const struct diff *d, struct buf *out)
{
	struct buf cases = { 0 }, name = { 0 };
	const struct change *c;
	struct test_case t;
	char time[TIME_TEXT];
	int count[3] = { 0 };
	size_t i;

	for (i = 0; i < count_of(d); i++) {
		c = change_at(d, i, &name);
		if (!c->is_asked && !c->is_exact && !c->is_missing)
			continue;
		t = (struct test_case){ .class = i < MEASURES ? "figure" :
		    "request", .name = buf_whole(&name).p, .result =
		    c->verdict == CHANGE_WORSE || c->is_missing ? CASE_FAILED :
		    c->verdict == CHANGE_UNKNOWN ? CASE_SKIPPED : CASE_PASSED };
		compare_print_change(c, &t.message);
		ci_text_case(&t, count, &cases);
	}
	(void)time_print(time, run_of(d)->view.first_ns);
	buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<testsuites name=\"k6serve diff\">\n  <testsuite name=\"");
	ci_text_xml(run_of(d)->name, out);
	buf_printf(out, "\" id=\"%lld\" timestamp=\"%s\" time=\"%.3f\""
	    " tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\">\n",
	    (long long)run_of(d)->view.run, time, run_of(d)->view.seconds,
	    count[CASE_PASSED] + count[CASE_FAILED] + count[CASE_SKIPPED],
	    count[CASE_FAILED], count[CASE_SKIPPED]);
	buf_span(out, buf_whole(&cases));
	buf_text(out, "  </testsuite>\n</testsuites>\n");
	buf_release(&cases);
	buf_release(&name);
}

static void
print_markdown(const struct diff *d, struct buf *out)
{
	const struct comparison *all = &d->comparison;
	struct buf name = { 0 }, text = { 0 };
	const struct change *c;
	size_t i;

	buf_printf(out, "### %s: ", all->worse != 0 ? "Worse" :
	    all->unknown != 0 ? "Not known" : all->better != 0 ? "Better" :
	    "No difference");
	ci_text_cell(run_of(d)->name, out);
	buf_text(out, "\n\n");
	put_title(d, out);
	buf_text(out, ": ");
	compare_print_end(all, out);
	buf_text(out, ".\n\n| | figure | change |\n|---|---|---|\n");
	for (i = 0; i < count_of(d); i++) {
		c = change_at(d, i, &name);
		if ((i >= MEASURES && c->verdict == CHANGE_SAME) ||
		    !isfinite(c->value[0]) || !isfinite(c->value[1]))
			continue;
		buf_reset(&text);
		compare_print_change(c, &text);
		buf_printf(out, "| %s | ", c->measure->sign == 0 ? "" :
		    change_verdict_name(c->verdict));
		ci_text_cell(name.p, out);
		buf_text(out, " | ");
		ci_text_cell(text.p, out);
		buf_text(out, " |\n");
	}
	buf_release(&name);
	buf_release(&text);
}

static void
put_annotation(const char *level, const char *text, struct buf *out)
{
	buf_printf(out, "::%s title=load test::", level);
	ci_text_command(text, out);
	buf_char(out, '\n');
}

static void
print_github(const struct diff *d, struct buf *out)
{
	const struct comparison *all = &d->comparison;
	struct buf text = { 0 };
	const struct change *c;
	size_t i;

	for (i = 0; i < count_of(d); i++) {
		c = change_at(d, i, &text);
		if (c->verdict == CHANGE_SAME || c->verdict == CHANGE_UNKNOWN)
			continue;
		buf_printf(&text, " is %s: ", change_verdict_name(c->verdict));
		compare_print_change(c, &text);
		put_annotation(c->verdict == CHANGE_WORSE ? "error" :
		    "notice", text.p, out);
	}
	buf_reset(&text);
	put_title(d, &text);
	buf_text(&text, ": ");
	compare_print_end(all, &text);
	put_annotation(all->worse != 0 ? "error" : all->unknown != 0 ?
	    "warning" : "notice", text.p, out);
	buf_release(&text);
}

int
diff_print(const struct diff *d, enum report_format format, struct buf *out,
    struct why *why)
{
	static void (*const print[])(const struct diff *, struct buf *) = {
		print_text, print_junit, print_markdown, print_github };
	struct jsn_out o = { .to = out };

	if (format != REPORT_JSON) {
		print[format - REPORT_TEXT](d, out);
		return 0;
	}
	if (diff_put(d, &o, why) < 0)
		return -1;
	buf_char(out, '\n');
	return 0;
}

/* No run to measure by is no failure: the first one of a name has none. */
static int
tell_missing(const struct view *v)
{
	if (v->base != 0) {
		warnf("one of the two runs was removed");
		return EXIT_FAILED;
	}
	warnf("run %lld: no earlier run of its name has passed: there is "
	    "nothing to compare it with", (long long)v->run);
	return EXIT_DONE;
}

/* Nothing became worse, as far as that is known; and of nothing nothing is. */
static int
status_of(const struct diff *d)
{
	size_t i;

	for (i = 0; i <= d->n_base; i++)
		if (d->runs[i].is_empty) {
			warnf("run %lld has no data: there is nothing to "
			    "compare", (long long)d->runs[i].view.run);
			return EXIT_FAILED;
		}
	return d->comparison.worse != 0 ? EXIT_FAILED : EXIT_DONE;
}

int
diff_command(struct view *v, enum report_format format, const char *base,
    const char *run)
{
	struct diff d = { 0 };
	struct buf out = { 0 };
	struct why why;
	int status, found;

	if (base != NULL && (v->base = run_operand(v, base)) == 0)
		return EXIT_USAGE;
	v->run = run_operand(v, run);
	if (v->run == 0)
		return EXIT_USAGE;
	found = diff_read(&d, v, &why);
	if (found == 0) {
		status = tell_missing(v);
	} else if (found < 0 || diff_print(&d, format, &out, &why) < 0) {
		warnf("%s", why.text);
		buf_reset(&out);
		status = EXIT_FAILED;
	} else {
		status = status_of(&d);
	}
	status = close_stdout_with(out.p, out.n, status);
	buf_release(&out);
	diff_release(&d);
	return status;
}
