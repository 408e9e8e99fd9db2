/* SPDX-License-Identifier: MIT */
/* journals: those that operands name, or that are in the usual place. */
#ifndef K6PIPE_K6PUSH_JOURNALS_H
#define K6PIPE_K6PUSH_JOURNALS_H

#include <stddef.h>

#include "k6push/push.h"

/* A zeroed struct is empty. */
struct journals {
	char **paths;		/* owned */
	size_t n, cap;
};

/* Add all that n operands name, and those right below them, oldest first; n 0:
 * those of the usual place, which need not exist. Returns the exit status of
 * what was wrong, and told, with the operands. */
int journals_find(const struct push_options *o, char *const *paths, int n,
    struct journals *p);
void journals_release(struct journals *p);

#endif
