/* SPDX-License-Identifier: MIT */
/*
 * select_rule: METRIC, METRIC{TAG=VALUE,...} or TAG=VALUE, as --keep and
 * --drop take them (k6agg(1)).
 */
#ifndef K6PIPE_K6AGG_SELECT_SELECT_RULE_H
#define K6PIPE_K6AGG_SELECT_SELECT_RULE_H

#include <regex.h>

#include "base/why.h"
#include "data/tags.h"

struct tag_match {
	char *key, *value;	/* owned */
	bool is_regex, is_negated;
	regex_t regex;
};

/* A zeroed struct can be released. */
struct select_rule {
	const char *text;	/* as it was written; borrowed */
	bool is_used;		/* it matched something */
	char *metric;		/* pattern of fnmatch(3); NULL: any; owned */
	struct tag_match *matches;
	size_t n, cap;
};

/* -1: why says what is wrong. */
int select_rule_parse(struct select_rule *r, const char *text,
    struct why *why);
void select_rule_release(struct select_rule *r);

/* The metric is meant by the rule, whatever its tags. */
bool select_rule_names(const struct select_rule *r, struct span metric);

/* All conditions on tags hold; a tag that is not there is "". */
bool select_rule_holds(const struct select_rule *r,
    const struct tagset *tags);

#endif
