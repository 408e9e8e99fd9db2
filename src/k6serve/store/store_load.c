/* SPDX-License-Identifier: MIT */
/* Hands row after row to the engine. */
#include "k6serve/store/store_load.h"

int
store_load(struct store *s, const struct store_load *load, struct why *why)
{
	const struct engine *engine = s->engine;
	struct engine_value row[STORE_LOAD_COLUMNS];
	struct engine_load *l;
	int status = 0, ended;
	size_t i;

	if (load->n == 0)
		return 0;
	l = engine->load_begin(s->session, load->into, load->columns, why);
	if (l == NULL)
		return -1;
	for (i = 0; i < load->n && status == 0; i++)
		if (load->put(load->ctx, i, row))
			status = engine->load_row(l, row, why);
	ended = engine->load_end(l, why);
	return status < 0 ? -1 : ended;
}

void
store_point_values(struct store *s, int64_t series, int64_t second,
    const struct sink *sink, struct engine_value *row)
{
	enum { SERIES, SECOND, FIRST_OF_SINK };

	buf_reset(&s->blob);
	row[SERIES] = store_int_value(series);
	row[SECOND] = store_int_value(second);
	store_sink_values(sink, second, &row[FIRST_OF_SINK], &s->blob);
	store_sink_values_end(&row[FIRST_OF_SINK], &s->blob);
}
