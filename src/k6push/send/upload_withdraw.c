/* SPDX-License-Identifier: MIT */
/*
 * Before a batch is split, or kept aside: an earlier try may have arrived, of
 * which no answer came; also one that libcurl or a proxy made anew by itself.
 * Its parts have keys of their own, and would be stored beside it. So its key is
 * withdrawn first (PROTOCOL 3.7): the server says that it has the batch, or
 * takes nothing under that key from then on.
 */
#include <stdlib.h>
#include <string.h>

#include "data/jsn.h"
#include "k6push/send/outcome.h"
#include "k6push/send/upload_priv.h"

enum { UNANSWERED_MAX = 8 };	/* in a row; batches are answered meanwhile */

bool
upload_must_withdraw(const struct uploader *u, const struct batch *p)
{
	return p->may_be_there && !u->cannot_withdraw &&
	    (u->to.push_url == NULL || strchr(u->to.push_url, '?') == NULL);
}

void
upload_withdraw(struct uploader *u, struct batch *p,
    const struct refusal *refusal)
{
	struct sending *s = upload_sending(u, p);

	s->is_withdrawal = true;
	s->tail = "/withdraw";
	if (refusal != NULL)
		s->refusal = (struct refusal){ refusal->may_split,
		    xstrdup(refusal->text) };
	wire_header(&s->message, "Content-Type: application/json");
	s->message.body = SPAN("{}");
	upload_post(u, s, wire_of(p->id.format)->path, p->id.key);
}

/* {"stored":true}. False: it says no such thing. */
static bool
parse_stored(struct span body, bool *is_stored)
{
	struct jsn j = jsn_of(body);
	bool is_said = false;
	struct span key;
	char first;

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key)) {
		first = jsn_peek(&j);
		if (span_is(key, "stored") && (first == 't' || first == 'f')) {
			is_said = true;
			*is_stored = first == 't';
		}
		(void)jsn_skip(&j);
	}
	return jsn_done(&j) && is_said;
}

enum answer {
	ANSWER_STORED,
	ANSWER_WITHDRAWN,
	ANSWER_UNKNOWN,		/* a server that knows no such call */
	ANSWER_LATER,
};

static enum answer
answer_of(const struct fetch_reply *reply)
{
	bool is_stored = false;

	switch (outcome_of(reply)) {
	case OUTCOME_ACKED:
		if (!parse_stored(reply->body, &is_stored))
			return ANSWER_UNKNOWN;
		return is_stored ? ANSWER_STORED : ANSWER_WITHDRAWN;
	case OUTCOME_RETRY:
		return reply->status == 501 ? ANSWER_UNKNOWN : ANSWER_LATER;
	case OUTCOME_HOLD:
		return reply->status >= 402 ? ANSWER_UNKNOWN : ANSWER_LATER;
	case OUTCOME_SPLIT:
	case OUTCOME_REFUSED:
	case OUTCOME_STOP:
		break;
	}
	return ANSWER_UNKNOWN;
}

/* Its key is withdrawn, or cannot be: go on with what the server said of the
 * batch. Without that it is its turn again. */
static void
go_on(struct uploader *u, struct sending *s, const struct fetch_reply *reply)
{
	struct span kept;
	struct why why;

	s->batch->may_be_there = false;
	if (s->refusal.text == NULL)
		return;
	if (upload_kept_body(u, s, &kept, &why) < 0)
		upload_lose(u, s->batch, &why);
	else
		upload_refuse(u, s, reply, &s->refusal, kept);
}

void
upload_take_withdrawal(struct uploader *u, struct sending *s,
    const struct fetch_reply *reply)
{
	enum answer answer = answer_of(reply);

	if (answer == ANSWER_LATER && ++u->unanswered < UNANSWERED_MAX) {
		upload_try_later(u, s, reply);
		return;
	}
	u->unanswered = 0;
	u->cannot_withdraw |= answer == ANSWER_UNKNOWN;
	if (answer != ANSWER_STORED) {
		go_on(u, s, reply);
		return;
	}
	upload_acknowledge(u, s->batch);
}
