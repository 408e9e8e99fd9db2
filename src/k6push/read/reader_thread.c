/* SPDX-License-Identifier: MIT */
/* The thread that reads the stream and cuts it into batches. */
#include <poll.h>

#include "base/die.h"
#include "base/thread.h"
#include "base/units.h"
#include "k6push/read/reader_priv.h"
#include "k6push/wire/wire.h"

enum {
	BATCH_BYTES = 8 << 20,	/* plain; more is cut earlier */
	PIECE_BYTES = 128 << 10,	/* then they are written */
	LONGEST_WAIT_MS = 200,
	ANSWER_MS = 200,
	NAME_MS = 1000,
};

static const int64_t warning_ns = 10 * NS_PER_S;

static bool
must_stop(const struct reader *r)
{
	return r->stop == READER_NOW || (r->stop == READER_SIGNAL &&
	    lines_must_stop(&r->in, r->signal));
}

/* Wait until poked, or some time. */
static void
wait_until_poked(struct reader *r, int ms)
{
	struct pollfd p = { .fd = r->poked, .events = POLLIN };

	if (poll(&p, 1, ms) > 0)
		thread_bell_clear(r->poked);
}

/* Say why reading waits: every 10 seconds, also if it goes on in between. */
static void
warn_waiting(struct reader *r, const char *why)
{
	int64_t now = now_monotonic_ns();

	if (r->next_warning_ns != 0 && now < r->next_warning_ns)
		return;
	warnf("%s: reading waits", why);
	r->next_warning_ns = now + warning_ns;
	r->is_waiting = true;
}

/* Bring what filling holds to the journal. False: the disk does not take it;
 * the batch is loose from here on. */
static bool
keep_pieces(struct reader *r)
{
	struct batch *p = r->filling;
	struct span bytes = { p->body.p + r->in_pieces,
	    p->body.n - r->in_pieces };
	struct why why;

	if (p->is_loose || bytes.n == 0)
		return !p->is_loose;
	if (journal_piece(r->journal, &p->id, bytes, &why) == 0) {
		r->in_pieces = p->body.n;
		if (r->is_waiting)
			warnf("the journal grows again");
		r->is_waiting = false;
		return true;
	}
	warn_waiting(r, why.text);
	p->is_loose = true;
	return false;
}

/* Bring the lines of open batches of series to the journal. False: the disk
 * does not take them. */
static bool
keep_lines(struct reader *r)
{
	struct why why;

	if (r->journal == NULL)
		return true;
	if (r->cutter.keep(r->cutter.ctx, &why) < 0) {
		warn_waiting(r, why.text);
		return false;
	}
	if (r->is_stuck)
		warnf("the journal grows again");
	r->is_waiting &= !r->is_stuck;
	return true;
}

/* Hand over what is due: the batch that is filling, or buckets. */
static void
cut_batches(struct reader *r, bool is_all)
{
	struct batch *p = r->filling;
	struct why why;

	r->next_cut_ns = now_monotonic_ns() + r->interval_ns;
	if (r->cutter.ctx != NULL)
		r->cutter.take(r->cutter.ctx, is_all);
	if (p == NULL)
		return;
	if (keep_pieces(r) && journal_cut(r->journal, &p->id, &why) < 0) {
		warn_waiting(r, why.text);
		p->is_loose = true;
	}
	buf_char(&p->body, ']');
	p->id.plain_bytes = p->body.n;
	r->filling = NULL;
	if (p->is_loose)
		packer_count_loose(r->packer, p);
	packer_put(r->packer, p);
}

/* The facts of the run are noted before any of its samples: who takes over
 * needs them. */
static void
take_head(struct reader *r)
{
	const struct collector *c = &r->collector;

	if (r->has_head)
		return;
	r->on_head(r->ctx, &c->start, c->start.time_ns != 0 ? c->start.time_ns
	    : c->first_ns);
	r->has_head = true;
	thread_bell_ring(r->wake);
}

int
reader_take_sample(void *ctx, const struct sample *s)
{
	struct reader *r = ctx;
	struct batch *p = r->filling;

	if (r->is_passing) {
		r->unkept.points += sample_points(s);
		r->unkept.requests += sample_requests(s);
		return 0;
	}
	if (p == NULL) {
		take_head(r);
		p = r->filling = batch_new(numbers_take(r->numbers, 1));
		p->id.format = wire_v1.format;
		p->is_plain = true;
		p->is_loose = r->journal == NULL;
		r->in_pieces = 0;
	}
	buf_char(&p->body, p->id.samples == 0 ? '[' : ',');
	sample_print(s, true, &p->body);
	if (s->kind == SAMPLE_AGGREGATE)
		p->id.flags |= WIRE_V1_HISTOGRAMS;
	p->id.samples++;
	p->id.points += sample_points(s);
	p->id.requests += sample_requests(s);
	if ((int64_t)p->id.samples >= r->max_samples ||
	    p->body.n >= BATCH_BYTES)
		cut_batches(r, false);
	else if (p->body.n - r->in_pieces >= PIECE_BYTES && !p->is_loose)
		(void)keep_pieces(r);
	return 0;
}

/* Wait for a word of the server, which answers to the start of the run; while
 * it does not, what we have is good, too. */
static void
await(struct reader *r, const _Atomic bool *word, int ms)
{
	int64_t end_ns = now_monotonic_ns() + ms * NS_PER_MS;

	while (!*word && r->stop == READER_GO && now_monotonic_ns() < end_ns)
		wait_until_poked(r, LONGEST_WAIT_MS / 4);
}

static void
take_name(struct reader *r)
{
	const char *name = r->renamed;

	if (name == NULL || name == r->collector.label.instance)
		return;
	r->collector.label.instance = name;
	instance_label_forget(&r->collector.label);
}

/* The start is known before any sample is taken: the server says how long
 * buckets are, and whether another has our name. */
static void
take_start(struct reader *r)
{
	collector_take_head(&r->collector, &r->in, &r->bad);
	if (!collector_has_head(&r->collector))
		return;
	take_head(r);
	if (r->has_open_batches)
		await(r, &r->is_answered, ANSWER_MS);
	await(r, &r->is_settled, NAME_MS);
	take_name(r);
}

/* Take the whole lines that are here. */
static void
take_lines(struct reader *r)
{
	take_name(r);
	if ((r->cutter.ctx != NULL || !r->is_settled) && !r->has_head)
		take_start(r);
	if (r->has_open_batches && r->period_ns != 0)
		open_batches_set(&r->open_batches, r->period_ns, r->wait_ns);
	collector_take(&r->collector, &r->in, &r->bad);
	if (collector_has_head(&r->collector))
		take_head(r);
	if (r->filling != NULL)
		(void)keep_pieces(r);
	if (r->is_passing && r->cutter.ctx != NULL)
		r->cutter.drop(r->cutter.ctx, &r->unkept);
	else if (r->cutter.ctx != NULL)
		r->is_stuck = !keep_lines(r);
}

/* Is there no room for more? Then say so. */
static bool
has_no_room(struct reader *r)
{
	if (r->journal == NULL)
		return packer_loose_bytes(r->packer) > r->memory_max;
	if (packer_loose_bytes(r->packer) > 0 || (r->filling != NULL &&
	    r->filling->is_loose))
		return true;
	if (r->is_stuck && (r->is_stuck = !keep_lines(r)))
		return true;
	if (!journal_is_full(r->journal))
		return false;
	warn_waiting(r, "the journal is full");
	return true;
}

static void
cut_if_due(struct reader *r)
{
	bool is_due = now_monotonic_ns() >= r->next_cut_ns;

	/* What is only in memory is to leave it soon. */
	if (is_due || (r->journal != NULL && r->filling != NULL &&
	    r->filling->is_loose))
		cut_batches(r, false);
}

/* Read once when there is something. 0: the input is at its end. */
static int
read_once(struct reader *r)
{
	struct pollfd p[2] = { { .fd = r->poked, .events = POLLIN },
	    { .fd = lines_fd(&r->in), .events = POLLIN } };
	int64_t left = (r->next_cut_ns - now_monotonic_ns()) / NS_PER_MS + 1;
	struct why why;
	int more;

	if (p[1].fd >= 0) {
		(void)poll(p, 2, left < 0 ? 0 : left < LONGEST_WAIT_MS ?
		    (int)left : LONGEST_WAIT_MS);
		if (p[0].revents != 0)
			thread_bell_clear(r->poked);
		if (p[1].revents == 0)
			return 1;
	}
	collector_trim(&r->collector);
	more = lines_fill(&r->in, &why);
	if (more < 0)
		warnf("%s", why.text);
	take_lines(r);
	return more;
}

/* A threshold with abortOnFail is crossed: the generator that writes to us is
 * to end, too. A file is of a run that is over, which nobody can abort. */
static bool
must_abort(struct reader *r)
{
	const struct verdict *v;

	if (!r->judge->aborts || !collector_has_head(&r->collector) ||
	    lines_is_file(&r->in))
		return false;
	v = r->crossed = judge_clock(r->judge, now_monotonic_ns());
	if (v == NULL)
		return false;
	warnf("threshold %.*s: %.*s was crossed: the run is aborted",
	    (int)v->threshold.key.text.n, v->threshold.key.text.p,
	    (int)v->threshold.source.n, v->threshold.source.p);
	lines_close(&r->in);
	return true;
}

void *
reader_thread(void *ctx)
{
	struct reader *r = ctx;
	int more = 1;

	r->next_cut_ns = now_monotonic_ns() + r->interval_ns;
	while (more != 0 && !must_stop(r) && !must_abort(r)) {
		cut_if_due(r);
		if (!has_no_room(r)) {
			if (r->is_waiting)
				warnf("reading goes on");
			r->is_waiting = false;
			more = read_once(r);
		} else if (r->is_useless) {	/* let the stream flow */
			cut_batches(r, true);
			r->is_passing = true;
			more = read_once(r);
			r->is_passing = false;
		} else {
			wait_until_poked(r, LONGEST_WAIT_MS / 4);
		}
	}
	collector_end(&r->collector);
	if (r->stop == READER_GO && r->crossed == NULL)
		collector_tell(&r->collector);
	cut_batches(r, true);
	r->has_ended = true;
	thread_bell_ring(r->wake);
	return NULL;
}
