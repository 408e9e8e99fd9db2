/* SPDX-License-Identifier: MIT */
/* store_hook: the runs whose end is still to be reported to a URL. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_HOOK_H
#define K6PIPE_K6SERVE_STORE_STORE_HOOK_H

#include "k6serve/store/store.h"

/* From now on the end of each run that this store makes is to be told. */
void store_hook_keep(struct store *s);

/* One that has ended, with its verdict. */
struct store_hook {
	int64_t run;
	int run_status;
	char id[40];		/* of the delivery, the same for each try */
};

/* Of everybody's runs, the next with a number above after whose end is to be
 * told. 1; 0: there is none; -1: why. */
int store_hook_next(struct store *s, int64_t after, struct store_hook *hook,
    struct why *why);

/* It was told, or is not to be told any more. One that was only timed out may
 * go on, and end another time. */
enum store_result store_hook_done(struct store *s,
    const struct store_hook *hook, struct why *why);

#endif
