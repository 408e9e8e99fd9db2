/* SPDX-License-Identifier: MIT */
/*
 * note: what a journal's batches belong to: the run, how to create it, how it
 * is to be finished. One JSON object; a later process goes on from it.
 */
#ifndef K6PIPE_K6PUSH_JOURNAL_NOTE_H
#define K6PIPE_K6PUSH_JOURNAL_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"
#include "k6push/journal/journal.h"

struct note {
	/* All owned; NULL: not known yet. */
	char *shared_run;		/* id, of K6_CLOUD_PUSH_REF_ID */
	char *push_url;			/* of K6_CLOUD_METRICS_PUSH_URL */
	char *host;			/* or the URL of a remote write */
	char *out;			/* "prometheus-rw"; NULL: the cloud */
	char *name, *thresholds;	/* of the create call; JSON object */
	char *run, *page;		/* id; where it is shown */
	char *database;			/* of the server, which has the run */
	char *config;			/* the server's override; JSON object */
	char *instance;
	char *results;			/* thresholds of the finish call */
	char create_key[KEY_TEXT], finish_key[KEY_TEXT];
	int64_t vus, duration_ns;
	int64_t started_ns;	/* unix time */
	int64_t made;		/* requests, as the stream's End says */
	int64_t dropped;	/* of them, before they came here */
	int64_t points;		/* that were read and to be sent; 0: an older
				   version did not note it */
	int64_t first_ns, last_ns;	/* of the data; 0: not known, as the
				   last of a push that was killed */
	int run_status, result_status;
	bool is_from_data;	/* the run is dated by these */
	bool is_borrowed;	/* the run is not ours to finish */
	bool keeps_testid;	/* remote write: samples may name their run; */
	bool has_own_testids;	/* they name several; else, where the input */
	char *own_testid;	/* has ended, this; NULL: none */
	bool has_ended;		/* the input has, and its last members count */
	bool is_cut;		/* its pusher was killed: made and points are
				   what its journal knew of */
};

void note_release(struct note *n);

/* Set a text; NULL or n 0 leaves it unset. */
void note_set(char **member, const char *text, size_t n);

void note_print(const struct note *n, struct buf *out);

/* -1: not a note, or of a later version. */
int note_parse(struct note *n, struct span text, struct why *why);

#endif
