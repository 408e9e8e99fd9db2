/* SPDX-License-Identifier: MIT */
/* Rounds seconds to the steps of a run. */
#include "k6serve/store/store_rolled.h"

#include "base/num.h"

int64_t
store_rolled_second(const struct store_rolled *rolled, int64_t second)
{
	if (rolled->minutes_to != 0 && second < rolled->minutes_to)
		return num_floor_to(second, STORE_MINUTES_S);
	if (rolled->tens_to != 0 && second < rolled->tens_to)
		return num_floor_to(second, STORE_TENS_S);
	return second;
}

int64_t
store_rolled_to(const struct store_rolled *rolled, int64_t step_s)
{
	int64_t tens = rolled->tens_to, minutes = rolled->minutes_to;

	if (step_s == STORE_MINUTES_S || tens == 0 ||
	    (minutes != 0 && minutes > tens))
		return minutes;
	return tens;
}
