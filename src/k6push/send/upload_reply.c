/* SPDX-License-Identifier: MIT */
/* What becomes of a batch by the server's answer: done, tried again, split, or
 * kept aside. */
#include "k6push/send/upload_priv.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/die.h"
#include "base/map.h"
#include "base/units.h"
#include "k6push/send/outcome.h"
#include "k6push/send/retry.h"
#include "k6push/wire/wire.h"

enum {
	BACKLOG = 4,		/* fewer waiting batches are not a backlog */
	REFUSALS_MAX = 64,	/* in a row: it is not for single samples */
};

/* whole_done: nothing needs it any more. */
static void
end_whole(void *ctx, const struct whole *w)
{
	struct uploader *u = ctx;

	journal_done(u->journal, &w->id, JOURNAL_SPLIT, &w->place);
}

void
upload_leave_whole(struct uploader *u, struct batch *p)
{
	batch_leave_whole(p, end_whole, u);
}

/* The batch needs no more sending. */
static void
end_batch(struct uploader *u, struct batch *p, enum journal_end how)
{
	upload_leave_whole(u, p);
	if (u->journal != NULL)
		journal_done(u->journal, &p->id, how, &p->place);
	packer_forget_loose(u->packer, p);
	batches_remove(&u->waiting, p);
	u->is_catching_up &= u->waiting.n > 0;
}

void
upload_note_success(struct uploader *u)
{
	int64_t now = now_monotonic_ns(), length;

	u->failures = 0;
	u->retry_at_ns = 0;
	u->acked_ns = now;
	if (u->told != NULL)
		warnf("the server takes samples again");
	u->told = NULL;
	u->told_causes.n = 0;
	u->refusals = 0;
	if (u->outages.began_ns == 0)
		return;
	length = now - u->outages.began_ns;
	if (length > u->outages.longest_ns)
		u->outages.longest_ns = length;
	u->outages.began_ns = 0;
}

static void
add_amount(struct amount *sum, const struct batch *p)
{
	sum->points += p->id.points;
	sum->requests += p->id.requests;
}

void
upload_acknowledge(struct uploader *u, struct batch *p)
{
	add_amount(&u->acked, p);
	end_batch(u, p, JOURNAL_ACKED);
	batch_free(p);
	upload_note_success(u);
}

void
upload_lose(struct uploader *u, struct batch *p, const struct why *why)
{
	warnf("%" PRIu64 " sample%s cannot be sent: %s", p->id.points,
	    p->id.points == 1 ? "" : "s", why->text);
	add_amount(&u->lost, p);
	end_batch(u, p, JOURNAL_LOST);
	batch_free(p);
}

/* What the server said; before it took anything, it may not know the
 * protocol. */
static void
describe_reply(const struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply, struct buf *text)
{
	outcome_describe(reply, s->url, text);
	if (u->to.is_borrowed && reply->status == 404)
		buf_printf(text, " (is run %s, of K6_CLOUD_PUSH_REF_ID, one of "
		    "this server and this token?)", u->to.run_id);
	else if (u->acked.points == 0 && s->batch != NULL)
		wire_hint(s->batch->id.format, reply->status, text);
}

/* True if this cause was not told yet, whatever numbers are in it; after a few
 * none is new. */
static bool
is_new_cause(struct causes *told, const char *text)
{
	uint64_t hash = 0;
	int i;

	for (; *text != '\0'; text++)
		if (*text < '0' || *text > '9')
			hash = hash_bytes(hash, text, 1);
	for (i = 0; i < told->n; i++)
		if (told->hash[i] == hash)
			return false;
	if (i == TOLD_CAUSES)
		return false;
	told->hash[told->n++] = hash;
	return true;
}

/* Tell of trouble once per kind and cause, until something went well. */
static void
report_trouble(struct uploader *u, const char *kind,
    const struct fetch_reply *reply, const struct sending *s)
{
	struct buf text = { 0 };

	if (u->told != kind)
		u->told_causes.n = 0;
	u->told = kind;
	describe_reply(u, s, reply, &text);
	if (is_new_cause(&u->told_causes, text.p))
		warnf("%s: %s", kind, text.p);
	buf_release(&text);
}

void
upload_tell_unanswered(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply)
{
	struct buf text = { 0 };

	outcome_describe(reply, s->url, &text);
	if (is_new_cause(&u->told_unanswered, text.p))
		warnf("a batch waits until the server says if it has it "
		    "already: %s", text.p);
	buf_release(&text);
}

/* Keep a refused batch in a file for the user, and go on with the others.
 * False: it could not be kept. */
static bool
quarantine(struct uploader *u, struct batch *p, struct span kept,
    const char *reason)
{
	bool is_news;
	char name[40];
	struct why why;

	(void)snprintf(name, sizeof(name), "%" PRIu64 "%s", p->id.number,
	    wire_of(p->id.format)->suffix);
	if (u->journal != NULL && journal_refuse(u->journal, name, kept,
	    reason, &why) < 0) {
		warnf("%s", why.text);
		return false;
	}
	u->acked_ns = now_monotonic_ns();	/* progress for --drain */
	is_news = is_new_cause(&u->told_refusals, reason);
	u->untold_refusals += !is_news;
	if (is_news && u->journal != NULL)
		warnf("%" PRIu64 " sample%s refused for good: %s; kept in "
		    "%s/refused/%s", p->id.points, p->id.points == 1 ? ""
		    : "s", reason, journal_path(u->journal), name);
	else if (is_news)
		warnf("%" PRIu64 " sample%s refused for good: %s",
		    p->id.points, p->id.points == 1 ? "" : "s", reason);
	add_amount(u->journal != NULL ? &u->quarantined : &u->lost, p);
	end_batch(u, p, JOURNAL_REFUSED);
	batch_free(p);
	return true;
}

/* A batch that cannot be split now: others go first. */
static enum split
split_later(struct uploader *u, struct batch *p, const char *why)
{
	if (!u->is_held)
		warnf("%s: a batch that is too large waits", why);
	u->is_held = true;
	p->not_before_ns = now_monotonic_ns() + NS_PER_S;
	return SPLIT_LATER;
}

/* Both parts have their bodies: give them numbers, and to the disk. w: what
 * stands for them there; NULL: nothing does. */
static void
put_parts(struct uploader *u, struct batch *part[2], uint64_t number,
    struct whole *w)
{
	int i;

	for (i = 0; i < 2; i++) {
		part[i]->id.number = number + (uint64_t)i;
		part[i]->is_loose = true;
		part[i]->whole = w;
		if (w != NULL)
			w->n_parts++;
	}
	for (i = 0; i < 2; i++) {
		packer_pack(u->packer, part[i]);
		if (!part[i]->is_loose)
			upload_leave_whole(u, part[i]);
		batches_add(&u->waiting, part[i]);
	}
}

enum split
upload_split(struct uploader *u, struct batch *p, struct span kept)
{
	const struct wire *wire = wire_of(p->id.format);
	struct batch *part[2] = { batch_part(p, 0), batch_part(p, 1) };
	bool is_on_disk = u->journal != NULL && (!p->is_loose ||
	    p->whole != NULL);
	enum split status = SPLIT_DONE;
	struct whole *w = NULL;
	uint64_t number;
	struct why why;

	if (wire->split(p, kept, part[0], part[1], &why) < 0)
		status = SPLIT_SINGLE;
	else if (u->journal != NULL && !is_on_disk)
		status = split_later(u, p, "the journal has no room");
	if (status == SPLIT_DONE) {
		number = numbers_take(u->numbers, 2);
		if (is_on_disk && journal_halve(u->journal, &p->id, number,
		    &why) < 0)
			status = split_later(u, p, why.text);
	}
	if (status != SPLIT_DONE) {
		batch_free(part[0]);
		batch_free(part[1]);
		return status;
	}
	u->splits++;
	u->is_held = false;
	u->acked_ns = now_monotonic_ns();	/* that is progress too */
	packer_forget_loose(u->packer, p);
	batches_remove(&u->waiting, p);
	if (is_on_disk)
		w = whole_new(p);
	put_parts(u, part, number, w);
	batch_free(p);
	return SPLIT_DONE;
}

/* The next try is not before a pause: from the start of this one if nothing
 * came back, for waiting in vain is a pause too. */
void
upload_pause(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply)
{
	int64_t now = now_monotonic_ns(), from = now;

	if (u->outages.began_ns == 0) {
		u->outages.began_ns = s->started_ns;
		u->outages.n++;
	}
	u->failures++;
	if (reply->status == 0)
		from = s->started_ns;
	u->retry_at_ns = from + retry_pause_ns(u->failures,
	    reply->retry_after_ns);
	if (u->retry_at_ns < now)
		u->retry_at_ns = now;
	u->is_catching_up = u->waiting.n > BACKLOG;
}

/* Is it worth a try with parts? A media type is that of all samples; and where
 * nothing is taken at all, it is not for some of them. */
static bool
may_split(struct uploader *u, const struct fetch_reply *reply)
{
	return outcome_of(reply) == OUTCOME_SPLIT || (reply->status != 415 &&
	    u->refusals++ < REFUSALS_MAX);
}

void
upload_refuse(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply, const struct refusal *refusal,
    struct span kept)
{
	if (refusal->may_split &&
	    upload_split(u, s->batch, kept) != SPLIT_SINGLE)
		return;
	if (!quarantine(u, s->batch, kept, refusal->text))
		upload_pause(u, s, reply);
}

/* Too large, or not to be taken: its parts may be. */
static void
take_refusal(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply, struct span kept)
{
	struct refusal refusal = { .may_split = may_split(u, reply) };
	struct buf text = { 0 };

	describe_reply(u, s, reply, &text);
	buf_text(&text, "");
	refusal.text = text.p;
	if (upload_must_withdraw(u, s->batch))
		upload_withdraw(u, s->batch, &refusal);
	else
		upload_refuse(u, s, reply, &refusal, kept);
	buf_release(&text);
}

void
upload_try_later(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply)
{
	bool is_hold = outcome_of(reply) == OUTCOME_HOLD;

	report_trouble(u, is_hold ? "upload failed, still retrying"
	    : "cannot send samples, still retrying", reply, s);
	if (is_hold)
		u->failures += HOLD_FAILURES;
	upload_pause(u, s, reply);
}

void
upload_take_outcome(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply, struct span kept)
{
	switch (outcome_of(reply)) {
	case OUTCOME_ACKED:
		upload_acknowledge(u, s->batch);
		return;
	case OUTCOME_SPLIT:
	case OUTCOME_REFUSED:
		take_refusal(u, s, reply, kept);
		return;
	case OUTCOME_STOP:
		if (!u->is_stopped)
			report_trouble(u, "stopped sending samples", reply, s);
		u->is_stopped = true;
		return;
	case OUTCOME_RETRY:
	case OUTCOME_HOLD:
		upload_try_later(u, s, reply);
		return;
	}
}
