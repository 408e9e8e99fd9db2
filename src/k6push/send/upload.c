/* SPDX-License-Identifier: MIT */
/* Batches on their way: which goes when, and how it is sent. */
#include "k6push/send/upload_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/units.h"
#include "k6push/send/outcome.h"
#include "k6push/send/run_api.h"
#include "k6push/wire/wire.h"

enum {
	CACHE_BYTES = 8 << 20,	/* bodies in memory that are on disk too */
	NEWEST_EVERY = 5,	/* every fifth try is of the newest batch */
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
	free(s->refusal.text);
	free(s->url);
	free(s);
}

struct uploader *
uploader_new(const struct uploader_config *config)
{
	struct uploader *u = xcalloc(1, sizeof(*u));

	u->settings = config->settings;
	u->journal = config->journal;
	u->packer = config->packer;
	u->numbers = config->numbers;
	return u;
}

void
uploader_free(struct uploader *u)
{
	if (u == NULL)
		return;
	while (u->sendings != NULL)
		sending_free(u->sendings);
	batches_release(&u->waiting);
	superseded_release(&u->refused);
	superseded_release(&u->refused_before);
	free(u);
}

void
uploader_add(struct uploader *u, struct batch *p)
{
	p->may_be_there = p->is_unsure = p->is_found = true;
	batches_add(&u->waiting, p);
	if (!p->is_loose)
		upload_leave_whole(u, p);
}

void
uploader_open(struct uploader *u, const struct upload_target *to)
{
	u->to = *to;
	u->acked_ns = now_monotonic_ns();
}

void
uploader_set_database(struct uploader *u, const char *database)
{
	u->to.database = database;
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
		if (!p->is_loose)
			upload_leave_whole(u, p);
		/* It can be read again. */
		if (p->place.segment != 0 && u->waiting.bytes > CACHE_BYTES)
			batches_set_body(&u->waiting, p, (struct buf){ 0 });
	}
	return is_more;
}

static void
on_reply(void *ctx, const struct fetch_reply *reply)
{
	struct sending *s = ctx;
	struct uploader *u = s->owner;

	u->in_flight--;
	if (s->batch != NULL) {
		s->batch->is_in_flight = false;
		if (s->is_withdrawal)
			upload_take_withdrawal(u, s, reply);
		else
			upload_take_outcome(u, s, reply, s->body.n > 0
			    ? buf_whole(&s->body)
			    : buf_whole(&s->batch->body));
	} else if (u->to.receiver->outcome(reply) == OUTCOME_ACKED) {
		u->acked_batches++;	/* of nothing, but with a key */
		upload_note_success(u);
	}
	sending_free(s);
}

struct sending *
upload_sending(struct uploader *u, struct batch *p)
{
	struct sending *s = xcalloc(1, sizeof(*s));

	s->owner = u;
	s->batch = p;
	s->tail = "";
	s->message.run = u->to.run_id;
	return s;
}

void
upload_post(struct uploader *u, struct sending *s, const char *path,
    const char *key)
{
	struct fetch_request request = { .token = u->to.token,
	    .access = u->to.access, .is_post = true,
	    .is_retry = u->failures > 0 };
	char *keyed = NULL;
	struct why why;

	if (u->to.receiver->has_runs) {
		(void)snprintf(s->message.text[3], sizeof(s->message.text[3]),
		    "K6-Idempotency-Key: %.*s", JOURNAL_KEY, key);
		wire_header(&s->message, s->message.text[3]);
	}
	if (u->to.database != NULL) {
		(void)snprintf(s->message.text[2], sizeof(s->message.text[2]),
		    RUN_DATABASE_HEADER ": %s", u->to.database);
		wire_header(&s->message, s->message.text[2]);
	}
	if (u->to.push != NULL) {
		(void)snprintf(s->message.text[4], sizeof(s->message.text[4]),
		    RUN_PUSH_HEADER ": %s", u->to.push);
		wire_header(&s->message, s->message.text[4]);
	}
	if (u->to.push_url != NULL) {
		request.token = NULL;
		s->bearer = xasprintf("Authorization: Bearer %s",
		    u->to.push_token);
		wire_header(&s->message, s->bearer);
		s->url = xasprintf("%s%s", u->to.push_url, s->tail);
	} else if (u->to.run == NULL) {
		s->url = xstrdup(u->to.host);
	} else {
		s->url = xasprintf("%s%s%s%s", u->to.host, path, u->to.run,
		    s->tail);
	}
	/* A proxy may take the header away, but not this. Who tells its
	 * database is k6serve, which reads it. */
	if (u->to.database != NULL && u->to.push_url == NULL)
		keyed = xasprintf("%s?key=%.*s", s->url, JOURNAL_KEY, key);
	s->started_ns = now_monotonic_ns();
	request.url = keyed != NULL ? keyed : s->url;
	request.headers = s->message.headers;
	request.body = s->message.body;
	if (fetch_start(u->to.fetcher, &request, on_reply, s, &why) < 0)
		dief(EXIT_FAILED, "%s", why.text);
	free(keyed);
	if (s->batch != NULL)
		s->batch->is_in_flight = s->batch->may_be_there = true;
	s->next = u->sendings;
	u->sendings = s;
	u->in_flight++;
	u->n_sent++;
}

int
upload_kept_body(struct uploader *u, struct sending *s, struct span *kept,
    struct why *why)
{
	const struct batch *p = s->batch;
	int status = p->body.n > 0 ? 0 : journal_read(u->journal, &p->place,
	    &s->body, why);

	if (status < 0)
		return status;
	*kept = buf_whole(p->body.n > 0 ? &p->body : &s->body);
	return 0;
}

void
upload_read_later(struct uploader *u, struct batch *p, const struct why *why)
{
	if (!u->is_unreadable)
		warnf("%s: a batch waits until it can be read", why->text);
	u->is_unreadable = true;
	p->not_before_ns = now_monotonic_ns() + NS_PER_S;
}

static void
send_batch(struct uploader *u, struct batch *p)
{
	const struct wire *wire = wire_of(p->id.format);
	bool is_large = p->id.samples > 1 && (int64_t)p->id.samples >
	    settings_int(u->settings, wire->most);
	struct sending *s;
	struct span kept;
	struct why why;
	bool is_good;
	int status;

	if (is_large && upload_must_withdraw(u, p)) {
		upload_withdraw(u, p, NULL);
		return;
	}
	s = upload_sending(u, p);
	status = upload_kept_body(u, s, &kept, &why);
	if (status == JOURNAL_UNREADABLE) {
		upload_read_later(u, p, &why);
		sending_free(s);
		return;
	}
	is_good = status == 0;
	if (is_good && is_large && upload_split(u, p, kept) != SPLIT_SINGLE) {
		sending_free(s);
		return;
	}
	if (!is_good || wire->dress(p, kept, u->settings, &s->message,
	    &why) < 0) {
		/* Damaged since it was written. */
		upload_lose(u, p, &why);
		sending_free(s);
		return;
	}
	u->resent += p->tries++ > 0;
	upload_post(u, s, wire->path, p->id.key);
}

/* Of an ordered one the pieces do not make the same bytes again. */
static bool
needs_disk(const struct batch *p)
{
	return p->is_loose || (p->place.segment == 0 &&
	    wire_of(p->id.format)->is_ordered && p->whole == NULL);
}

void
uploader_recall(struct uploader *u)
{
	int64_t now = now_monotonic_ns();
	struct batch *p, *next;

	if (u->journal == NULL || now - u->recalled_ns < NS_PER_S ||
	    (packer_loose_bytes(u->packer) == 0 &&
	    !wire_chosen(u->settings)->is_ordered))
		return;
	u->recalled_ns = now;
	for (p = u->waiting.first; p != NULL; p = next) {
		next = p->next;
		if (needs_disk(p) && !p->is_in_flight) {
			batches_remove(&u->waiting, p);
			packer_put(u->packer, p);
		}
	}
}

/* Of ordered batches one at a time goes of each lane, those that were cut
 * first first. Parts of one batch are of different series: one of them that
 * waits for its time does not stop the others. */
struct lanes {
	bool is_busy[WIRE_LANES];
	uint64_t order[WIRE_LANES];	/* 0: nothing waits so far */
};

static struct lanes
lanes_of(const struct uploader *u)
{
	struct lanes lanes = { 0 };
	const struct sending *s;

	for (s = u->sendings; s != NULL; s = s->next)
		if (s->batch != NULL)
			lanes.is_busy[s->batch->id.flags % WIRE_LANES] = true;
	return lanes;
}

/* May p go, but for its time? Asked of all that wait, in their order. */
static bool
may_go(struct lanes *lanes, const struct batch *p)
{
	unsigned lane = p->id.flags % WIRE_LANES;

	if (p->is_in_flight)
		return false;
	if (!wire_of(p->id.format)->is_ordered)
		return true;
	if (lanes->order[lane] == 0)
		lanes->order[lane] = p->order;
	return !lanes->is_busy[lane] && lanes->order[lane] == p->order;
}

/* The batch whose turn it is; NULL: all are under way. */
static struct batch *
next_batch(const struct uploader *u)
{
	bool wants_newest = u->is_catching_up && (u->failures > 0 ||
	    u->n_sent % NEWEST_EVERY == 0);
	int64_t now = now_monotonic_ns();
	struct batch *p, *newest = NULL;
	struct lanes lanes = lanes_of(u);

	for (p = u->waiting.first; p != NULL; p = p->next) {
		if (!may_go(&lanes, p) || p->not_before_ns > now)
			continue;
		if (!wants_newest || wire_of(p->id.format)->is_ordered)
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

	if (u->to.host == NULL || u->is_stopped ||
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
	const struct wire *wire = wire_chosen(u->settings);
	const struct batch nothing = { 0 };
	int64_t now = now_monotonic_ns();
	struct sending *s;
	char key[KEY_TEXT];
	struct why why;

	if (silence_ns == 0 || u->to.host == NULL || u->is_stopped ||
	    !u->to.receiver->has_runs ||
	    u->in_flight > 0 || u->waiting.n > 0 ||
	    now - u->acked_ns < silence_ns)
		return;
	u->acked_ns = now;	/* the next is as far away, whatever comes */
	s = upload_sending(u, NULL);
	if (wire->pack(wire->empty, &s->body, &why) < 0 || wire->dress(
	    &nothing, buf_whole(&s->body), u->settings, &s->message,
	    &why) < 0) {
		sending_free(s);
		return;
	}
	idempotency_key(key);
	upload_post(u, s, wire->path, key);
}

int64_t
uploader_next_ns(const struct uploader *u)
{
	struct lanes lanes = lanes_of(u);
	const struct batch *p;
	int64_t next = INT64_MAX;

	if (u->in_flight > 0 || u->to.host == NULL || u->is_stopped)
		return INT64_MAX;
	for (p = u->waiting.first; p != NULL && next > u->retry_at_ns;
	    p = p->next)
		if (may_go(&lanes, p) && p->not_before_ns < next)
			next = p->not_before_ns;
	return u->waiting.first != NULL && next < u->retry_at_ns
	    ? u->retry_at_ns : next;
}

bool
uploader_is_idle(const struct uploader *u)
{
	return u->in_flight == 0 && (u->is_stopped ||
	    u->waiting.first == NULL);
}

bool
uploader_has_waiting(const struct uploader *u)
{
	return u->waiting.first != NULL;
}

bool
uploader_is_stopped(const struct uploader *u)
{
	return u->is_stopped;
}

bool
uploader_is_removed(const struct uploader *u)
{
	return u->is_removed;
}

int64_t
uploader_acked_ns(const struct uploader *u)
{
	return u->acked_ns;
}

struct upload_counts
uploader_counts(const struct uploader *u)
{
	return (struct upload_counts){ .acked = u->acked,
	    .acked_batches = u->acked_batches, .cut_there = u->cut_there,
	    .quarantined = u->quarantined, .lost = u->lost,
	    .superseded = u->superseded,
	    .superseded_before = u->superseded_before,
	    .untold_refusals = u->untold_refusals,
	    .waiting = batches_amount(&u->waiting, false),
	    .loose = batches_amount(&u->waiting, true),
	    .resent = u->resent, .outages = u->outages.n,
	    .longest_outage_ns = u->outages.longest_ns };
}
