/* SPDX-License-Identifier: MIT */
/* push: one stream on its way, from its first line to the books. */
#ifndef K6PIPE_K6PUSH_PUSH_H
#define K6PIPE_K6PUSH_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "base/unpack.h"
#include "data/settings.h"
#include "k6push/journal/journal.h"

struct push_options {
	struct settings settings;
	const char *config_file;
	const char *ca_file;
	int64_t vus;		/* 0: as Start says */
	int64_t duration_ns;	/* 0: as Start says */
	int64_t drain_ns;	/* without progress, after the input's end */
	int64_t beat_ns;	/* silence before a heartbeat; 0: never */
	struct opt_list thresholds;
	const char *journal_dir;	/* NULL: the usual place */
	struct journal_options journal;
	const char *result_file;	/* NULL: none */
	const char *instance;		/* NULL: made up, if it needs one */
	const char *finish;		/* --finish: the run */
	bool has_no_journal;
	bool is_resume, is_list, is_discard, is_create;
	bool is_from_data;
	bool is_verified;	/* --verify */
	bool expects_end;
	bool allows_http;
	bool is_dry_run;
	bool is_quiet;
};

/* Push the files, or stdin when there are none. SIGINT, SIGTERM and SIGHUP are
 * taken from here on. Returns the exit status. */
int push_run(struct push_options *o, char *const *files, int n_files);

/* What packed inputs are unpacked with. */
extern const struct codec *const input_codecs[];

/* Print the samples of the files or of stdin instead of sending them. */
int push_dry_run(struct push_options *o, char *const *files, int n_files);

/* Deliver what stands in the journals at these paths, or below them; none:
 * all in the usual place. Returns the worst exit status. */
int push_resume(struct push_options *o, char *const *paths, int n);

/* Print what journals there are. Returns the exit status. */
int push_list(const struct push_options *o, char *const *paths, int n);

/* Remove the journals at or below n paths, at least one, and tell what is lost
 * with each. Returns the exit status. */
int push_discard(const struct push_options *o, char *const *paths, int n);

/* Make a run and print its id and page. Returns the exit status. */
int push_create(struct push_options *o);

/* Finish the run o->finish with the worst state of its pushers. Returns the
 * exit status. */
int push_finish(struct push_options *o);

#endif
