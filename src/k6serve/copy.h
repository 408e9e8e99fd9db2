/* SPDX-License-Identifier: MIT */
/* copy: the command that copies one database into another. */
#ifndef K6PIPE_K6SERVE_COPY_H
#define K6PIPE_K6SERVE_COPY_H

#include <stdbool.h>

struct store;

/* Copy all runs that are over (takes_open: all runs), tokens and load tests,
 * and say in numbers what was copied. Returns the exit status:
 * EXIT_UNDELIVERED if something differs, is not copied yet, or if a database
 * failed. */
int copy_command(struct store *from, struct store *to, bool takes_open);

#endif
