/* SPDX-License-Identifier: MIT */
/* plan: what a run is to do, checked. Made once, of the options. */
#ifndef K6PIPE_K6GEN_PLAN_H
#define K6PIPE_K6GEN_PLAN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/opt.h"

enum executor { CONSTANT_VUS, SHARED_ITERATIONS, PER_VU_ITERATIONS };

/* Texts are borrowed from argv, or owned by main. */
struct plan {
	enum executor executor;
	int vus;
	int64_t iterations;	/* of all VUs; 0: not limited */
	int64_t duration_ns;	/* no iteration starts later */
	int64_t graceful_ns;	/* what running ones may take after that */
	int64_t timeout_ns;	/* of a request with its redirects */
	int64_t max_redirects;
	const char *name;
	const char *method;
	struct span body;	/* p NULL: none */
	const char *user_agent;
	char *const *urls;	/* requested in turn by each iteration */
	int n_urls;
	struct opt_list headers;
	struct opt_list tags;	/* key=value */
	bool is_insecure;
	/* How many signals asked for an end. */
	const volatile sig_atomic_t *n_signals;
};

#endif
