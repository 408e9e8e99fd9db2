/* SPDX-License-Identifier: MIT */
/* target: one target, read from lines: vegeta's text form, or JSON. */
#ifndef K6PIPE_K6GEN_TARGETS_TARGET_H
#define K6PIPE_K6GEN_TARGETS_TARGET_H

#include "k6gen/targets/targets.h"

enum { TARGET_MOST_WEIGHT = 1000000 };

/* Whether the text is a token of HTTP: a method, a header's name. */
bool target_is_token(struct span text);

/* Check a header, "Name: value". -1: why. */
int target_check_header(struct span line, struct why *why);

/* Memory of a zeroed target. */
void target_release(struct target *t);

/* Copy text into the target's memory. */
const char *target_keep(struct target *t, struct span text);

/* Set the URL. -1: why: a URL or a placeholder that cannot be taken. */
int target_set_url(struct target *t, struct span url,
    const struct target_defaults *d, struct why *why);

/* Add a header, "Name: value", or set the body, the text or the bytes of a
 * file; all are copied. -1: why. */
int target_add_header(struct target *t, struct span line,
    const struct target_defaults *d, struct why *why);
int target_set_body(struct target *t, struct span body,
    const struct target_defaults *d, struct why *why);
int target_set_body_file(struct target *t, const char *path,
    const struct target_defaults *d, struct why *why);

/* Fill in what was not said. -1: why (a placeholder of the body). */
int target_complete(struct target *t, const struct target_defaults *d,
    struct why *why);

/* Lines become targets. A zeroed struct has read nothing. */
struct target_reader {
	const struct target_defaults *defaults;
	struct target *open;	/* of the text form: may get more lines */
	bool is_doubtful;	/* the last line is a comment that looks like
				   a weight and is none */
};

/* Take a line; *done is a complete target (the caller's, to release and
 * free), or NULL. -1: why; what belongs to the line is dropped. */
int target_reader_take(struct target_reader *r, struct span line,
    struct target **done, struct why *why);

/* The input is at its end: as target_reader_take. */
int target_reader_end(struct target_reader *r, struct target **done,
    struct why *why);

#endif
