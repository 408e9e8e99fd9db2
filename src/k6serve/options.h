/* SPDX-License-Identifier: MIT */
/* options: the command line of k6serve, checked before anything is opened. */
#ifndef K6PIPE_K6SERVE_OPTIONS_H
#define K6PIPE_K6SERVE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "k6serve/ingest/run_settings_offer.h"

struct options {
	const char *listen, *db, *format, *url, *certificate, *key;
	struct opt_list override, message;
	int64_t timeout_ns, max_series, baseline, keep_ns, keep_bytes;
	int64_t tens_ns, minutes_ns;
	double min_effect;	/* -1: not given */
	const char *on_finish, *hook_secret;
	bool takes_open;
};

/* Fill in o, from its defaults on, and offer. Texts are those of argv; free o
 * by options_release, and offer by its own function, whatever the outcome.
 * OPT_CONTINUE: argv[*first] on is a command that there is, or nothing; else
 * the status to exit with, after a message or the help. */
int options_parse(struct options *o, struct offer *offer, int argc,
    char **argv, int *first);
void options_release(struct options *o);

#endif
