/* SPDX-License-Identifier: MIT */
/*
 * writer: the thread that changes the database. Requests that write are
 * handed to it by the server's thread, which goes on to answer others. What
 * came in while a commit was under way goes into the next one together, and
 * nobody is answered before that commit is on disk.
 */
#ifndef K6PIPE_K6SERVE_STORE_WRITER_H
#define K6PIPE_K6SERVE_STORE_WRITER_H

#include "k6serve/http/app.h"

struct writer;

/* Start the thread. app is copied, but with the store, which only the writer
 * may use from then on. NULL: why. */
struct writer *writer_start(const struct app *app, struct store *store,
    struct why *why);

/* Defer the call: its route's answer is called on the thread, within a
 * transaction, maybe twice. To be called on the server's thread. */
void writer_add(struct writer *w, const struct call *c);

/* End the thread after what was added; free. NULL is allowed. */
void writer_stop(struct writer *w);

#endif
