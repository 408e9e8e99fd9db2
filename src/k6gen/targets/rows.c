/* SPDX-License-Identifier: MIT */
/* The rows of a CSV file. */
#include "k6gen/targets/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { CSV_MAX = 1 << 30, SHOWN_COLUMNS = 4 };

static void
add_cell(struct rows *r, char *p, size_t n)
{
	r->cells = xgrow(r->cells, r->n_cells, &r->cap, sizeof(*r->cells));
	r->cells[r->n_cells++] = (struct span){ p, n };
}

/* A cell in quotes, which are taken off, doubled ones made single. Returns
 * what stands behind it, NULL if it has no end. */
static char *
take_quoted(struct rows *r, char *p, char *end)
{
	char *start = p, *to = p;

	for (p++; p < end; *to++ = *p++) {
		if (*p != '"')
			continue;
		if (p + 1 == end || p[1] != '"') {
			add_cell(r, start, (size_t)(to - start));
			return p + 1;
		}
		p++;
	}
	return NULL;
}

static char *
take_plain(struct rows *r, char *p, char *end)
{
	char *start = p;

	while (p < end && *p != ',' && *p != '\n')
		p++;
	add_cell(r, start, (size_t)(p - start) -
	    (p > start && (p == end || *p == '\n') && p[-1] == '\r'));
	return p;
}

/* One line's cells. Returns what stands behind it; NULL: why. */
static char *
take_row(struct rows *r, char *p, char *end, struct why *why)
{
	for (;;) {
		p = p < end && *p == '"' ? take_quoted(r, p, end) :
		    take_plain(r, p, end);
		if (p == NULL) {
			(void)why_set(why, "row %zu: a quote is not closed",
			    r->n + 1);
			return NULL;
		}
		if (p < end && *p == ',') {
			p++;
			continue;
		}
		if (p < end && *p == '\r')
			p++;
		if (p == end)
			return p;
		if (*p == '\n')
			return p + 1;
		(void)why_set(why, "row %zu: text after a closing quote",
		    r->n + 1);
		return NULL;
	}
}

static int
parse(struct rows *r, struct why *why)
{
	char *p = r->text.p, *end = r->text.p + r->text.n;
	size_t before;

	/* Excel begins UTF-8 with a byte-order mark. */
	if (r->text.n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;

	while (p != NULL && p < end) {
		if (*p == '\n' || (*p == '\r' && p + 1 < end &&
		    p[1] == '\n')) {
			p += *p == '\r' ? 2 : 1;
			continue;
		}
		before = r->n_cells;
		p = take_row(r, p, end, why);
		if (p == NULL)
			return -1;
		if (r->n_columns == 0)
			r->n_columns = r->n_cells;
		else if (r->n_cells - before != r->n_columns)
			return why_set(why, "row %zu has %zu cell%s, not %zu",
			    r->n + 1, r->n_cells - before,
			    r->n_cells - before == 1 ? "" : "s",
			    r->n_columns);
		else
			r->n++;
	}
	return r->n > 0 ? 0 : why_set(why, "no rows");
}

int
rows_read(struct rows *r, const char *path, struct why *why)
{
	struct why inner = { .text = "" };
	int status = file_read(path, CSV_MAX, &r->text, why);

	if (status > 0)
		return why_set(why, "%s: %s", path, strerror(ENOENT));
	if (status < 0)
		return -1;
	if (parse(r, &inner) == 0)
		return 0;
	return why_set(why, "%s: %s", path, inner.text);
}

void
rows_release(struct rows *r)
{
	buf_release(&r->text);
	free(r->cells);
	*r = (struct rows){ .n = 0 };
}

static int
tell_columns(const struct rows *r, struct span name, struct why *why)
{
	struct buf names = { 0 };
	size_t i;

	for (i = 0; i < r->n_columns && i < SHOWN_COLUMNS; i++)
		buf_printf(&names, "%s\"%.*s\"", i == 0 ? "" : ", ",
		    (int)r->cells[i].n, r->cells[i].p);
	(void)why_set(why, "no column \"%.*s\" in the data, which has %s%s",
	    (int)name.n, name.p, names.p, i < r->n_columns ? ", ..." : "");
	buf_release(&names);
	return -1;
}

int
rows_column(const struct rows *r, struct span name, struct why *why)
{
	size_t i;
	int found = -1;

	for (i = 0; i < r->n_columns; i++) {
		if (!span_equal(r->cells[i], name))
			continue;
		if (found >= 0)
			return why_set(why, "two columns of the data are "
			    "called \"%.*s\"", (int)name.n, name.p);
		found = (int)i;
	}
	return found >= 0 ? found : tell_columns(r, name, why);
}

struct span
rows_cell(const struct rows *r, size_t row, int column)
{
	return r->cells[(row + 1) * r->n_columns + (size_t)column];
}
