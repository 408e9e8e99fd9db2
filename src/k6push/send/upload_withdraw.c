/* SPDX-License-Identifier: MIT */
/*
 * Withdraws the key of a batch before it is split or kept aside (PROTOCOL
 * 3.7). An earlier try may have arrived although no answer came, or libcurl or
 * a proxy may have repeated one. The parts have keys of their own, and would
 * be stored beside the whole. The server says that it has the batch, or
 * accepts nothing under that key from then on.
 */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "data/jsn.h"
#include "k6push/send/outcome.h"
#include "k6push/send/retry.h"
#include "k6push/send/upload_priv.h"

bool
upload_must_withdraw(const struct uploader *u, const struct batch *p)
{
	return p->may_be_there && u->to.receiver->has_runs &&
	    !u->cannot_withdraw &&
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
	ANSWER_ODD,		/* one that seems not to, of a batch that was
				 * sent once and answered */
	ANSWER_LATER,
};

/* Only the API's own error says that the server knows no such call, and only if
 * it has never answered one. A page, an answer without a content and whatever
 * else a proxy says in the server's place say nothing; nor does a token that is
 * not taken any more. Who tells its database is k6serve, which knows it. Of a
 * batch without a lost try any answer will do: one server takes each path. */
static enum answer
answer_of(const struct uploader *u, const struct batch *p,
    const struct fetch_reply *reply)
{
	int status = reply->status;
	bool is_stored = false;

	if (outcome_of(reply) == OUTCOME_ACKED &&
	    parse_stored(reply->body, &is_stored))
		return is_stored ? ANSWER_STORED : ANSWER_WITHDRAWN;
	if (u->has_withdrawn || u->to.database != NULL || status == 0 ||
	    status == 401 || status == 403 || (status != 501 &&
	    outcome_of(reply) == OUTCOME_RETRY))
		return ANSWER_LATER;
	if (status >= 400 && outcome_is_api_error(reply))
		return ANSWER_UNKNOWN;
	return p->is_unsure ? ANSWER_LATER : ANSWER_ODD;
}

/* It waits, and is asked for again; the others go on, unless the server is
 * away. */
static void
ask_later(struct uploader *u, struct sending *s,
    const struct fetch_reply *reply)
{
	bool is_away = outcome_of(reply) == OUTCOME_RETRY;

	u->unanswered++;
	s->batch->not_before_ns = now_monotonic_ns() + retry_pause_ns(
	    u->unanswered + (is_away ? 0 : HOLD_FAILURES),
	    reply->retry_after_ns);
	upload_tell_unanswered(u, s, reply);
	if (is_away)
		upload_pause(u, s, reply);
}

/* Its key is withdrawn, or cannot be: go on with what the server said of the
 * batch. Without that it is its turn again. */
static void
go_on(struct uploader *u, struct sending *s, const struct fetch_reply *reply)
{
	struct span kept;
	struct why why;
	int status;

	s->batch->may_be_there = false;
	if (s->refusal.text == NULL)
		return;
	status = upload_kept_body(u, s, &kept, &why);
	if (status == JOURNAL_UNREADABLE)
		upload_read_later(u, s->batch, &why);
	else if (status < 0)
		upload_lose(u, s->batch, &why);
	else
		upload_refuse(u, s, reply, &s->refusal, kept);
}

void
upload_take_withdrawal(struct uploader *u, struct sending *s,
    const struct fetch_reply *reply)
{
	enum answer answer = answer_of(u, s->batch, reply);

	if (answer == ANSWER_LATER) {
		ask_later(u, s, reply);
		return;
	}
	u->unanswered = 0;
	u->cannot_withdraw |= answer == ANSWER_UNKNOWN;
	u->has_withdrawn |= answer < ANSWER_UNKNOWN;
	/* That is the batch as we sent it, or as it once was: nobody knows. */
	if (answer == ANSWER_STORED)
		upload_acknowledge(u, s->batch);
	else
		go_on(u, s, reply);
}
