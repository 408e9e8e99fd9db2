/* SPDX-License-Identifier: MIT */
/* subst: sed's s command with a POSIX extended regular expression. */
#ifndef K6PIPE_K6AGG_SELECT_SUBST_H
#define K6PIPE_K6AGG_SELECT_SUBST_H

#include <regex.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/why.h"

struct subst {
	regex_t regex;
	char *to;		/* as given, owned; NULL: none was parsed */
	bool is_global;
};

/* Parse s/ERE/TEXT/FLAGS: any byte may stand for '/', and with \ before it
 * stands for itself; in TEXT & is the match, \1..\9 its parts, \n a newline,
 * \ before another byte that byte. Flags: g, all matches; i or I, no matter
 * what case. -1: why says what is wrong. */
int subst_parse(struct subst *s, const char *text, struct why *why);
void subst_release(struct subst *s);

/* Append in, replaced, to out. False: there was no match, and out has what in
 * has. */
bool subst_apply(const struct subst *s, struct span in, struct buf *out);

#endif
