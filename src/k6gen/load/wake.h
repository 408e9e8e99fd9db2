/* SPDX-License-Identifier: MIT */
/* wake: a heap of the times at which users are to be woken. */
#ifndef K6PIPE_K6GEN_LOAD_WAKE_H
#define K6PIPE_K6GEN_LOAD_WAKE_H

#include <stddef.h>
#include <stdint.h>

struct wake_entry {
	int64_t ns;
	int who;
};

/* A zeroed struct is empty. */
struct wake {
	struct wake_entry *heap;	/* owned */
	size_t n, cap;
};

void wake_release(struct wake *w);
void wake_add(struct wake *w, int64_t ns, int who);

/* The earliest time; INT64_MAX while empty. */
int64_t wake_next_ns(const struct wake *w);

/* Take the earliest, if it is due at now_ns: returns who; -1: none is. Who
 * is added twice is taken twice. */
int wake_take(struct wake *w, int64_t now_ns, int64_t *ns);

#endif
