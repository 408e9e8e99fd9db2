/* SPDX-License-Identifier: MIT */
/* Batches on their way: sent, tried again, split, or kept aside. */
#include "k6push/send/upload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/map.h"
#include "base/units.h"
#include "k6push/send/outcome.h"
#include "k6push/send/retry.h"
#include "k6push/wire/wire.h"

enum {
	CACHE_BYTES = 8 << 20,	/* bodies in memory that are on disk too */
	BACKLOG = 4,		/* fewer waiting batches are not a backlog */
	NEWEST_EVERY = 5,	/* every fifth try is of the newest batch */
	HOLD_FAILURES = 4,	/* nothing changes in half a second */
};

/* A try. */
struct sending {
	struct sending *next;
	struct uploader *owner;
	struct batch *batch;	/* NULL: a sign of life */
	int64_t started_ns;
	struct buf body;	/* what of it is only for this try */
	struct wire_message message;
	char *url;
	char *bearer;		/* header with a token; NULL: none */
};

static void
sending_free(struct sending *s)
{
	struct sending **at = &s->owner->sendings;

	while (*at != NULL && *at != s)
		at = &(*at)->next;
	if (*at == s)
		*at = s->next;
	wire_release(&s->message);
	buf_release(&s->body);
	if (s->bearer != NULL)
		explicit_bzero(s->bearer, strlen(s->bearer));
	free(s->bearer);
	free(s->url);
	free(s);
}

void
uploader_release(struct uploader *u)
{
	while (u->sendings != NULL)
		sending_free(u->sendings);
	batches_release(&u->waiting);
}

bool
uploader_take(struct uploader *u)
{
	struct batches ready = { 0 };
	bool is_more = packer_take(u->packer, &ready);
	struct batch *p;

	while ((p = ready.first) != NULL) {
		batches_remove(&ready, p);
		batches_add(&u->waiting, p);
		/* It can be read again. */
		if (p->place.segment != 0 && u->waiting.bytes > CACHE_BYTES)
			batches_set_body(&u->waiting, p, (struct buf){ 0 });
	}
	return is_more;
}

/* The batch needs no more sending. */
static void
end_batch(struct uploader *u, struct batch *p, enum journal_end how)
{
	if (u->journal != NULL)
		journal_done(u->journal, p->id.number, how, &p->place);
	packer_forget_loose(u->packer, p);
	batches_remove(&u->waiting, p);
	u->is_catching_up &= u->waiting.n > 0;
}

/* The server gave an answer that shows it works. */
static void
note_success(struct uploader *u)
{
	int64_t now = now_monotonic_ns(), length;

	u->failures = 0;
	u->retry_at_ns = 0;
	u->acked_ns = now;
	if (u->told != NULL)
		warnf("the server takes samples again");
	u->told = NULL;
	u->n_told_causes = 0;
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

static void
acknowledge(struct uploader *u, struct batch *p)
{
	add_amount(&u->acked, p);
	end_batch(u, p, JOURNAL_ACKED);
	batch_free(p);
}

/* What the server said; before it took anything, it may not know the
 * protocol. */
static void
describe_reply(const struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply, struct buf *text)
{
	outcome_describe(reply, s->url, text);
	if (u->acked.points == 0 && s->batch != NULL)
		wire_hint(s->batch->id.format, reply->status, text);
}

/* True if this cause was not told yet, whatever numbers are in it; after a few
 * none is new. */
static bool
is_new_cause(struct uploader *u, const char *text)
{
	uint64_t hash = 0;
	int i;

	for (; *text != '\0'; text++)
		if (*text < '0' || *text > '9')
			hash = hash_bytes(hash, text, 1);
	for (i = 0; i < u->n_told_causes; i++)
		if (u->told_causes[i] == hash)
			return false;
	if (i == TOLD_CAUSES)
		return false;
	u->told_causes[u->n_told_causes++] = hash;
	return true;
}

/* Tell of trouble once per kind and cause, until something went well. */
static void
report_trouble(struct uploader *u, const char *kind,
    const struct fetch_reply *reply, const struct sending *s)
{
	struct buf text = { 0 };

	if (u->told != kind)
		u->n_told_causes = 0;
	u->told = kind;
	describe_reply(u, s, reply, &text);
	if (is_new_cause(u, text.p))
		warnf("%s: %s", kind, text.p);
	buf_release(&text);
}

/* Keep a refused batch in a file for the user, and go on with the others.
 * False: it could not be kept. */
static bool
quarantine(struct uploader *u, struct batch *p, struct span kept,
    const char *reason)
{
	char name[40];
	struct why why;

	(void)snprintf(name, sizeof(name), "%" PRIu64 "%s", p->id.number,
	    wire_of(p->id.format)->suffix);
	if (u->journal == NULL) {
		warnf("%" PRIu64 " sample%s refused for good: %s",
		    p->id.points, p->id.points == 1 ? "" : "s", reason);
		add_amount(&u->lost, p);
	} else if (journal_refuse(u->journal, name, kept, reason, &why) == 0) {
		warnf("%" PRIu64 " sample%s refused for good: %s; kept in "
		    "%s/refused/%s", p->id.points, p->id.points == 1 ? ""
		    : "s", reason, journal_path(u->journal), name);
		add_amount(&u->quarantined, p);
	} else {
		warnf("%s", why.text);
		return false;
	}
	end_batch(u, p, JOURNAL_REFUSED);
	batch_free(p);
	return true;
}

/* Replace a batch that is too large by its two halves. False: it is a single
 * sample. Both are in the journal before the whole is done. */
static bool
split_batch(struct uploader *u, struct batch *p, struct span kept)
{
	const struct wire *wire = wire_of(p->id.format);
	struct batch *part[2] = { batch_part(p, 0), batch_part(p, 1) };
	uint64_t number;
	struct why why;
	int i, n_loose = 0;

	if (wire->split(p, kept, part[0], part[1], &why) < 0) {
		batch_free(part[0]);
		batch_free(part[1]);
		return false;
	}
	u->splits++;
	number = numbers_take(u->numbers, 2);
	for (i = 0; i < 2; i++) {
		part[i]->id.number = number + (uint64_t)i;
		part[i]->is_loose = true;
		packer_pack(u->packer, part[i]);
		n_loose += part[i]->is_loose;
	}
	if (n_loose == 0 || p->is_loose)
		end_batch(u, p, JOURNAL_SPLIT);
	else	/* on disk only the whole is */
		batches_remove(&u->waiting, p);
	for (i = 0; i < 2; i++)
		batches_add(&u->waiting, part[i]);
	batch_free(p);
	return true;
}

/* The next try is not before a pause: from the start of this one if nothing
 * came back, for waiting in vain is a pause too. */
static void
pause_sending(struct uploader *u, const struct sending *s,
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

/* Too large, or not to be taken. */
static void
take_refusal(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply, struct span kept)
{
	struct buf text = { 0 };

	if (outcome_of(reply) == OUTCOME_SPLIT &&
	    split_batch(u, s->batch, kept))
		return;
	describe_reply(u, s, reply, &text);
	if (!quarantine(u, s->batch, kept, text.p))
		pause_sending(u, s, reply);
	buf_release(&text);
}

static void
take_outcome(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply, struct span kept)
{
	switch (outcome_of(reply)) {
	case OUTCOME_ACKED:
		acknowledge(u, s->batch);
		note_success(u);
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
		report_trouble(u, "cannot send samples, still retrying", reply,
		    s);
		break;
	case OUTCOME_HOLD:
		report_trouble(u, "upload failed, still retrying", reply, s);
		u->failures += HOLD_FAILURES;
		break;
	}
	pause_sending(u, s, reply);
}

static void
on_reply(void *ctx, const struct fetch_reply *reply)
{
	struct sending *s = ctx;
	struct uploader *u = s->owner;

	u->in_flight--;
	if (s->batch != NULL) {
		s->batch->is_in_flight = false;
		take_outcome(u, s, reply, s->body.n > 0
		    ? buf_whole(&s->body) : buf_whole(&s->batch->body));
	} else if (outcome_of(reply) == OUTCOME_ACKED) {
		note_success(u);
	}
	sending_free(s);
}

/* Send message s. */
static void
post_message(struct uploader *u, struct sending *s, const char *path,
    const char *key, bool is_retry)
{
	struct fetch_request request = { .token = u->token, .is_post = true,
	    .is_retry = is_retry };
	struct why why;

	(void)snprintf(s->message.text[3], sizeof(s->message.text[3]),
	    "K6-Idempotency-Key: %.*s", JOURNAL_KEY, key);
	wire_header(&s->message, s->message.text[3]);
	if (u->push_url != NULL) {
		request.token = NULL;
		s->bearer = xasprintf("Authorization: Bearer %s",
		    u->push_token);
		wire_header(&s->message, s->bearer);
		s->url = xstrdup(u->push_url);
	} else {
		s->url = xasprintf("%s%s%s", u->host, path, u->run);
	}
	s->started_ns = now_monotonic_ns();
	request.url = s->url;
	request.headers = s->message.headers;
	request.body = s->message.body;
	if (fetch_start(u->fetcher, &request, on_reply, s, &why) < 0)
		dief(EXIT_FAILED, "%s", why.text);
	s->next = u->sendings;
	u->sendings = s;
	u->in_flight++;
	u->n_sent++;
}

/* The body of a batch in the form it is kept in. */
static int
kept_body(struct uploader *u, struct sending *s, struct span *kept,
    struct why *why)
{
	const struct batch *p = s->batch;

	if (p->body.n == 0 &&
	    journal_read(u->journal, &p->place, &s->body, why) < 0)
		return -1;
	*kept = buf_whole(p->body.n > 0 ? &p->body : &s->body);
	return 0;
}

static void
send_batch(struct uploader *u, struct batch *p)
{
	const struct wire *wire = wire_of(p->id.format);
	struct sending *s = xcalloc(1, sizeof(*s));
	struct span kept;
	struct why why;
	bool is_good;

	s->owner = u;
	s->batch = p;
	s->message.run = u->run_id;
	is_good = kept_body(u, s, &kept, &why) == 0;
	if (is_good && (int64_t)p->id.samples > settings_int(u->settings,
	    wire->most) && split_batch(u, p, kept)) {
		sending_free(s);
		return;
	}
	if (!is_good || wire->dress(p, kept, u->settings, &s->message,
	    &why) < 0) {
		/* Damaged since it was written. */
		warnf("%" PRIu64 " sample%s cannot be sent: %s", p->id.points,
		    p->id.points == 1 ? "" : "s", why.text);
		add_amount(&u->lost, p);
		end_batch(u, p, JOURNAL_REFUSED);
		batch_free(p);
		sending_free(s);
		return;
	}
	p->is_in_flight = true;
	u->resent += p->tries++ > 0;
	post_message(u, s, wire->path, p->id.key, u->failures > 0);
}

void
uploader_recall(struct uploader *u)
{
	int64_t now = now_monotonic_ns();
	struct batch *p, *next;

	if (u->journal == NULL || u->packer->loose_bytes == 0 ||
	    now - u->recalled_ns < NS_PER_S)
		return;
	u->recalled_ns = now;
	for (p = u->waiting.first; p != NULL; p = next) {
		next = p->next;
		if (p->is_loose && !p->is_in_flight) {
			batches_remove(&u->waiting, p);
			packer_put(u->packer, p);
		}
	}
}

/* The batch whose turn it is; NULL: all are under way. */
static struct batch *
next_batch(const struct uploader *u)
{
	bool wants_newest = u->is_catching_up && (u->failures > 0 ||
	    u->n_sent % NEWEST_EVERY == 0);
	struct batch *p, *newest = NULL;

	for (p = u->waiting.first; p != NULL; p = p->next) {
		if (p->is_in_flight)
			continue;
		if (!wants_newest)
			return p;
		newest = p;
	}
	return newest;
}

void
uploader_start(struct uploader *u)
{
	int64_t most = settings_int(u->settings, SET_PUSH_CONCURRENCY);
	struct batch *p;

	if (u->host == NULL || u->is_stopped ||
	    now_monotonic_ns() < u->retry_at_ns)
		return;
	/* After a failure one try is enough to see if the server is back. */
	if (u->failures > 0)
		most = 1;
	while (u->in_flight < most && (p = next_batch(u)) != NULL)
		send_batch(u, p);
}

void
uploader_beat(struct uploader *u, int64_t silence_ns)
{
	const struct wire *wire = wire_of((uint8_t)settings_int(u->settings,
	    SET_API_VERSION));
	const struct batch nothing = { 0 };
	int64_t now = now_monotonic_ns();
	struct sending *s;
	char key[KEY_TEXT];
	struct why why;

	if (silence_ns == 0 || u->host == NULL || u->is_stopped ||
	    u->in_flight > 0 || u->waiting.n > 0 ||
	    now - u->acked_ns < silence_ns)
		return;
	u->acked_ns = now;	/* the next is as far away, whatever comes */
	s = xcalloc(1, sizeof(*s));
	s->owner = u;
	s->message.run = u->run_id;
	if (wire->pack(wire->empty, &s->body, &why) < 0 || wire->dress(
	    &nothing, buf_whole(&s->body), u->settings, &s->message,
	    &why) < 0) {
		sending_free(s);
		return;
	}
	idempotency_key(key);
	post_message(u, s, wire->path, key, u->failures > 0);
}

int64_t
uploader_next_ns(const struct uploader *u)
{
	return u->waiting.first != NULL && u->in_flight == 0 &&
	    u->host != NULL && !u->is_stopped ? u->retry_at_ns : INT64_MAX;
}

bool
uploader_is_idle(const struct uploader *u)
{
	return u->in_flight == 0 && (u->is_stopped ||
	    u->waiting.first == NULL);
}
