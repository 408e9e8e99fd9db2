/* SPDX-License-Identifier: MIT */
/* dial_priv: a connection that is being made; for conn alone. */
#ifndef K6PIPE_K6GEN_HTTP_DIAL_PRIV_H
#define K6PIPE_K6GEN_HTTP_DIAL_PRIV_H

struct conn;

/* Close all attempts. */
void dial_free(struct conn *c);

#endif
