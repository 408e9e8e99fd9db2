/* SPDX-License-Identifier: MIT */
/* file: small files whole, their replacement, and folders for them. */
#ifndef K6PIPE_BASE_FILE_H
#define K6PIPE_BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/why.h"

/* Append the bytes of a regular file to out, at most `max`. 0; 1: there is no
 * such file; -1: why names the path. */
int file_read(const char *path, size_t max, struct buf *out,
    struct why *why);

/* Put text at path: whole or not at all, by a new file beside it, which has
 * this mode from its first moment, and rename. The file and its new name are
 * on the disk when it returns. A device or a FIFO at path is written to. -1:
 * why names the path, which is as it was. */
int file_replace(const char *path, struct span text, mode_t mode,
    struct why *why);

/* The folder for what tools keep between runs: name below $XDG_STATE_HOME or
 * $HOME/.local/state; it is not made. Owned by the caller; NULL: neither is
 * set to an absolute path. */
char *file_state_dir(const char *name);

/* Make the folder that path stands in, and those above it, 0700 where they
 * are missing. -1: why names the folder. */
int file_make_folder(const char *path, struct why *why);

#endif
