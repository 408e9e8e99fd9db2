/* SPDX-License-Identifier: MIT */
/*
 * hook_thread: reports the end of each run to a URL, at least once. What is
 * due is in the database, so that it is reported after a restart, too.
 */
#ifndef K6PIPE_K6SERVE_HOOK_HOOK_THREAD_H
#define K6PIPE_K6SERVE_HOOK_HOOK_THREAD_H

#include "base/buf.h"
#include "k6serve/store/writer.h"

/* Texts but the secret are borrowed until hook_thread_stop. */
struct hook_config {
	const char *url;	/* NULL: nobody is told */
	struct buf secret;	/* owned; n 0: bodies are not signed */
	const char *base_url;	/* of the pages: "http://127.0.0.1:6570" */
	int64_t timeout_ns;	/* as in struct view */
};

/* Check the URL, and read the secret from a file without the white space at its
 * end; either may be NULL. -1: why. */
int hook_config_read(struct hook_config *c, const char *url,
    const char *secret_path, struct why *why);
void hook_config_release(struct hook_config *c);

struct hook_thread;

/* Only the thread may use the store until hook_thread_stop; config is borrowed
 * until then. NULL: why. */
struct hook_thread *hook_thread_start(const struct hook_config *config,
    struct store *store, struct writer *writer, struct why *why);

/* End the thread, before the writer is stopped; free. NULL is allowed. */
void hook_thread_stop(struct hook_thread *t);

#endif
