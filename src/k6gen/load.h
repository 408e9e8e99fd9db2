/* SPDX-License-Identifier: MIT */
/* load: the virtual users' iterations, by the plan's executor. */
#ifndef K6PIPE_K6GEN_LOAD_H
#define K6PIPE_K6GEN_LOAD_H

#include "base/why.h"
#include "k6gen/emit.h"
#include "k6gen/plan.h"
#include "k6gen/report.h"

/* Run the plan to its end, or to the end that signals ask for; a second
 * signal ends the process. Samples go to emit, and all are written on return;
 * progress goes to report, whose report_start the caller has called. Returns
 * EXIT_DONE, EXIT_INTERRUPTED after a signal, or EXIT_FAILED: why (users
 * cannot be made, the wait failed, stdout does not take the output). */
int load_run(const struct plan *plan, struct emit *emit,
    struct report *report, struct why *why);

#endif
