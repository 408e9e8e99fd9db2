/* SPDX-License-Identifier: MIT */
#include "k6push/wire/numbers.h"

#include <pthread.h>
#include <stdlib.h>

#include "tap.h"

enum { THREADS = 4, ROUNDS = 20000 };

static struct numbers numbers;
static unsigned char seen[THREADS * ROUNDS * 2 + 2];
static uint64_t first[THREADS][ROUNDS];

static void
in_a_row(void)
{
	struct numbers n = { 0 };

	CHECK(numbers_take(&n, 1) == 1);
	CHECK(numbers_take(&n, 2) == 2);
	CHECK(numbers_take(&n, 1) == 4);
	numbers_continue(&n, 17);
	CHECK(numbers_take(&n, 2) == 18);
	CHECK(numbers_take(&n, 1) == 20);
}

static void *
take_many(void *ctx)
{
	uint64_t *to = ctx;
	int i;

	for (i = 0; i < ROUNDS; i++)
		to[i] = numbers_take(&numbers, 1 + (uint64_t)i % 2);
	return NULL;
}

static void
from_threads(void)
{
	pthread_t thread[THREADS];
	uint64_t k;
	int i, j, twice = 0;

	for (i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, take_many,
		    first[i]) == 0);
	for (i = 0; i < THREADS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	for (i = 0; i < THREADS; i++)
		for (j = 0; j < ROUNDS; j++)
			for (k = 0; k < 1 + (uint64_t)j % 2; k++)
				twice += seen[first[i][j] + k]++;
	CHECK(twice == 0);
	CHECK(numbers_take(&numbers, 1) == THREADS * ROUNDS / 2 * 3 + 1);
}

int
main(void)
{
	test("numbers follow each other, in rows of what was asked for",
	    in_a_row);
	test("threads that take at the same time never get the same",
	    from_threads);
	return tap_end();
}
