/* SPDX-License-Identifier: MIT */
/* verify: what a metrics store has of a push, by its query API. */
#ifndef K6PIPE_K6PUSH_VERIFY_H
#define K6PIPE_K6PUSH_VERIFY_H

#include "k6push/session.h"

/* Ask until the store has all HTTP requests that the push made, for as long as
 * --drain says, and a little longer a store that answers, as what was taken a
 * moment ago may not be seen yet; a refusal ends it at once. The session has a
 * run. The last count decides the books from then on. -1, why: there was none,
 * or a refusal; the books believe the acknowledgements. */
int verify(struct session *session, struct why *why);

#endif
