/* SPDX-License-Identifier: MIT */
/* Asks the database for numbers. */
#include "k6serve/store/store_numbers.h"

#include <stdlib.h>

#include "base/mem.h"

int
store_numbers_reserve(struct store_numbers *numbers, struct store *s,
    enum engine_text text, size_t n, struct why *why)
{
	struct store_stmt p = store_prepare(s, s->engine->texts[text], why);
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_numbers_release(numbers);
	numbers->of = xmalloc(n * sizeof(numbers->of[0]));
	store_bind_int(&p, (int64_t)n);
	while (store_next(&p, &status, why))
		if (numbers->n < n)
			numbers->of[numbers->n++] = store_get_int(&p, 0);
	return status == 0 && numbers->n < n ?
	    why_set(why, "the database gives too few numbers") : status;
}

void
store_numbers_release(struct store_numbers *numbers)
{
	free(numbers->of);
	*numbers = (struct store_numbers){ NULL, 0, 0 };
}
