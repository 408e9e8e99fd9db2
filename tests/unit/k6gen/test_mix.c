/* SPDX-License-Identifier: MIT */
#include "k6gen/targets/mix.h"

#include "tap.h"

static void
check_turns(const int64_t *weights, size_t n, const char *expected)
{
	struct why why = { .text = "" };
	struct mix m = { .n = 0 };
	size_t i;

	CHECK(mix_make(&m, weights, n, &why) == 0);
	CHECK(m.n == strlen(expected));
	for (i = 0; i < m.n && expected[i] != '\0'; i++)
		CHECK(m.turns[i] == (uint32_t)(expected[i] - '0'));
	mix_release(&m);
}

static void
test_turns(void)
{
	check_turns((int64_t[]){ 1, 1, 1 }, 3, "012");
	check_turns((int64_t[]){ 7, 7 }, 2, "01");
	check_turns((int64_t[]){ 3, 1 }, 2, "0010");
	check_turns((int64_t[]){ 2, 4, 2 }, 3, "1021");
	check_turns((int64_t[]){ 1 }, 1, "0");
}

static void
test_too_long(void)
{
	struct why why = { .text = "" };
	struct mix m = { .n = 0 };
	int64_t weights[20];
	size_t i;

	for (i = 0; i < 20; i++)
		weights[i] = i == 0 ? 1 : 1000000;
	CHECK(mix_make(&m, weights, 20, &why) < 0 && m.turns == NULL);
	CHECK(strstr(why.text, "10000000") != NULL);
	weights[0] = 1000000;
	CHECK(mix_make(&m, weights, 20, &why) == 0 && m.n == 20);
	mix_release(&m);
}

int
main(void)
{
	test("turns follow the weights, spread evenly", test_turns);
	test("a round that is too long is refused", test_too_long);
	return tap_end();
}
