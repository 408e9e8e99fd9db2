/* SPDX-License-Identifier: MIT */
/* A comparison as text and as JSON. */
#include "data/compare.h"

#include <math.h>
#include <stdio.h>

static const char *const units[] = { "1/s", "share", "ms", "" };

static void
print_value(struct buf *out, enum unit unit, double value)
{
	if (!isfinite(value))
		buf_printf(out, " %12s", "-");
	else if (unit == UNIT_SHARE)
		buf_printf(out, " %10.2f %%", value * 100);
	else if (unit == UNIT_MS)
		buf_printf(out, " %9.3f ms", value);
	else if (unit == UNIT_RATE)
		buf_printf(out, " %10.2f/s", value);
	else
		buf_printf(out, " %12.0f", value);
}

static void
print_chance(double p, struct buf *out)
{
	if (p < 0.0001)
		buf_text(out, "p < 0.0001");
	else
		buf_printf(out, "p %.2g", p);
}

/* The interval and the chance behind a text: "(+7.1 to +13.4 %, p 0.0001)". */
static void
print_confidence(const struct change *c, const char *before, struct buf *out)
{
	const struct evidence *e = &c->evidence;

	if (!e->is_known || !isfinite(e->low) || !isfinite(e->high))
		return;
	buf_printf(out, "%s(%+.1f to %+.1f %s, ", before, e->low * 100,
	    e->high * 100,
	    c->measure->unit == UNIT_SHARE ? "points" : "%");
	print_chance(e->p, out);
	buf_char(out, ')');
}

static void
print_verdict(const struct change *c, struct buf *out)
{
	switch (c->verdict) {
	case CHANGE_SAME:
		break;
	case CHANGE_UNKNOWN:
		buf_text(out, c->is_missing ? "  not known" :
		    "  too little data to tell");
		break;
	case CHANGE_BETTER:
	case CHANGE_WORSE:
		buf_printf(out, "  %s", change_verdict_name(c->verdict));
		/* in a line of its own the table fits 80 columns */
		print_confidence(c, "\n                    ", out);
		break;
	}
}

static void
print_line(const struct change *c, const char *name, struct buf *out)
{
	double change = measure_change(c->value[0], c->value[1]);
	char text[32] = "";

	buf_printf(out, "%-18s", name);
	print_value(out, c->measure->unit, c->value[0]);
	print_value(out, c->measure->unit, c->value[1]);
	if (isfinite(change) && c->measure->unit != UNIT_SHARE)
		(void)snprintf(text, sizeof(text), "%+.1f %%", change * 100);
	buf_printf(out, " %9s", text);
	print_verdict(c, out);
	buf_char(out, '\n');
}

/* Only names that changed; control characters of one would reach the
 * terminal. */
static void
print_name(const struct change_of_name *n, struct buf *out)
{
	if (n->p95.verdict == CHANGE_SAME)
		return;
	jsn_escape(out, span_of(n->method));
	buf_char(out, ' ');
	jsn_escape(out, span_of(n->name));
	buf_char(out, '\n');
	print_line(&n->p95, "  p95", out);
}

static void
print_crossed(const char *whose, const struct figures *f, struct buf *out)
{
	size_t i;

	for (i = 0; i < f->n_crossed; i++) {
		buf_printf(out, "  %s: ", whose);
		jsn_escape(out, span_of(f->crossed[i]));
		buf_char(out, '\n');
	}
}

void
compare_print(const struct comparison *c, struct buf *out)
{
	size_t i;

	buf_printf(out, "%-18s %12s %12s %9s\n", "", c->n_base > 1 ?
	    "baseline" : "A", c->n_base > 1 ? "run" : "B", "change");
	for (i = 0; i < MEASURES; i++) {
		print_line(&c->changes[i], measures[i].name, out);
		if (i == MEASURE_CROSSED && c->n_base == 1)
			print_crossed("A", c->base, out);
		if (i == MEASURE_CROSSED)
			print_crossed(c->n_base > 1 ? "run" : "B", c->run,
			    out);
	}
	for (i = 0; i < c->n_names; i++)
		print_name(&c->names[i], out);
	compare_print_end(c, out);
	buf_char(out, '\n');
}

void
compare_print_end(const struct comparison *c, struct buf *out)
{
	double percent = c->min_effect * 100;

	if (c->worse != 0)
		buf_printf(out, "worse by at least %g %%: %d", percent,
		    c->worse);
	else if (c->unknown != 0)
		buf_printf(out, "nothing is known to be worse by at least "
		    "%g %%", percent);
	else
		buf_printf(out, "nothing is worse by at least %g %%", percent);
	if (c->unknown > c->missing)
		buf_printf(out, "; too little data to tell: %d",
		    c->unknown - c->missing);
	if (c->missing != 0)
		buf_printf(out, "; not known any more: %d", c->missing);
}

void
compare_print_change(const struct change *c, struct buf *out)
{
	double change = measure_change(c->value[0], c->value[1]);

	if (c->is_missing) {
		buf_text(out, "is not known, the base has it");
		return;
	}
	if (c->measure->unit == UNIT_SHARE)
		buf_printf(out, "%.2f %% to %.2f %%", c->value[0] * 100,
		    c->value[1] * 100);
	else if (c->measure->unit == UNIT_COUNT)
		buf_printf(out, "%.0f to %.0f", c->value[0], c->value[1]);
	else
		buf_printf(out, "%.4g to %.4g %s", c->value[0], c->value[1],
		    units[c->measure->unit]);
	if (isfinite(change) && c->measure->unit != UNIT_SHARE)
		buf_printf(out, ", %+.1f %%", change * 100);
	if (c->verdict == CHANGE_UNKNOWN)
		buf_text(out, ", too little data to tell");
	else
		print_confidence(c, " ", out);
}

void
compare_put_change(const struct change *c, struct jsn_out *o)
{
	jsn_member_number(o, "change", measure_change(c->value[0],
		    c->value[1]));
	jsn_member_number(o, "low", c->evidence.low);
	jsn_member_number(o, "high", c->evidence.high);
	jsn_member_number(o, "p", c->evidence.p);
	jsn_member_text(o, "verdict", span_of(change_verdict_name(
	    c->verdict)));
}

static void
put_figure(const struct change *c, struct jsn_out *o)
{
	jsn_open(o, '{');
	jsn_member_text(o, "figure", span_of(c->measure->name));
	jsn_member_text(o, "unit", span_of(units[c->measure->unit]));
	jsn_member_number(o, "base", c->value[0]);
	jsn_member_number(o, "run", c->value[1]);
	jsn_key(o, "judged");
	jsn_put_bool(o, c->measure->sign != 0);
	compare_put_change(c, o);
	jsn_close(o, '}');
}

static void
put_crossed(const struct figures *f, struct jsn_out *o)
{
	size_t i;

	jsn_open(o, '[');
	for (i = 0; i < f->n_crossed; i++)
		jsn_put_text(o, span_of(f->crossed[i]));
	jsn_close(o, ']');
}

void
compare_put(const struct comparison *c, struct jsn_out *o)
{
	size_t i;

	jsn_member_number(o, "min_effect", c->min_effect);
	jsn_member_number(o, "alarm", COMPARE_ALARM);
	jsn_member_int(o, "worse", c->worse);
	jsn_member_int(o, "better", c->better);
	jsn_member_int(o, "unknown", c->unknown);
	jsn_key(o, "figures");
	jsn_open(o, '[');
	for (i = 0; i < MEASURES; i++)
		put_figure(&c->changes[i], o);
	jsn_close(o, ']');
	jsn_key(o, "crossed");
	jsn_open(o, '{');
	jsn_key(o, "base");
	put_crossed(c->base, o);
	jsn_key(o, "run");
	put_crossed(c->run, o);
	jsn_close(o, '}');
}
