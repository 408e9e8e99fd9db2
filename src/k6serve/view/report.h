/* SPDX-License-Identifier: MIT */
/* report: all about one run, for the page and for a file. */
#ifndef K6PIPE_K6SERVE_VIEW_REPORT_H
#define K6PIPE_K6SERVE_VIEW_REPORT_H

#include "k6serve/view/view.h"

enum report_format { REPORT_HTML, REPORT_JSON, REPORT_CSV, REPORT_TEXT,
	REPORT_JUNIT, REPORT_MARKDOWN, REPORT_GITHUB };

/* False: it is none of html, json, csv, text, junit, markdown, github. */
bool report_format_parse(const char *name, enum report_format *format);

/* Append the run that view_open found. HTML is one file that needs nothing
 * else; CSV is the table of requests; the last four are those of ci.h. 0, or
 * -1: why. */
int report_print(const struct view *v, enum report_format format,
    struct buf *out, struct why *why);

/* "k6serve report RUN" and "k6serve diff A B" on stdout (base NULL: with the
 * baseline that v->baseline asks for). They return the exit status. A run is
 * its number, or "last". */
int report_command(struct view *v, enum report_format format,
    const char *run);
int diff_command(struct view *v, enum report_format format, const char *base,
    const char *run);

/* "k6serve wait RUN": wait until the run has ended, and print it. Returns the
 * exit status: 0 if it passed, or finished and has no thresholds;
 * EXIT_THRESHOLD; or EXIT_FAILED if it did not finish, or is not known to have
 * passed. */
int wait_command(struct view *v, enum report_format format, const char *run);

/* The number of a run that an operand names; 0, after a message: none. */
int64_t run_operand(const struct view *v, const char *text);

#endif
