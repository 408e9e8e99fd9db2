/* SPDX-License-Identifier: MIT */
/* The reader from outside: made, given settings, asked, and freed. */
#include "k6push/read/reader.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/thread.h"
#include "base/units.h"
#include "k6push/read/reader_priv.h"
#include "k6push/wire/wire.h"

/* Let it look at the sender's word again. */
static void
poke(struct reader *r)
{
	thread_bell_ring(r->poked);
}

/* The buckets of protocol 2, between the collector and the packer. */
static int
init_open_batches(struct reader *r, const struct settings *s, struct why *why)
{
	if (open_batches_init(&r->open_batches, s,
	    &r->collector.stream.metrics, why) < 0)
		return -1;
	r->has_open_batches = true;
	r->open_batches.packer = r->packer;
	r->open_batches.journal = r->journal;
	r->open_batches.numbers = r->numbers;
	r->collector.series = &r->open_batches.taker;
	r->cutter = open_batches_cutter(&r->open_batches);
	return 0;
}

/* running_batches.put */
static void
put_batch(void *ctx, struct batch *p)
{
	struct reader *r = ctx;

	if (p->is_loose)
		packer_count_loose(r->packer, p);
	packer_put(r->packer, p);
}

static void
init_running(struct reader *r, const struct running_config *c)
{
	running_batches_init(&r->running, c, &r->collector.stream.metrics);
	r->running.numbers = r->numbers;
	r->running.journal = r->journal;
	r->running.put = put_batch;
	r->running.put_ctx = r;
	r->collector.series = &r->running.taker;
	r->cutter = running_batches_cutter(&r->running);
	r->interval_ns = c->interval_ms * NS_PER_MS;
}

struct reader *
reader_new(const struct reader_config *config, struct why *why)
{
	const struct settings *s = config->settings;
	struct reader *r = xcalloc(1, sizeof(*r));

	lines_init(&r->in, config->files, config->n_files);
	r->in.codecs = config->codecs;
	r->packer = config->packer;
	r->journal = config->journal;
	r->wake = config->wake;
	r->numbers = config->numbers;
	r->memory_max = config->memory_max;
	r->on_head = config->on_head;
	r->ctx = config->ctx;
	r->interval_ns = settings_int(s, SET_PUSH_INTERVAL);
	r->max_samples = settings_int(s, SET_MAX_SAMPLES);
	r->collector.each = reader_take_sample;
	r->collector.ctx = r;
	r->collector.judge = r->judge = config->judge;
	r->collector.label.instance = config->instance;
	r->is_settled = !config->awaits_name;
	r->collector.label.tags = &r->collector.stream.tags;
	r->poked = -1;
	if (config->running != NULL)
		init_running(r, config->running);
	if (wire_chosen(s) == &wire_v2 &&
	    init_open_batches(r, s, why) < 0) {
		reader_free(r);
		return NULL;
	}
	return r;
}

void
reader_free(struct reader *r)
{
	if (r == NULL)
		return;
	if (r->poked >= 0)
		(void)close(r->poked);
	batch_free(r->filling);
	open_batches_release(&r->open_batches);
	running_batches_release(&r->running);
	collector_release(&r->collector);
	lines_release(&r->in);
	free(r);
}

void
reader_start(struct reader *r)
{
	r->poked = thread_bell_open();
	if (r->poked < 0 ||
	    pthread_create(&r->thread, NULL, reader_thread, r) != 0)
		dief(EXIT_FAILED, "no thread can be started");
	r->has_thread = true;
}

bool
reader_has_head(const struct reader *r)
{
	return r->has_head;
}

bool
reader_has_ended(const struct reader *r)
{
	return r->has_ended;
}

int
reader_set_settings(struct reader *r, const struct settings *s,
    struct why *why)
{
	int64_t period_ns, wait_ns;
	int status;

	if (r->collector.series == &r->running.taker)
		return 0;
	r->interval_ns = settings_int(s, SET_PUSH_INTERVAL);
	r->max_samples = settings_int(s, SET_MAX_SAMPLES);
	if (!r->has_open_batches)
		return 0;
	status = series_collect_rule(s, &period_ns, &wait_ns, why);
	if (status == 0) {
		r->wait_ns = wait_ns;
		r->period_ns = period_ns;
	}
	r->is_answered = true;
	poke(r);
	return status;
}

void
reader_rename(struct reader *r, const char *instance)
{
	r->renamed = instance;
}

void
reader_settle_name(struct reader *r)
{
	if (r->is_settled)
		return;
	r->is_settled = true;
	poke(r);
}

void
reader_let_pass(struct reader *r)
{
	r->is_useless = true;
}

void
reader_interrupt(struct reader *r, int signal)
{
	r->signal = signal;
	r->stop = READER_SIGNAL;
	poke(r);
}

void
reader_stop(struct reader *r)
{
	r->stop = READER_NOW;
	poke(r);
}

void
reader_join(struct reader *r)
{
	if (r->has_thread)
		(void)pthread_join(r->thread, NULL);
	r->has_thread = false;
}

/* When the run was, as its head and tail say, else as its samples do. */
static void
put_times(const struct collector *c, struct reader_counts *counts)
{
	const struct run_end *end = &c->ends.end;

	counts->first_ns = c->start.time_ns != 0 ? c->start.time_ns :
	    end->start_ns != 0 ? end->start_ns : c->first_ns;
	counts->last_ns = end->time_ns != 0 ? end->time_ns : c->last_ns;
}

struct reader_counts
reader_counts(const struct reader *r)
{
	const struct collector *c = &r->collector;
	struct reader_counts counts = { .points = c->points,
	    .requests = c->requests, .invalid = (uint64_t)r->bad.n,
	    .hint = r->bad.hint,
	    .unkept = r->unkept, .failed_files = r->in.n_failed,
	    .starts = c->starts, .crossed = r->crossed,
	    .has_end = c->ends.n > 0 && !c->ends.end.is_books,
	    .end = c->ends.end,
	    .own_testid = r->running.running.own_testid,
	    .has_own_testids = r->running.running.has_own_testids };

	put_times(c, &counts);
	return counts;
}
