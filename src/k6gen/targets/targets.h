/* SPDX-License-Identifier: MIT */
/*
 * targets: what is requested: the URLs of the command line, targets of a
 * file, or targets that stdin brings while the run goes on, few of which are
 * held at a time. Any thread may take one.
 */
#ifndef K6PIPE_K6GEN_TARGETS_TARGETS_H
#define K6PIPE_K6GEN_TARGETS_TARGETS_H

#include <stdbool.h>

#include "base/opt.h"
#include "data/tags.h"
#include "k6gen/targets/dice.h"
#include "k6gen/targets/text.h"

struct target {
	const char *method;
	struct text url, body;
	bool has_body;
	int64_t weight;		/* 1 or more; 0: none was given, which is 1 */
	struct text *headers;	/* "Name: value" */
	size_t n_headers, cap_headers;
	const char *name;	/* of the name tag; NULL: the URL's */
	struct tag *tags;
	size_t n_tags, cap_tags;
	char **owned;		/* the texts above */
	size_t n_owned, cap_owned;
};

/* What holds where a target does not say otherwise; borrowed. */
struct target_defaults {
	const char *method;	/* NULL: GET, or POST with a body */
	struct span body;	/* p NULL: none */
	const struct text_range *files;	/* parts of body that are sent as they
					   are, in order */
	size_t n_files;
	const char *basic;	/* name:password with placeholders; or NULL */
	const char *name;	/* NULL: none */
	const struct opt_list *headers;	/* with placeholders */
	const struct rows *rows;
	bool is_raw;		/* take no placeholders */
	bool is_template;	/* take them from files of bodies too */
	bool is_base64;		/* bodies of JSON targets, as vegeta's */
};

struct targets;

/* The n URLs of the command line; each iteration requests all. NULL: why,
 * without the URL's password. */
struct targets *targets_of_urls(char *const *urls, int n,
    const struct target_defaults *d, struct why *why);

/* Targets of a file; an iteration requests one, the next in order, or one by
 * chance if is_random. One of weight 3 comes three times as often as one of 1,
 * spread evenly. "-": stdin, read while the run goes on; its end is the
 * run's. NULL: why, with file and line. */
struct targets *targets_of_file(const char *path, bool is_random,
    const struct target_defaults *d, struct why *why);

void targets_free(struct targets *t);	/* NULL is allowed */

/* How many requests an iteration makes. */
int targets_per_iteration(const struct targets *t);

enum targets_result { TARGETS_ONE, TARGETS_LATER, TARGETS_END };

/* The target of an iteration's request 0..n-1, which the caller gives back by
 * targets_done. TARGETS_LATER: stdin has brought none yet. */
enum targets_result targets_take(struct targets *t, int request,
    struct dice *dice, const struct target **target);
void targets_done(struct targets *t, const struct target *target);

/* The first target's URL, masked, for people; borrowed. */
const char *targets_title(const struct targets *t);

/* Whether stdin ended without a single target. */
bool targets_were_none(struct targets *t);

/* Bad targets that stdin brought so far; each of the first was told of. */
int64_t targets_bad(const struct targets *t);

#endif
