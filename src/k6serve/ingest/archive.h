/* SPDX-License-Identifier: MIT */
/* archive: k6's archive of a script, a tar that is read in memory only. */
#ifndef K6PIPE_K6SERVE_INGEST_ARCHIVE_H
#define K6PIPE_K6SERVE_INGEST_ARCHIVE_H

#include <stdbool.h>

#include "base/mem.h"

/* Find the file of that name, at most 100 bytes, in a tar (POSIX ustar).
 * *content points into it. False: there is none, or the tar is cut short or
 * none. */
bool archive_file(struct span tar, const char *name, struct span *content);

#endif
