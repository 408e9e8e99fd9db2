/* SPDX-License-Identifier: MIT */
/* ci_text: names from outside, in the forms that CI systems read. */
#ifndef K6PIPE_K6SERVE_VIEW_CI_TEXT_H
#define K6PIPE_K6SERVE_VIEW_CI_TEXT_H

#include "base/buf.h"

/* Append for a terminal: control characters would reach it, or break a line. */
void ci_text_plain(const char *text, struct buf *out);

/* For XML, which has no place for most control characters. */
void ci_text_xml(const char *text, struct buf *out);

/* For a cell of a Markdown table, and never HTML or markup. */
void ci_text_cell(const char *text, struct buf *out);

/* For a workflow command of GitHub: what would end or change it is escaped. */
void ci_text_command(const char *text, struct buf *out);

enum case_result { CASE_PASSED, CASE_FAILED, CASE_SKIPPED };

/* What a JUnit file has one of for each criterion. */
struct test_case {
	const char *class, *name;
	enum case_result result;
	struct buf message;
};

/* Append one, release its message, and count it by its result. */
void ci_text_case(struct test_case *t, int count[3], struct buf *out);

#endif
