/* SPDX-License-Identifier: MIT */
/*
 * hangup: SIGHUP, which all tools of a pipeline get when their terminal or the
 * connection to it is gone. Each gets it up to three times then: from the
 * kernel, from the shell, and when the shell has ended.
 */
#ifndef K6PIPE_BASE_HANGUP_H
#define K6PIPE_BASE_HANGUP_H

#include <stdbool.h>

/* Whether whoever started the process wants it to live on, as nohup(1) does. */
bool hangup_is_ignored(void);

/* Call handler at SIGHUP, without SA_RESTART, unless it is ignored. */
void hangup_take(void (*handler)(int));

/* For a handler of SIGHUP and other signals: what a signal counts as. SIGHUP is
 * as SIGINT, which the writer of a pipe gets, too; but behind any other signal
 * that has come it is 0, nothing: it comes more than once, and is nobody's wish
 * to end at once. */
int hangup_counts_as(int number, bool is_ending);

#endif
