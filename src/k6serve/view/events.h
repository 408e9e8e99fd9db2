/* SPDX-License-Identifier: MIT */
/* events: a run's changes, as they come. */
#ifndef K6PIPE_K6SERVE_VIEW_EVENTS_H
#define K6PIPE_K6SERVE_VIEW_EVENTS_H

#include "k6serve/http/call.h"

/* Answer with a stream of server-sent events, one for each change of the run
 * that the server's tick notices; it ends behind the event "end" when the run
 * has ended and was judged, or when it is gone. */
void send_events(struct call *c);

#endif
