/* SPDX-License-Identifier: MIT */
/* body: the samples of a request's body, unpacked and read piece by piece, so
 * that a large one takes no more memory than a small one. */
#ifndef K6PIPE_K6SERVE_INGEST_BODY_H
#define K6PIPE_K6SERVE_INGEST_BODY_H

#include "k6serve/http/app.h"
#include "k6serve/http/digest.h"
#include "k6serve/ingest/batch.h"

/* Add the samples of the body, plain or gzip, to the batch; digest becomes
 * that of the plain body. -1: the reply says what is wrong with it. */
int body_read(struct call *c, struct batch *batch,
    unsigned char digest[DIGEST_BYTES]);

#endif
