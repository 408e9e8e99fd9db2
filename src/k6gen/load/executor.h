/* SPDX-License-Identifier: MIT */
/* executor: the table of all executors; struct executor is in plan.h. */
#ifndef K6PIPE_K6GEN_LOAD_EXECUTOR_H
#define K6PIPE_K6GEN_LOAD_EXECUTOR_H

#include "k6gen/plan.h"

enum executor_kind { CONSTANT_VUS, RAMPING_VUS, SHARED_ITERATIONS,
	PER_VU_ITERATIONS, CONSTANT_ARRIVAL_RATE, RAMPING_ARRIVAL_RATE,
	EXECUTORS };

extern const struct executor executors[EXECUTORS];

#endif
