/* SPDX-License-Identifier: MIT */
/* Puts points into their columns, and loads them. */
#include "k6serve/store/store_point_load.h"

/* The values of a point. */
enum { POINT_SERIES, POINT_SECOND, POINT_SINK, POINT_VALUES = POINT_SINK +
	STORE_SINK_VALUES };

int
store_point_load_begin(struct store_point_load *l, struct store *s,
    struct why *why)
{
	static const char into[] = "point(series, second, "
	    STORE_SINK_COLUMNS ")";

	l->s = s;
	l->load = s->engine->load_begin(s->session, into, POINT_VALUES, why);
	return l->load == NULL ? -1 : 0;
}

int
store_point_load(struct store_point_load *l, int64_t series, int64_t second,
    const struct sink *sink, struct why *why)
{
	struct engine_value row[POINT_VALUES];
	struct buf *blob = &l->s->blob;

	buf_reset(blob);
	row[POINT_SERIES] = store_int_value(series);
	row[POINT_SECOND] = store_int_value(second);
	store_sink_values(sink, second, &row[POINT_SINK], blob);
	store_sink_values_end(&row[POINT_SINK], blob);
	return l->s->engine->load_row(l->load, row, why);
}

int
store_point_load_end(struct store_point_load *l, struct why *why)
{
	return l->s->engine->load_end(l->load, why);
}
