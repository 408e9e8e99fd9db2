/* SPDX-License-Identifier: MIT */
/* hook_body: what is reported of a run that has ended, and its signature. */
#ifndef K6PIPE_K6SERVE_HOOK_HOOK_BODY_H
#define K6PIPE_K6SERVE_HOOK_HOOK_BODY_H

#include "k6serve/store/store_hook.h"
#include "k6serve/view/view.h"

/* Append v->run as JSON; base_url is that of the pages. 1; 0: the run is gone;
 * -1: why. */
int hook_body_put(const struct view *v, const struct store_hook *hook,
    const char *base_url, struct buf *out, struct why *why);

/* Append the header with the body's HMAC-SHA256. -1: why. */
int hook_body_sign(struct span secret, struct span body, struct buf *header,
    struct why *why);

#endif
