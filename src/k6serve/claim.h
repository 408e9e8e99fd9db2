/* SPDX-License-Identifier: MIT */
/*
 * claim: which files a k6serve serves, told to others by a lock that ends with
 * the process. Nothing waits for it: SQLite's own locks keep the data whole.
 */
#ifndef K6PIPE_K6SERVE_CLAIM_H
#define K6PIPE_K6SERVE_CLAIM_H

#include <stdbool.h>

/* Claim the database file. Several may. Returns the descriptor that holds the
 * claim; -1: the file system has no locks, or the file cannot be opened. It is
 * closed only after SQLite has closed the file: closing it drops all POSIX
 * locks that the process has on the file. */
int claim_file(const char *path);

/* Has another process, or another descriptor, claimed it, too? fd -1: no. */
bool claim_is_shared(int fd);

#endif
