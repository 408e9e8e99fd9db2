/* SPDX-License-Identifier: MIT */
/*
 * source: the inputs. Without --merge they are one, read in turn. With it each
 * file is one of its own, and they are read side by side, the one next that is
 * behind the others, so that all come to a time bucket before it is closed.
 */
#ifndef K6PIPE_K6AGG_READ_SOURCE_H
#define K6PIPE_K6AGG_READ_SOURCE_H

#include "base/lines.h"
#include "data/run.h"
#include "k6agg/fold/fold.h"

struct source {
	struct lines in;
	struct fold_input *input;	/* its clock; the folding's */
	struct run_cuts cuts;	/* its files that were cut, so far */
	/* of the file that is read now: */
	int64_t good, bad;	/* lines, without blank ones */
	int64_t good_before;	/* of those before it */
	const char *hint;	/* foreign_hint of its first line; or NULL */
};

struct sources {
	struct source *list;	/* owned */
	size_t n;
	struct source *at;	/* the one that is read now */
	bool are_many;		/* files */
};

/* Make one for each input of the folding: for each of the files, or one for
 * all. */
void sources_init(struct sources *s, char *const *files, int n_files,
    struct folding *f);
void sources_release(struct sources *s);

/* Go to the one that is furthest behind; NULL: all are at their end. Until
 * its clock has passed *limit_ns no other is behind it. */
struct source *sources_next(struct sources *s, int64_t slack_ns,
    int64_t *limit_ns);

/* The file that is read now is at its end. Of one that has lines, but none of
 * the stream, a message says what it looks like; it counts as failed. */
void source_file_end(struct source *s);

/* True if any line of the inputs was of the stream. */
bool sources_have_any(const struct sources *s);

/* What to call the input: its name, if it is one file. */
const char *sources_name(const struct sources *s);

/* The first file that lacks an End line, or else a Start line; its name. */
const char *sources_cut(const struct sources *s, bool lacks_end);

/* Files that could not be read, of all. */
int sources_failed(const struct sources *s);

#endif
