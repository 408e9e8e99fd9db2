/* SPDX-License-Identifier: MIT */
/* Prints JSON tables as CSV, in two passes. */
#include "k6serve/view/csv.h"

#include <stdlib.h>

#include "base/map.h"
#include "data/jsn.h"

/* The columns, in the order of their first sight. */
struct columns {
	struct map by_name;	/* of struct column */
	struct column **all;
	size_t n, cap;
};

struct column {
	struct span name;	/* owned */
	struct span value;	/* JSON, of the line in work; n 0: none */
};

static struct column *
column_of(struct columns *cs, struct span name)
{
	struct column *c = map_get(&cs->by_name, name);

	if (c != NULL)
		return c;
	c = xcalloc(1, sizeof(*c));
	c->name = (struct span){ xstrndup(name.p, name.n), name.n };
	map_put(&cs->by_name, c->name, c);
	cs->all = xgrow(cs->all, cs->n, &cs->cap, sizeof(cs->all[0]));
	cs->all[cs->n++] = c;
	return c;
}

static void
columns_release(struct columns *cs)
{
	size_t i;

	for (i = 0; i < cs->n; i++) {
		free((char *)cs->all[i]->name.p);
		free(cs->all[i]);
	}
	free(cs->all);
	map_release(&cs->by_name);
}

/* Take the members of the object at the cursor into their columns; those of an
 * object inside have a prefix. */
static void
read_line(struct columns *cs, struct jsn *j, struct span prefix)
{
	struct buf name = { 0 };
	struct jsn inner;
	struct span key, value;

	(void)jsn_enter(j, '{');
	while (jsn_member(j, &key)) {
		buf_reset(&name);
		buf_span(&name, prefix);
		if (prefix.n != 0)
			buf_char(&name, '.');
		jsn_unescape(&name, key);
		if (!jsn_value(j, &value))
			break;
		inner = jsn_of(value);
		if (jsn_peek(&inner) == '{')
			read_line(cs, &inner, buf_whole(&name));
		else
			column_of(cs, buf_whole(&name))->value = value;
	}
	buf_release(&name);
}

static void
put_text(struct buf *out, struct span text)
{
	size_t i;

	buf_char(out, '"');
	if (text.n != 0 && strchr("=+-@\t\r", text.p[0]) != NULL)
		buf_char(out, '\'');
	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			buf_char(out, '"');
		buf_char(out, text.p[i]);
	}
	buf_char(out, '"');
}

static void
put_value(struct buf *out, struct span value)
{
	struct buf plain = { 0 };

	if (value.n == 0 || span_is(value, "null"))
		return;
	if (value.p[0] == '"')
		jsn_unescape(&plain, (struct span){ value.p + 1,
		    value.n - 2 });
	if (value.p[0] == '"' || value.p[0] == '[')
		put_text(out, value.p[0] == '"' ? buf_whole(&plain) : value);
	else
		buf_span(out, value);
	buf_release(&plain);
}

void
csv_print(struct span table, struct buf *out)
{
	struct columns cs = { 0 };
	struct jsn j = jsn_of(table);
	bool is_head;
	size_t i;
	int pass;

	/* the first pass finds all columns */
	for (pass = 0; pass < 2; pass++) {
		j = jsn_of(table);
		is_head = pass == 1;
		(void)jsn_enter(&j, '[');
		while (is_head || jsn_element(&j)) {
			for (i = 0; i < cs.n; i++)
				cs.all[i]->value = (struct span){ "", 0 };
			if (!is_head)
				read_line(&cs, &j, (struct span){ "", 0 });
			for (i = 0; pass == 1 && i < cs.n; i++) {
				if (i != 0)
					buf_char(out, ',');
				if (is_head)
					put_text(out, cs.all[i]->name);
				else
					put_value(out, cs.all[i]->value);
			}
			if (pass == 1)
				buf_text(out, "\r\n");
			is_head = false;
		}
	}
	columns_release(&cs);
}
