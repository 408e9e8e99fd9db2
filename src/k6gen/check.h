/* SPDX-License-Identifier: MIT */
/*
 * check: a condition for an answer, such as status==200, duration<300, body
 * contains ok, header Content-Type matches ^text/, json.data.id==7.
 */
#ifndef K6PIPE_K6GEN_CHECK_H
#define K6PIPE_K6GEN_CHECK_H

#include <regex.h>
#include <stdbool.h>

#include "base/why.h"
#include "k6gen/request.h"

enum check_subject { CHECK_STATUS, CHECK_TIMING, CHECK_SIZE, CHECK_PROTO,
	CHECK_BODY, CHECK_HEADER, CHECK_JSON };

enum check_op { CHECK_EQ, CHECK_NE, CHECK_LE, CHECK_LT, CHECK_GE, CHECK_GT,
	CHECK_CONTAINS, CHECK_MATCHES };

struct check {
	const char *name;	/* as it was written; borrowed */
	enum check_subject subject;
	enum timing timing;	/* CHECK_TIMING */
	char *header;		/* CHECK_HEADER; owned */
	struct span path;	/* CHECK_JSON; in name */
	bool has_number;	/* the text is one */
	enum check_op op;
	const char *text;	/* what is compared with; in name */
	double number;		/* of a number */
	bool has_regex;
	regex_t regex;		/* CHECK_MATCHES: POSIX, extended */
};

/* -1: why. */
int check_parse(struct check *c, const char *text, struct why *why);
void check_release(struct check *c);

/* Whether it needs the body, which is then compared as far as it was kept. */
bool check_needs_body(const struct check *c);

/* Whether a response is as asked. A request that failed has no body and no
 * headers, and the status 0. */
bool check_holds(const struct check *c, const struct http_reply *reply);

#endif
