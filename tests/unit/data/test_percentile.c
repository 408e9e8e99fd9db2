/* SPDX-License-Identifier: MIT */
#include "data/percentile.c"

#include <stdlib.h>

#include "tap.h"

/* p99.9 is 0.999, and its key has no point. */
static void
rows(void)
{
	int i;

	for (i = 0; i < PERCENTILES; i++) {
		const struct percentile_row *row = &percentiles[i];
		double percent = strtod(row->label + 1, NULL);
		char *key = xstrdup(row->label), *point = strchr(key, '.');

		CHECK(row->label[0] == 'p');
		CHECK(row->at > percent / 100 - 1e-12 &&
		    row->at < percent / 100 + 1e-12);
		CHECK(i == 0 || row->at > percentiles[i - 1].at);
		if (point != NULL)
			*point = '_';
		CHECK_TEXT(row->key, key);
		free(key);
	}
	CHECK(percentiles[P50].at < 0.51 && percentiles[P999].at > 0.99);
}

int
main(void)
{
	test("each percentile is called by its number, in rising order", rows);
	return tap_end();
}
