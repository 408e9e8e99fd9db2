/* SPDX-License-Identifier: MIT */
/* Decides by the server's answer what becomes of a batch: done, tried again,
 * split, or kept aside. */
#include "k6push/send/upload_priv.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/die.h"
#include "base/map.h"
#include "base/units.h"
#include "k6push/send/outcome.h"
#include "k6push/send/outcome_remote.h"
#include "k6push/send/retry.h"
#include "k6push/wire/wire.h"

enum {
	BACKLOG = 4,		/* fewer waiting batches are not a backlog */
	REFUSALS_MAX = 64,	/* in a row: it is not for single samples */
	OWN_PAUSES = 6,		/* at most so many times: */
};

#define OWN_PAUSE_NS (2 * NS_PER_S)

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
	u->acked_batches++;
	u->taken_ns = now_monotonic_ns();
	end_batch(u, p, JOURNAL_ACKED);
	batch_free(p);
	upload_note_success(u);
}

/* The server had it before: all that was in the batch once. */
static void
acknowledge_earlier(struct uploader *u, struct batch *p)
{
	p->id.points += p->cut.points;
	p->id.requests += p->cut.requests;
	u->cut_there.points += p->cut.points;
	u->cut_there.requests += p->cut.requests;
	upload_acknowledge(u, p);
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

/* What the server said; before it took anything, it may not know the protocol.
 * Who tells its database is k6serve, which knows both. */
static void
describe_reply(const struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply, struct buf *text)
{
	u->to.receiver->describe(reply, s->url, text);
	if (u->to.is_borrowed && reply->status == 404)
		buf_printf(text, " (is run %s, of K6_CLOUD_PUSH_REF_ID, one of "
		    "this server and this token?)", u->to.run_id);
	else if (u->to.receiver->has_runs && u->acked.points == 0 &&
	    s->batch != NULL && (u->to.database == NULL ||
	    !outcome_is_api_error(reply)))
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

	u->to.receiver->describe(reply, s->url, &text);
	if (is_new_cause(&u->told_unanswered, text.p))
		warnf("a batch waits until the server says if it has it "
		    "already: %s", text.p);
	buf_release(&text);
}

static void
tell_refused(const struct uploader *u, const struct batch *p,
    const char *reason, const char *name)
{
	struct buf what = { 0 };

	if (p->id.points == 0)
		buf_text(&what, "the marker of a series' start or end");
	else
		buf_printf(&what, "%" PRIu64 " sample%s", p->id.points,
		    p->id.points == 1 ? "" : "s");
	if (u->journal != NULL)
		warnf("%s refused for good: %s; kept in %s/refused/%s", what.p,
		    reason, journal_path(u->journal), name);
	else
		warnf("%s refused for good: %s", what.p, reason);
	buf_release(&what);
}

/* How much of what is refused counts where, with a journal and without. */
static struct amount *
refused_of(struct uploader *u)
{
	return u->journal != NULL ? &u->quarantined : &u->lost;
}

static void
refused_name(const struct journal_batch *id, char name[40])
{
	(void)snprintf(name, 40, "%" PRIu64 "%s", id->number,
	    wire_of(id->format)->suffix);
}

/* superseded_done: what was kept aside of it is of no more use. */
static void
end_refused(void *ctx, const struct journal_batch *id)
{
	struct uploader *u = ctx;
	char name[40];

	refused_name(id, name);
	if (u->journal != NULL)
		journal_supersede(u->journal, id, name);
}

void
uploader_add_refused(struct uploader *u, const struct journal_batch *id)
{
	struct batch p = { .id = *id };
	struct buf body = { 0 };
	char name[40];

	if (wire_of(id->format) == NULL)
		return;
	refused_name(id, name);
	/* One that somebody removed counts as it did. */
	if (journal_read_refused(u->journal, name, &body, NULL) == 0)
		superseded_hold(&u->refused_before, &p, buf_whole(&body));
	buf_release(&body);
}

/* The batch is taken, and with it what was refused of its series before. */
static void
take_superseded(struct uploader *u, const struct batch *p, struct span kept)
{
	struct amount taken = superseded_take(&u->refused, p, kept,
	    end_refused, u);
	struct amount before = superseded_take(&u->refused_before, p, kept,
	    end_refused, u);
	struct amount *from = refused_of(u);

	from->points -= taken.points;
	from->requests -= taken.requests;
	u->acked.points += taken.points;
	u->acked.requests += taken.requests;
	u->superseded += taken.points;
	u->superseded_before.points += before.points;
	u->superseded_before.requests += before.requests;
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

	refused_name(&p->id, name);
	if (u->journal != NULL && journal_refuse(u->journal, name, kept,
	    reason, &why) < 0) {
		warnf("%s", why.text);
		return false;
	}
	u->acked_ns = now_monotonic_ns();	/* progress for --drain */
	is_news = is_new_cause(&u->told_refusals, reason);
	u->untold_refusals += !is_news;
	if (is_news)
		tell_refused(u, p, reason, name);
	add_amount(refused_of(u), p);
	superseded_hold(&u->refused, p, kept);
	end_batch(u, p, JOURNAL_REFUSED);
	batch_free(p);
	return true;
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
	return u->to.receiver->outcome(reply) == OUTCOME_SPLIT ||
	    (reply->status != 415 && u->refusals++ < REFUSALS_MAX);
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
	bool is_hold = u->to.receiver->outcome(reply) == OUTCOME_HOLD;

	if (s->batch != NULL)
		s->batch->is_unsure = true;
	report_trouble(u, is_hold ? "upload failed, still retrying"
	    : "cannot send samples, still retrying", reply, s);
	if (is_hold)
		u->failures += HOLD_FAILURES;
	upload_pause(u, s, reply);
	/* It may be this one that something in between does not let through:
	 * others go first. */
	if (s->batch != NULL && s->batch->tries > 1 && reply->status != 0 &&
	    u->waiting.n > 1 && (s->batch->failed_alike >= UPLOAD_ALIKE ||
	    !wire_of(s->batch->id.format)->is_ordered))
		s->batch->not_before_ns = u->retry_at_ns + OWN_PAUSE_NS *
		    (s->batch->tries < OWN_PAUSES ? s->batch->tries
		    : OWN_PAUSES);
}

/* True if a failure of the server is one of the batch: it came again and
 * again, and either says so or is of this batch alone, as others were taken
 * meanwhile. One that can be split is split in any case: that loses nothing. */
static bool
condemns(struct uploader *u, struct batch *p, const struct fetch_reply *reply)
{
	uint64_t hash = hash_bytes(0, reply->body.p, reply->body.n);

	if (u->to.receiver->has_runs || reply->status != 500 ||
	    reply->body.n == 0 || outcome_remote_is_of_disk(reply))
		return false;
	if (p->failed_alike == 0 || p->failed_by != hash) {
		p->failed_alike = 0;
		p->failed_by = hash;
		p->failing_ns = now_monotonic_ns();
	}
	return ++p->failed_alike >= UPLOAD_ALIKE && (p->id.samples > 1 ||
	    outcome_remote_is_of_data(reply) || u->taken_ns > p->failing_ns);
}

/* True if a refused series of an earlier process was stored in its time: what
 * the receiver has later is of that process, and of the whole run. */
static bool
is_superseded(const struct uploader *u, const struct batch *p,
    const struct fetch_reply *reply)
{
	return !u->to.receiver->has_runs && p->is_found &&
	    p->id.samples <= 1 && outcome_remote_is_late(reply);
}

void
upload_take_outcome(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply, struct span kept)
{
	enum outcome outcome = u->to.receiver->outcome(reply);

	if (u->to.learn != NULL && u->to.learn(u->to.ctx, &s->message, reply))
		return;		/* it is its turn again, in another form */
	outcome = outcome_remote_written(outcome, reply, s->message.values);
	if (outcome == OUTCOME_RETRY && condemns(u, s->batch, reply))
		outcome = OUTCOME_REFUSED;
	if (outcome == OUTCOME_REFUSED && is_superseded(u, s->batch, reply))
		outcome = OUTCOME_ACKED;
	switch (outcome) {
	case OUTCOME_ACKED:
		take_superseded(u, s->batch, kept);
		/* k6serve has it with another body than ours. */
		if (reply->status == 409 && u->to.database != NULL)
			acknowledge_earlier(u, s->batch);
		else
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
		u->is_removed |= outcome_is_removed(reply);
		return;
	case OUTCOME_RETRY:
	case OUTCOME_HOLD:
		upload_try_later(u, s, reply);
		return;
	}
}
