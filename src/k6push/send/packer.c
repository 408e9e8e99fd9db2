/* SPDX-License-Identifier: MIT */
/* The thread that compresses batches and writes them to the journal. */
#include "k6push/send/packer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/thread.h"
#include "base/units.h"
#include "k6push/wire/wire.h"

enum { WAITING_BYTES = 16 << 20 };	/* of plain bodies */

static const int64_t tick_ns = 50 * NS_PER_MS;

struct packer {
	struct journal *journal;	/* NULL: none */
	int wake;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct batches in, out;
	bool is_working;	/* one is between in and out */
	bool is_closing;	/* ends when nothing is left */
	bool has_thread;
	_Atomic size_t loose_bytes;	/* of loose batches anywhere */
	_Atomic bool is_hurried;	/* ends now, leaves the rest */
};

struct packer *
packer_new(const struct packer_config *config)
{
	struct packer *k = xcalloc(1, sizeof(*k));

	k->journal = config->journal;
	k->wake = config->wake;
	(void)pthread_mutex_init(&k->mutex, NULL);
	(void)pthread_cond_init(&k->changed, NULL);
	return k;
}

void
packer_free(struct packer *k)
{
	if (k == NULL)
		return;
	batches_release(&k->in);
	batches_release(&k->out);
	(void)pthread_cond_destroy(&k->changed);
	(void)pthread_mutex_destroy(&k->mutex);
	free(k);
}

size_t
packer_loose_bytes(const struct packer *k)
{
	return k->loose_bytes;
}

void
packer_count_loose(struct packer *k, struct batch *p)
{
	packer_forget_loose(k, p);
	p->loose_bytes = p->body.n;
	k->loose_bytes += p->loose_bytes;
}

void
packer_forget_loose(struct packer *k, struct batch *p)
{
	k->loose_bytes -= p->loose_bytes;
	p->loose_bytes = 0;
}

/* Once. For a part that is not on disk itself its whole stands. */
static void
note_made(struct packer *k, struct batch *p)
{
	if (k->journal == NULL || p->is_noted ||
	    (p->is_loose && p->id.parent != 0))
		return;
	journal_made(k->journal, &p->id);
	p->is_noted = true;
}

void
packer_pack(struct packer *k, struct batch *p)
{
	const struct wire *wire = wire_of(p->id.format);
	struct buf kept = { 0 };
	struct why why;

	if (p->is_plain) {
		if (wire->pack(buf_whole(&p->body), &kept, &why) < 0)
			dief(EXIT_FAILED, "%s", why.text);
		buf_release(&p->body);
		p->body = kept;
		p->is_plain = false;
	}
	if (k->journal != NULL && journal_add(k->journal, &p->id,
	    buf_whole(&p->body), &p->place, &why) == 0)
		p->is_loose = false;
	note_made(k, p);
	if (p->is_loose)
		packer_count_loose(k, p);
	else
		packer_forget_loose(k, p);
}

/* Wait for work, at most so long that pieces get to the disk in time. */
static void
wait_for_work(struct packer *k)
{
	(void)thread_wait_until(&k->changed, &k->mutex, now_monotonic_ns() +
	    tick_ns);
}

static void *
packer_thread(void *ctx)
{
	struct packer *k = ctx;
	struct batch *p;

	(void)pthread_mutex_lock(&k->mutex);
	while (!k->is_hurried && (k->in.first != NULL || !k->is_closing)) {
		p = k->in.first;
		if (p == NULL)
			wait_for_work(k);
		else
			batches_remove(&k->in, p);
		k->is_working = p != NULL;
		(void)pthread_mutex_unlock(&k->mutex);
		if (p != NULL)
			packer_pack(k, p);
		if (k->journal != NULL)
			(void)journal_sync(k->journal, false, NULL);
		(void)pthread_mutex_lock(&k->mutex);
		if (p != NULL) {
			batches_add(&k->out, p);
			thread_bell_ring(k->wake);
		}
		k->is_working = false;
		(void)pthread_cond_broadcast(&k->changed);
	}
	(void)pthread_mutex_unlock(&k->mutex);
	return NULL;
}

void
packer_start(struct packer *k)
{
	if (pthread_create(&k->thread, NULL, packer_thread, k) != 0)
		dief(EXIT_FAILED, "no thread can be started");
	k->has_thread = true;
}

void
packer_put(struct packer *k, struct batch *p)
{
	(void)pthread_mutex_lock(&k->mutex);
	while (k->in.bytes > WAITING_BYTES && !k->is_hurried)
		wait_for_work(k);
	batches_add(&k->in, p);
	(void)pthread_cond_broadcast(&k->changed);
	(void)pthread_mutex_unlock(&k->mutex);
}

bool
packer_take(struct packer *k, struct batches *list)
{
	struct batch *p;
	bool is_more;

	(void)pthread_mutex_lock(&k->mutex);
	while ((p = k->out.first) != NULL) {
		batches_remove(&k->out, p);
		batches_add(list, p);
	}
	is_more = k->in.first != NULL || k->is_working;
	(void)pthread_mutex_unlock(&k->mutex);
	return is_more;
}

void
packer_hurry(struct packer *k)
{
	k->is_hurried = true;
}

void
packer_stop(struct packer *k)
{
	struct batch *p;

	if (!k->has_thread)
		return;
	(void)pthread_mutex_lock(&k->mutex);
	k->is_closing = true;
	(void)pthread_cond_broadcast(&k->changed);
	(void)pthread_mutex_unlock(&k->mutex);
	(void)pthread_join(k->thread, NULL);
	/* In a hurry the thread may have gone before the last was put. */
	while ((p = k->in.first) != NULL) {
		batches_remove(&k->in, p);
		batches_add(&k->out, p);
	}
	k->has_thread = false;
}
