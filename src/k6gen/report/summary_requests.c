/* SPDX-License-Identifier: MIT */
/* Which answers came, and how long the requests of each URL or name took. */
#include "k6gen/report/summary_requests.h"

#include <stdio.h>
#include <stdlib.h>

#include "data/percentile.h"
#include "k6gen/report/summary_figures.h"

enum {
	NAME_WIDTH = 31,	/* with its dots, as of metrics */
	LINE_WIDTH = 76,	/* behind the indent */
	SHOWN = 20,		/* names */
};

/* All values of a map; the caller frees the array. */
static void **
values_of(const struct map *m)
{
	void **all = xcalloc(m->n, sizeof(*all)), *value;
	size_t at = 0, n = 0;

	while ((value = map_next(m, &at)) != NULL)
		all[n++] = value;
	return all;
}

/* Answers first, by status; then reasons. */
static int
compare_outcomes(const void *a, const void *b)
{
	const struct outcome *x = *(void *const *)a, *y = *(void *const *)b;

	if (x->is_failure != y->is_failure)
		return x->is_failure ? 1 : -1;
	return strcmp(x->text, y->text);
}

static int
compare_names(const void *a, const void *b)
{
	const struct by_name *x = *(void *const *)a, *y = *(void *const *)b;

	if (x->durations.count != y->durations.count)
		return x->durations.count < y->durations.count ? 1 : -1;
	return strcmp(x->text, y->text);
}

/* How many bytes of the text have that many columns. */
static int
cut_text(const char *text, int columns)
{
	int i, n = 0;

	for (i = 0; text[i] != '\0'; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80 &&
		    ++n > columns)
			break;
	return i;
}

/* A name, dots, a colon, that many columns before the colon. One that is
 * longer has a line of its own. */
static void
print_name(const char *name, int columns, struct buf *out)
{
	int width = figure_width(name);

	if (width > LINE_WIDTH)
		buf_printf(out, "    %.*s…\n", cut_text(name, LINE_WIDTH - 1),
		    name);
	else if (width > columns)
		buf_printf(out, "    %s\n", name);
	else
		buf_printf(out, "    %s", name);
	if (width > columns) {
		buf_text(out, "    ");
		width = 0;
	}
	for (; width < columns; width++)
		buf_char(out, '.');
	buf_text(out, ": ");
}

static void
print_outcomes(const struct summary *s, struct buf *out)
{
	const struct map *outcomes = &s->tally->outcomes;
	void **all = values_of(outcomes);
	const struct outcome *o;
	size_t i;

	qsort(all, outcomes->n, sizeof(*all), compare_outcomes);
	buf_text(out, "\n    ANSWERS\n");
	for (i = 0; i < outcomes->n; i++) {
		o = all[i];
		if (o->n == 0)
			continue;
		print_name(o->text, NAME_WIDTH, out);
		buf_printf(out, "%lld\n", (long long)o->n);
	}
	free(all);
}

/* How many requests, how many of them failed, how long they took. */
static void
print_figures(const struct by_name *n, struct buf *out)
{
	static const enum percentile shown[] = { P50, P95, P99 };
	char text[FIGURE_TEXT];
	size_t i;

	buf_printf(out, "%llu", (unsigned long long)n->durations.count);
	if (n->failed > 0)
		buf_printf(out, " failed=%lld", (long long)n->failed);
	for (i = 0; i < 3; i++) {
		figure_duration(text, sink_quantile(&n->durations,
		    percentiles[shown[i]].at));
		buf_printf(out, " %s=%s", percentiles[shown[i]].label, text);
	}
}

/* The columns for names that leave room for the widest figures. */
static int
columns_beside(struct by_name *const *names, size_t n, struct buf *figures)
{
	int columns = NAME_WIDTH, left;
	size_t i;

	for (i = 0; i < n; i++) {
		buf_reset(figures);
		print_figures(names[i], figures);
		left = LINE_WIDTH - 2 - figure_width(figures->p);
		if (left < columns)
			columns = left > 0 ? left : 0;
	}
	return columns;
}

static void
print_requests(struct by_name *const *names, size_t n, struct buf *out)
{
	struct buf figures = { 0 };
	int columns = columns_beside(names, n, &figures);
	size_t i;

	buf_text(out, "\n    REQUESTS\n");
	for (i = 0; i < n; i++) {
		print_name(names[i]->text, columns, out);
		print_figures(names[i], out);
		buf_char(out, '\n');
	}
	buf_release(&figures);
}

void
summary_print_requests(const struct summary *s, struct buf *out)
{
	const struct map *names = &s->tally->names;
	void **all;

	if (s->tally->requests == 0)
		return;
	print_outcomes(s, out);
	all = values_of(names);
	qsort(all, names->n, sizeof(*all), compare_names);
	print_requests((struct by_name *const *)all,
	    names->n < SHOWN ? names->n : SHOWN, out);
	if (names->n > SHOWN)
		buf_printf(out, "    and %zu more names\n", names->n - SHOWN);
	free(all);
}
