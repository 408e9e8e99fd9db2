/* SPDX-License-Identifier: MIT */
/* push: one stream on its way, from its first line to the books. */
#ifndef K6PIPE_K6PUSH_PUSH_H
#define K6PIPE_K6PUSH_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "data/settings.h"

struct push_options {
	struct settings settings;
	const char *config_file;
	const char *ca_file;
	int64_t vus;		/* 0: as Start says */
	int64_t duration_ns;	/* 0: as Start says */
	int64_t drain_ns;	/* time to go on after the end of input */
	struct opt_list thresholds;
	bool allows_http;
	bool is_dry_run;
	bool is_quiet;
};

/* Push the files, or stdin when there are none. SIGINT and SIGTERM are taken
 * from here on. Returns the exit status. */
int push_run(struct push_options *o, char *const *files, int n_files);

#endif
