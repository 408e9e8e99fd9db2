/* SPDX-License-Identifier: MIT */
/* file: small files whole, and folders for them. */
#ifndef K6PIPE_BASE_FILE_H
#define K6PIPE_BASE_FILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/why.h"

/* Append the bytes of a regular file to out, at most `max`. 0; 1: there is no
 * such file; -1: why names the path. */
int file_read(const char *path, size_t max, struct buf *out,
    struct why *why);

/* Make the folder that path stands in, and those above it, 0700 where they
 * are missing. -1: why names the folder. */
int file_make_folder(const char *path, struct why *why);

#endif
