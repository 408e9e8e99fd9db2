/* SPDX-License-Identifier: MIT */
/* Delivers what earlier pushes left in their journals. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/units.h"
#include "k6push/journals.h"
#include "k6push/read/recover.h"
#include "k6push/session.h"
#include "k6push/wire/wire_rw.h"

/* A batch that waits in a segment. */
static void
take_batch(void *ctx, const struct journal_batch *b,
    const struct journal_place *place)
{
	struct session *session = ctx;
	struct batch *p;

	if (wire_of(b->format) == NULL) {
		session->foreign.points += b->points;
		session->foreign.requests += b->requests;
		return;
	}
	session->found.points += b->points;
	session->found.requests += b->requests;
	p = batch_new(b->number);
	p->id = *b;
	p->place = *place;
	if (wire_of(b->format)->is_ordered) {
		p->order = journal_root(session->loading, b->number);
		if ((b->flags & RW_MARKS) == 0 &&
		    session->whole[b->flags % WIRE_LANES] < p->order)
			session->whole[b->flags % WIRE_LANES] = p->order;
	}
	uploader_add(session->uploader, p);
}

/* What the heads of the pieces count and the pieces do not hold. */
static void
note_cut_pieces(struct session *session, const struct journal_batch *want,
    struct batch *p)
{
	struct amount *cut = &session->earlier.cut;

	if (want->points > p->id.points)
		p->cut.points = want->points - p->id.points;
	if (want->requests > p->id.requests)
		p->cut.requests = want->requests - p->id.requests;
	cut->points += p->cut.points;
	cut->requests += p->cut.requests;
}

/* What a batch of remote write has came to its series before a later one was
 * made of them, and that one is here: it has it all. */
static bool
is_superseded(const struct session *session, const struct journal_batch *b)
{
	return b->format == wire_rw.format &&
	    session->whole[b->flags % WIRE_LANES] > b->number;
}

/* The batch that goes before a recovered one, unless an earlier process made it
 * already. */
static void
add_begin(struct session *session, struct batch *begin,
    const struct journal_batch *b)
{
	if (begin == NULL)
		return;
	begin->id.number = begin->order = b->number - 1;
	begin->id.flags = b->flags | RW_MARKS;
	if (b->number < 2 || journal_knows(session->loading,
	    begin->id.number)) {
		batch_free(begin);
		return;
	}
	packer_pack(session->packer, begin);
	uploader_add(session->uploader, begin);
}

/* A batch that was being filled: it is cut where its writer ended. */
static void
take_pieces(void *ctx, const struct journal_batch *b, struct span bytes)
{
	struct session *session = ctx;
	struct batch *p = batch_new(b->number), *begin = NULL;
	struct recover_as as = { &session->remote.config, &begin };
	struct why why;

	p->id = *b;
	p->is_plain = true;
	if (is_superseded(session, b)) {
		rw_put_plain(&p->body, NULL, 0, SPAN(""));
	} else if (recover_batch(p, bytes, &as, &p->body, &why) == 0) {
		note_cut_pieces(session, b, p);
	} else {
		warnf("batch %" PRIu64 ": %s", b->number, why.text);
		session->missing += wire_of(b->format) != NULL;
		batch_free(p);
		return;
	}
	add_begin(session, begin, b);
	packer_pack(session->packer, p);
	session->found.points += p->id.points;
	session->found.requests += p->id.requests;
	uploader_add(session->uploader, p);
}

static void
take_halved(void *ctx, const struct journal_batch *b,
    const struct journal_place *place, struct span pieces)
{
	struct session *session = ctx;

	session_take_halved(session, session->loading, b, place, pieces);
}

static void
take_refused(void *ctx, const struct journal_batch *b)
{
	struct session *session = ctx;

	uploader_add_refused(session->uploader, b);
}

/* Compare what the note says was read with all that is there. Of a pusher that
 * was killed that is what is there and what is noted of batches. */
static void
account_for(struct session *session, const struct journal_found *found)
{
	struct earlier *e = &session->earlier;
	struct note *n = &session->note;
	const struct journal_sum *sums[] = { &found->acked, &found->refused,
	    &found->lost, &found->cut };
	struct amount all = e->cut;
	size_t i;

	e->acked = found->acked;
	e->refused = found->refused;
	for (i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		all.points += sums[i]->points;
		all.requests += sums[i]->requests;
	}
	all.points += session->found.points + session->foreign.points;
	all.requests += session->found.requests + session->foreign.requests;
	e->cut.points += found->cut.points;
	e->cut.requests += found->cut.requests;
	if (found->is_uncounted)
		return;
	if (!n->has_ended) {
		n->is_cut = true;
		n->points = (int64_t)(all.points + found->gone.points);
		n->made = (int64_t)(all.requests + found->gone.requests);
	}
	e->is_known = n->points > 0;
	if (n->points > (int64_t)all.points)
		e->gone.points = (uint64_t)n->points - all.points;
	if (n->made - n->dropped > (int64_t)all.requests)
		e->gone.requests = (uint64_t)(n->made - n->dropped) -
		    all.requests;
}

/* As the note has it; NULL: unset. */
static int
restore(struct settings *s, enum setting which, const char *text,
    struct why *why)
{
	settings_forget(s, which);
	return text == NULL ? 0 : settings_set(s, which, text, FROM_FLAG, why);
}

/* The samples go where they were meant to go, whatever the environment names
 * now; only a flag overrules it. */
static int
choose_target(struct session *session, struct why *why)
{
	struct settings *s = &session->options->settings;
	const struct note *n = &session->note;

	if (n->host == NULL)
		return why_set(why, "its note names no server");
	if (s->v[SET_OUT].source == FROM_FLAG && (n->out == NULL) !=
	    (strcmp(settings_text(s, SET_OUT), "cloud") == 0))
		return why_set(why, "its samples are for %s: --out does not "
		    "change that", n->out != NULL ? n->out : "the cloud");
	if (settings_set(s, SET_OUT, n->out != NULL ? n->out : "cloud",
	    FROM_SERVER, why) < 0)
		return -1;
	if (n->out != NULL)
		return s->v[SET_RW_URL].source == FROM_FLAG ? 0
		    : settings_set(s, SET_RW_URL, n->host, FROM_FLAG, why);
	if (n->push_url != NULL &&
	    settings_text(s, SET_TEST_RUN_TOKEN) == NULL)
		return why_set(why, "the samples go to %s: set "
		    "K6_CLOUD_TEST_RUN_TOKEN", n->push_url);
	if (restore(s, SET_PUSH_REF_ID, n->shared_run, why) < 0 ||
	    restore(s, SET_METRICS_PUSH_URL, n->push_url, why) < 0)
		return -1;
	if (s->v[SET_HOST].source == FROM_FLAG)
		return 0;
	return settings_set(s, SET_HOST, n->host, FROM_FLAG, why);
}

/* journal_found.noted: where the batches go decides what becomes of pieces. */
static int
foresee_remote(void *ctx, struct why *why)
{
	struct session *session = ctx;
	struct note *n = &session->note;

	if (session->loading->note.n == 0 || note_parse(n,
	    buf_whole(&session->loading->note), NULL) < 0 || n->out == NULL)
		return 0;
	if (choose_target(session, why) < 0 || remote_init(&session->remote,
	    &session->options->settings, why) < 0)
		return -1;
	session->remote.config.testid = n->run;
	session->remote.config.keeps_testid = n->keeps_testid;
	session->remote.config.instance = n->instance;
	return 0;
}

static int
load(struct session *session, struct why *why)
{
	struct journal_found found = { .ctx = session, .noted = foresee_remote,
	    .batch = take_batch, .pieces = take_pieces,
	    .halved = take_halved, .was_refused = take_refused };
	int status;

	session->loading = &found;
	status = journal_load(session->journal, &found, why);
	session->loading = NULL;
	if (status == 0 && session->is_unreadable)
		status = why_set(why, "not all of it can be read now");
	if (status == 0 && found.note.n == 0 && (found.last > 0 ||
	    found.damaged_bytes > 0))
		status = why_set(why, "its note is missing");
	if (status == 0 && found.note.n > 0)
		status =
		    note_parse(&session->note, buf_whole(&found.note), why);
	if (found.damaged_bytes > 0)
		warnf("%s: %" PRIu64 " damaged bytes are set aside in bad/",
		    journal_path(session->journal), found.damaged_bytes);
	session->missing += found.missing;
	if (status == 0)
		account_for(session, &found);
	numbers_continue(&session->numbers, found.last);
	buf_release(&found.note);
	return status;
}

/* Its writer ended before it had read anything: no run was asked for. */
static bool
has_nothing(const struct session *session)
{
	return session->note.run == NULL && session->note.name == NULL &&
	    numbers_last(&session->numbers) == 0 && session->missing == 0;
}

/* How a push that nobody ended is to be finished. */
static void
note_cut(struct session *session)
{
	struct note *n = &session->note;

	if (n->has_ended)
		return;
	warnf("%s: the push was cut short: its run ends as aborted",
	    journal_path(session->journal));
	n->has_ended = true;
	n->run_status = RUN_ABORTED_BY_SYSTEM;
	session_note(session);
}

/* From its loaded note on. */
static int
deliver_rest(struct session *session)
{
	struct push_options *o = session->options;
	struct why why;

	if (has_nothing(session)) {
		warnf("%s: nothing had been read: removed",
		    journal_path(session->journal));
		journal_remove(session->journal);
		return EXIT_DONE;
	}
	note_cut(session);
	o->drain_ns = o->drain_ns != 0 ? o->drain_ns : NS_PER_S;
	if (choose_target(session, &why) < 0 ||
	    session_connect(session, &why) < 0)
		return opt_misuse("%s", why.text);
	session->ended_ns = now_monotonic_ns();
	packer_start(session->packer);
	return session_deliver(session);
}

static int
resume_one(struct push_options *o, const char *path)
{
	struct session session = { .has_input_ended = true };
	struct why why;
	int status;

	session_init(&session, o);
	status = journal_open(&session.journal, path, JOURNAL_OLD,
	    &o->journal, &why);
	session_make_stages(&session);
	if (status < 0) {
		warnf("%s", why.text);
		status = status == JOURNAL_BUSY ? EXIT_UNDELIVERED
		    : EXIT_FAILED;
	} else if (load(&session, &why) < 0) {
		warnf("%s: %s: it is left as it is", path, why.text);
		status = EXIT_UNDELIVERED;
	} else {
		status = deliver_rest(&session);
	}
	session_release(&session);
	return status;
}

int
push_resume(struct push_options *o, char *const *paths, int n)
{
	struct journals p = { 0 };
	int worst = journals_find(o, paths, n, &p), status;
	struct settings before;
	size_t i, n_waiting = 0;

	for (i = 0; i < p.n && signals == 0; i++) {
		if (n == 0 && !journal_waits_at(p.paths[i]))
			continue;
		n_waiting++;
		warnf("%s:", p.paths[i]);
		if (journal_is_over_at(p.paths[i])) {
			warnf("nothing is left to deliver; what was refused or "
			    "damaged stays there");
			continue;
		}
		before = settings_copy(&o->settings);
		status = resume_one(o, p.paths[i]);
		settings_release(&o->settings);
		o->settings = before;
		if (status == EXIT_UNDELIVERED || worst == 0)
			worst = status;
	}
	if (i < p.n) {
		warnf("%zu journal%s not looked at: interrupted", p.n - i,
		    p.n - i == 1 ? " was" : "s were");
		worst = EXIT_UNDELIVERED;
	}
	if (worst == 0 && n_waiting == 0)
		warnf("nothing is left to deliver");
	journals_release(&p);
	return worst;
}
