/* SPDX-License-Identifier: MIT */
/*
 * config: k6's own config file (PROTOCOL 6). Read by all, written by k6login:
 * whole or not at all, 0600 from the first byte, other members kept.
 */
#ifndef K6PIPE_IO_CONFIG_H
#define K6PIPE_IO_CONFIG_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/why.h"

/* Where k6 keeps its config: given (may be NULL), else $K6_CONFIG, else
 * k6/config.json below $XDG_CONFIG_HOME or $HOME/.config. Owned by the
 * caller; NULL: no place can be told. *is_default: neither of the first. */
char *config_path(const char *given, bool *is_default, struct why *why);

/* The place that k6 used up to v0.57, or NULL. Owned by the caller. */
char *config_old_path(void);

/* Append the JSON of collectors.cloud in the file to out; nothing if it has
 * none. 0: done; 1: there is no such file; -1: it cannot be read, or is not
 * JSON. *is_open: others than its owner may read it. */
int config_read_cloud(const char *path, struct buf *out, bool *is_open,
    struct why *why);

/* As config_read_cloud for the place that k6 uses: the file given, which must
 * exist, or the default one, or else the old one. -1 or 0. */
int config_find_cloud(const char *given, struct buf *out, struct why *why);

/* Set members of collectors.cloud to text, or to null where a value is NULL;
 * all else stays. The folder is made, 0700, if it is missing. */
struct config_member {
	const char *key, *value;
};

int config_write_cloud(const char *path, const struct config_member *members,
    size_t n, struct why *why);

#endif
