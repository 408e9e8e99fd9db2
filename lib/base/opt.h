/* SPDX-License-Identifier: MIT */
/*
 * opt: command-line options from tables. One row serves the parser, --help
 * and the shell completion, so they cannot disagree.
 */
#ifndef K6PIPE_BASE_OPT_H
#define K6PIPE_BASE_OPT_H

#include <stddef.h>

#include "base/why.h"

/* What an option's value is, and what stands at `offset` in the target. */
enum opt_kind {
	OPT_FLAG,	/* no value; bool */
	OPT_TEXT,	/* const char *, borrowed from argv */
	OPT_INT,	/* int64_t, 0 or more */
	OPT_DURATION,	/* int64_t of ns, 0 or more; a unit is required, as in
			   k6's flags ("30" would be 30 ms elsewhere), but
			   for "0" */
	OPT_LIST,	/* struct opt_list: every value given, in order */
	OPT_CALL,	/* `set` is called with the value */
};

struct opt {
	char letter;		/* 0: none */
	const char *name;	/* without dashes; NULL ends a table */
	const char *arg;	/* name of the value in --help; NULL: none */
	const char *help;	/* one line, lower case */
	enum opt_kind kind;
	size_t offset;		/* of the member in the target */
	int (*set)(void *member, const struct opt *o, const char *value,
	    struct why *why);	/* OPT_CALL; 0 or -1 */
	int id;			/* OPT_CALL: free for the table's owner */
};

struct opt_list {
	const char **items;	/* array owned, texts borrowed from argv */
	size_t n, cap;
};

/* A tool as its user sees it from the outside. */
/* What another tool calls an option, and what to say of it. */
struct opt_hint {
	char letter;		/* 0 ends the list */
	const char *text;	/* of -h and -V: when more letters follow */
};

struct opt_tool {
	const char *synopsis;	/* behind the name: "[options] [FILE...]" */
	const char *about;	/* one sentence */
	const char *examples;	/* NULL or lines for the end of --help */
	const struct opt *tables[4];	/* the tool's own first */
	const struct opt_hint *hints;	/* of unknown letters; or NULL */
};

#define OPT_CONTINUE (-1)

/* Parse argv into target; *first becomes the index of the first operand
 * (options may stand among operands, which are moved to the end). Returns
 * OPT_CONTINUE, or the status to exit with: 0 after --help, --version or
 * --completion wrote to stdout, EXIT_USAGE after a message on stderr. */
int opt_parse(const struct opt_tool *tool, void *target, int argc,
    char **argv, int *first);

/* Report wrong use: the message, then a line that names --help. Returns
 * EXIT_USAGE. */
int opt_misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

void opt_list_add(struct opt_list *list, const char *item);
void opt_list_release(struct opt_list *list);

#endif
