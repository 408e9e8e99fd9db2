/* SPDX-License-Identifier: MIT */
/* Recognizes heads of answers that come again byte for byte, so that they are
 * not parsed twice. */
#include "k6gen/http/http1_priv.h"

enum { LONGEST = 4096 };	/* that is worth it */

size_t
http1_recall(struct http1_answer *a, struct span bytes)
{
	struct http1_known *k = a->known;
	struct http1_known_head *h;
	struct http1_answer was = *a;
	size_t i, at;

	if (k == NULL)
		return 0;
	for (i = 0; i < HTTP1_HEADS; i++) {
		at = (k->last + i) % HTTP1_HEADS;
		h = &k->heads[at];
		if (h->bytes.n == 0 || h->bytes.n > bytes.n ||
		    h->answer.is_head != a->is_head ||
		    memcmp(h->bytes.p, bytes.p, h->bytes.n) != 0)
			continue;
		k->last = at;
		*a = h->answer;
		a->user = was.user;
		a->line = was.line;
		buf_reset(&a->user->headers);
		buf_span(&a->user->headers, buf_whole(&h->headers));
		return h->bytes.n;
	}
	return 0;
}

void
http1_remember(const struct http1_answer *a, struct span head)
{
	struct http1_known *k = a->known;
	struct http1_known_head *h;

	if (k == NULL || head.n > LONGEST)
		return;
	h = &k->heads[k->next];
	k->next = (k->next + 1) % HTTP1_HEADS;
	buf_reset(&h->bytes);
	buf_span(&h->bytes, head);
	buf_reset(&h->headers);
	buf_span(&h->headers, buf_whole(&a->user->headers));
	h->answer = *a;
	h->answer.user = NULL;
	h->answer.line = (struct buf){ .n = 0 };
}

void
http1_release_known(struct http1_known *k)
{
	size_t i;

	for (i = 0; i < HTTP1_HEADS; i++) {
		buf_release(&k->heads[i].bytes);
		buf_release(&k->heads[i].headers);
	}
}
