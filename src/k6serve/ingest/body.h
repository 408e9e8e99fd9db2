/* SPDX-License-Identifier: MIT */
/* body: the samples of a request's body, unpacked and read piece by piece, so
 * that a large one takes no more memory than a small one. */
#ifndef K6PIPE_K6SERVE_INGEST_BODY_H
#define K6PIPE_K6SERVE_INGEST_BODY_H

#include "k6serve/http/call.h"
#include "k6serve/http/digest.h"
#include "k6serve/ingest/batch.h"

#define INFLATED_MAX ((size_t)128 << 20)	/* bytes unpacked */

/* Is the body in this Content-Encoding? 1; 0: in none; -1: in another one, as
 * the reply says. */
int body_is_coded(struct call *c, const char *encoding);

/* Add the samples of the body, plain or gzip, to the batch; digest becomes
 * that of the plain body. -1: the reply says what is wrong with it. */
int body_read(struct call *c, struct batch *batch,
    unsigned char digest[DIGEST_BYTES]);

#endif
