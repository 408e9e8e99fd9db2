/* SPDX-License-Identifier: MIT */
/* run: a whole run: its threads, its seconds, its thresholds, its end. */
#ifndef K6PIPE_K6GEN_RUN_H
#define K6PIPE_K6GEN_RUN_H

#include <signal.h>

#include "base/why.h"
#include "k6gen/plan.h"
#include "k6gen/report/report.h"

/* Run the plan to its end, or to the end that signals or thresholds ask for;
 * n_signals counts the former. Samples go to stdout, and all are written on
 * return; progress and summary go to report. Returns EXIT_DONE,
 * EXIT_INTERRUPTED after a signal, EXIT_THRESHOLD if one was crossed, or
 * EXIT_FAILED: why (users cannot be made, a wait failed, output was lost). */
int run_plan(const struct plan *plan, struct report *report,
    const volatile sig_atomic_t *n_signals, struct why *why);

#endif
