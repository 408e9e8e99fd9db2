/* SPDX-License-Identifier: MIT */
/* What a tool does about the end of its terminal. */
#include "base/hangup.h"

#include <signal.h>

bool
hangup_is_ignored(void)
{
	struct sigaction now;

	return sigaction(SIGHUP, NULL, &now) == 0 &&
	    now.sa_handler == SIG_IGN;
}

int
hangup_counts_as(int number, bool is_ending)
{
	if (number != SIGHUP)
		return number;
	return is_ending ? 0 : SIGINT;
}

void
hangup_take(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	(void)sigemptyset(&action.sa_mask);
	if (!hangup_is_ignored())
		(void)sigaction(SIGHUP, &action, NULL);
}
