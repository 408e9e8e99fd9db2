/* SPDX-License-Identifier: MIT */
/*
 * config: k6's own config file (PROTOCOL 6). Read by all, written by k6login:
 * whole or not at all, 0600 from the first byte, other members kept.
 */
#ifndef K6PIPE_IO_CONFIG_H
#define K6PIPE_IO_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "data/settings.h"

/* Where k6 keeps its config: given (may be NULL), else $K6_CONFIG, else
 * k6/config.json below $XDG_CONFIG_HOME or $HOME/.config. Owned by the
 * caller; NULL: no place can be told. *is_default: neither of the first. */
char *config_path(const char *given, bool *is_default, struct why *why);

/* The place that k6 used up to v0.57, or NULL. Owned by the caller. */
char *config_old_path(void);

/* Take the settings of collectors.cloud, as FROM_FILE, from the file given,
 * which must exist, or from where k6 keeps it, today or up to v0.57; no file
 * at all is no error. -1: it cannot be read, is not JSON, or a setting in it
 * is none. */
int config_load(const char *given, struct settings *s, struct why *why);

/* What k6login stores. token NULL: nothing is left of a login. stack_url NULL:
 * the stack of the file stays. Numbers of 0 are none. */
struct config_login {
	const char *token;
	const char *stack_url;
	int64_t stack_id, project_id;	/* stackID, defaultProjectID */
};

/* Put the login into the file; all else in it stays. Its folder is made, 0700,
 * if it is missing. A symbolic link of ours to a file of ours stays, and that
 * file is written. -1: the file is as it was. */
int config_write_login(const char *path, const struct config_login *login,
    struct why *why);

#endif
