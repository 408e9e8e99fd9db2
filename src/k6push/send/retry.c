/* SPDX-License-Identifier: MIT */
/* How long to wait after a try that failed. */
#include "k6push/send/retry.h"

#include "base/random.h"
#include "base/units.h"

int64_t
retry_pause_ns(int failures, int64_t retry_after_ns)
{
	const int64_t first = NS_PER_S / 2, most = 5 * NS_PER_S;
	int64_t pause = failures > 4 ? most
	    : first << (failures > 0 ? failures - 1 : 0);
	uint32_t random = 0;

	if (pause > most)
		pause = most;
	if (retry_after_ns > 0)
		return retry_after_ns < 30 * NS_PER_S ? retry_after_ns
		    : 30 * NS_PER_S;
	random_bytes(&random, sizeof(random));
	return pause - (int64_t)((double)pause / 2 * random / UINT32_MAX);
}
