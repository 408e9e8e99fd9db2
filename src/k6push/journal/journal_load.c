/* SPDX-License-Identifier: MIT */
/*
 * Reading a journal after whatever happened to its writer or its disk. A part
 * of a batch counts only if the whole is noted as split, so that nothing is
 * sent both ways.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "k6push/journal/journal_load.h"

enum { NUMBERS_MAX = 1 << 28 };

void
load_set_fate(struct load *l, uint64_t number, enum fate fate)
{
	size_t cap;

	if (number == 0 || number > NUMBERS_MAX)
		return;
	if (number >= l->cap) {
		cap = (size_t)number * 2 + 1024;
		l->fates = xrealloc(l->fates, cap);
		memset(l->fates + l->cap, FATE_UNKNOWN, cap - l->cap);
		l->cap = cap;
	}
	l->fates[number] = (unsigned char)fate;
	if (number > l->found->last)
		l->found->last = number;
}

enum fate
load_fate(const struct load *l, uint64_t number)
{
	return number < l->cap ? (enum fate)l->fates[number] : FATE_UNKNOWN;
}

static void
note_damaged(struct load *l, uint64_t number)
{
	l->damaged = xgrow(l->damaged, l->n_damaged, &l->cap_damaged,
	    sizeof(*l->damaged));
	l->damaged[l->n_damaged++] = number;
}

/* Which batches these bytes of a segment held. One that was cut short at the
 * end is missing only if it has no pieces; a part only if the whole is gone. */
static void
note_damaged_batches(struct load *l, struct span bytes, bool is_torn)
{
	uint64_t number, parent;
	bool has_name = is_torn;
	size_t at = 0;

	while (record_next_damaged(bytes, &at, &number, &parent)) {
		if (number == 0 || number > NUMBERS_MAX)
			continue;
		has_name = true;
		if (parent == 0 || load_fate(l, parent) == FATE_SPLIT ||
		    load_fate(l, parent) == FATE_HALVED)
			note_damaged(l, number);
	}
	l->n_nameless += !has_name && at > 0;
}

/* What a batch is to have, as the heads of its pieces count it. */
static void
note_most(struct load *l, const struct journal_batch *b)
{
	if (b->points > l->most.points)
		l->most.points = b->points;
	if (b->requests > l->most.requests)
		l->most.requests = b->requests;
}

static void
on_bad(void *ctx, struct span bytes, bool is_tail)
{
	struct load *l = ctx;
	bool is_torn = is_tail && l->is_torn_normal;
	struct record cut;

	if (l->open_number != 0 && record_head(bytes, &cut) &&
	    cut.type == RECORD_PIECE && cut.batch.number == l->open_number)
		note_most(l, &cut.batch);
	if (l->has_batches)
		note_damaged_batches(l, bytes, is_torn);
	if (is_torn)
		return;
	l->found->damaged_bytes += bytes.n;
	journal_set_aside(l->j, l->file, (uint64_t)(bytes.p - l->start),
	    bytes);
}

/* Read a file whole. False: it is not there, or cannot be read, which says
 * nothing of what is in it. */
static bool
begin_file(struct load *l, const char *name, bool is_torn_normal)
{
	int status;

	if (l->has_failed)
		return false;
	l->file = name;
	l->is_torn_normal = is_torn_normal;
	buf_reset(&l->bytes);
	status = journal_slurp(l->j->dir, name, &l->bytes, &l->why);
	l->has_failed = status < 0;
	if (status != 0)
		return false;
	l->start = l->bytes.p;
	l->j->bytes += (int64_t)l->bytes.n;
	return true;
}

static void
load_notes(struct load *l)
{
	struct record r;
	size_t at = 0;

	if (!begin_file(l, "run", true))
		return;
	while (record_next(buf_whole(&l->bytes), &at, &r, on_bad, l))
		if (r.type == RECORD_NOTE) {
			buf_reset(&l->found->note);
			buf_span(&l->found->note, r.payload);
		}
}

static void
note_halved(struct load *l, const struct journal_batch *b)
{
	uint64_t number = b->number, first = b->parent;

	if (load_fate(l, number) != FATE_UNKNOWN || first <= number ||
	    first >= NUMBERS_MAX)
		return;
	load_set_fate(l, number, FATE_HALVED);
	halves_add(&l->halves, b);
	if (first + 1 > l->found->last)
		l->found->last = first + 1;
}

static void
note_made(struct load *l, const struct journal_batch *b)
{
	if (b->number == 0 || b->number > NUMBERS_MAX)
		return;
	made_add(&l->made, b);
	if (b->number > l->found->last)
		l->found->last = b->number;
}

/* The batch is noted as done with, for the first time, or after its refusal as
 * superseded. */
static void
count_done(struct journal_found *f, const struct record *r, enum fate before)
{
	struct journal_sum *sum = r->batch.flags == JOURNAL_ACKED ? &f->acked
	    : r->batch.flags == JOURNAL_REFUSED ? &f->refused
	    : r->batch.flags == JOURNAL_LOST ? &f->lost : NULL;

	if (before == FATE_REFUSED && r->batch.flags == JOURNAL_ACKED) {
		f->refused.batches--;
		f->refused.points -= r->batch.points;
		f->refused.requests -= r->batch.requests;
	} else if (before != FATE_UNKNOWN) {
		return;
	}
	if (sum == NULL)
		return;
	sum->batches++;
	sum->points += r->batch.points;
	sum->requests += r->batch.requests;
	f->is_uncounted |= r->batch.samples == 0;
}

static void
load_done(struct load *l)
{
	struct record r;
	size_t at = 0, i;
	enum fate before;

	if (!begin_file(l, "done", true))
		return;
	while (record_next(buf_whole(&l->bytes), &at, &r, on_bad, l)) {
		if (r.type != RECORD_DONE || r.batch.flags < JOURNAL_ACKED ||
		    r.batch.flags > RECORD_MADE)
			continue;
		if (r.batch.flags == RECORD_MADE) {
			note_made(l, &r.batch);
			continue;
		}
		if (r.batch.flags == RECORD_HALVED) {
			note_halved(l, &r.batch);
			continue;
		}
		before = load_fate(l, r.batch.number);
		count_done(l->found, &r, before);
		if (before == FATE_UNKNOWN)
			made_add(&l->ended, &r.batch);
		load_set_fate(l, r.batch.number, (enum fate)r.batch.flags);
	}
	halves_sort(&l->halves);
	made_sort(&l->made);
	for (i = 0; i < l->ended.n; i++)
		halves_take_part(&l->halves, &l->ended.v[i]);
}

bool
journal_knows(const struct journal_found *found, uint64_t number)
{
	return load_fate(found->load, number) != FATE_UNKNOWN;
}

static void
load_segment(struct load *l, uint64_t number)
{
	const struct journal_place none = { 0 };
	struct segment *s = NULL;
	struct journal_place place;
	char name[NAME_TEXT];
	struct record r;
	size_t at = 0;

	(void)snprintf(name, sizeof(name), JOURNAL_NAME "%llu",
	    (unsigned long long)number);
	/* What is cut short at the end of the last segment was a batch that
	 * still has its pieces. */
	if (!begin_file(l, name, number == l->segments[l->n_segments - 1] &&
	    l->n_open_files > 0))
		return;
	l->has_batches = true;
	s = segment_new(l->j, number, l->bytes.n, -1);
	while (record_next(buf_whole(&l->bytes), &at, &r, on_bad, l)) {
		place = (struct journal_place){ number, r.offset,
		    r.payload.n };
		if (r.type == RECORD_BATCH &&
		    load_fate(l, r.batch.number) == FATE_HALVED)
			load_set_present(l, &r.batch, &place);
		if (r.type != RECORD_BATCH ||
		    load_fate(l, r.batch.number) != FATE_UNKNOWN)
			continue;
		if (load_is_early_part(l, &r.batch)) {
			load_set_fate(l, r.batch.number, FATE_SPLIT);
			if (!l->j->is_peek)
				journal_done(l->j, &r.batch, JOURNAL_SPLIT,
				    &none);
			continue;
		}
		load_set_fate(l, r.batch.number, FATE_LIVE);
		halves_take_part(&l->halves, &r.batch);
		s->live++;
		if (l->found->batch != NULL)
			l->found->batch(l->found->ctx, &r.batch, &place);
	}
	s->live--;
	l->has_batches = false;
}

/* Read the pieces of an open file into l->pieces, and the head of its batch.
 * False: there is no such file. */
static bool
read_pieces(struct load *l, uint64_t number, struct journal_batch *batch)
{
	char name[NAME_TEXT];
	struct record r;
	size_t at = 0;

	(void)snprintf(name, sizeof(name), "open.%llu",
	    (unsigned long long)number);
	if (!begin_file(l, name, true))
		return false;
	buf_reset(&l->pieces);
	l->open_number = number;
	l->most = (struct journal_sum){ 0 };
	while (record_next(buf_whole(&l->bytes), &at, &r, on_bad, l)) {
		if (r.batch.number != number)
			continue;
		*batch = r.batch;
		note_most(l, batch);
		if (r.type == RECORD_PIECE)
			buf_span(&l->pieces, r.payload);
	}
	l->open_number = 0;
	return true;
}

static void
add_open_file(struct load *l, uint64_t number)
{
	struct open_file *f = xcalloc(1, sizeof(*f));

	f->number = number;
	f->fd = -1;
	f->bytes = l->bytes.n;
	f->next = l->j->open_files;
	l->j->open_files = f;
}

/* Hand out the batch of an open file, which was never seen in a segment. */
static void
take_pieces(struct load *l, struct journal_batch *batch)
{
	const struct journal_batch *made = made_find(&l->made, batch->number);

	if (l->pieces.n == 0 && made != NULL)
		return;		/* that is known better */
	if (l->pieces.n == 0) {
		l->found->cut.batches += l->most.points > 0;
		l->found->cut.points += l->most.points;
		l->found->cut.requests += l->most.requests;
		return;
	}
	if (made != NULL)
		note_most(l, made);
	batch->points = l->most.points;
	batch->requests = l->most.requests;
	load_set_fate(l, batch->number, FATE_LIVE);
	if (l->found->pieces != NULL)
		l->found->pieces(l->found->ctx, batch, buf_whole(&l->pieces));
}

static void
load_open_file(struct load *l, uint64_t number)
{
	const struct journal_place none = { 0 };
	struct journal_batch batch = { .number = number };
	uint64_t damaged_before = l->found->damaged_bytes;

	if (!read_pieces(l, number, &batch))
		return;
	add_open_file(l, number);
	if (l->pieces.n == 0 && l->found->damaged_bytes > damaged_before)
		note_damaged(l, number);
	if (load_fate(l, number) == FATE_HALVED && l->pieces.n > 0 &&
	    !halves_find(&l->halves, number)->is_present)
		load_take_halved(l, load_set_present(l, &batch, &none),
		    buf_whole(&l->pieces));
	if (load_fate(l, number) == FATE_UNKNOWN)
		take_pieces(l, &batch);
}

static void
note_file(struct load *l, const char *name)
{
	int64_t number;

	if (strncmp(name, JOURNAL_NAME, 4) == 0 &&
	    num_parse_int(name + 4, 1, INT64_MAX, &number)) {
		l->segments = xgrow(l->segments, l->n_segments,
		    &l->cap_segments, sizeof(*l->segments));
		l->segments[l->n_segments++] = (uint64_t)number;
	} else if (strncmp(name, "open.", 5) == 0 &&
	    num_parse_int(name + 5, 1, INT64_MAX, &number)) {
		l->open_files = xgrow(l->open_files, l->n_open_files,
		    &l->cap_open_files, sizeof(*l->open_files));
		l->open_files[l->n_open_files++] = (uint64_t)number;
	}
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int
list_files(struct load *l, struct why *why)
{
	int again = openat(l->j->dir, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	DIR *dir = again >= 0 ? fdopendir(again) : NULL;
	const struct dirent *e;

	if (dir == NULL)
		return why_set(why, "%s: %s", l->j->path, strerror(errno));
	while ((e = readdir(dir)) != NULL)
		note_file(l, e->d_name);
	(void)closedir(dir);
	if (l->n_segments > 0) {
		qsort(l->segments, l->n_segments, sizeof(*l->segments),
		    by_number);
		l->j->last_segment = l->segments[l->n_segments - 1];
	}
	if (l->n_open_files > 0)
		qsort(l->open_files, l->n_open_files, sizeof(*l->open_files),
		    by_number);
	return 0;
}

static void
tell_refused(const struct load *l)
{
	size_t i;

	if (l->found->was_refused == NULL)
		return;
	for (i = 0; i < l->ended.n; i++)
		if (load_fate(l, l->ended.v[i].number) == FATE_REFUSED)
			l->found->was_refused(l->found->ctx, &l->ended.v[i]);
}

/* Segments without a batch that is wanted go at once. */
static void
drop_dead_segments(struct journal *j)
{
	struct segment **at = &j->segments, *s;
	char name[NAME_TEXT];

	while ((s = *at) != NULL) {
		if (s->live > 0 || j->is_peek) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		(void)snprintf(name, sizeof(name), JOURNAL_NAME "%llu",
		    (unsigned long long)s->number);
		(void)unlinkat(j->dir, name, 0);
		j->bytes -= (int64_t)s->bytes;
		free(s);
	}
}

int
journal_load(struct journal *j, struct journal_found *found,
    struct why *why)
{
	struct load l = { .j = j, .found = found };
	size_t i;
	int status = list_files(&l, why);

	if (status == 0) {
		found->load = &l;
		load_notes(&l);
		if (!l.has_failed && found->noted != NULL)
			l.has_failed = found->noted(found->ctx, &l.why) < 0;
		load_done(&l);
		for (i = 0; i < l.n_segments; i++)
			load_segment(&l, l.segments[i]);
		for (i = 0; i < l.n_open_files; i++)
			load_open_file(&l, l.open_files[i]);
		load_take_halves(&l);
		load_count_missing(&l);
		tell_refused(&l);
		if (!l.has_failed)
			drop_dead_segments(j);
		found->load = NULL;
		if (l.has_failed)
			status = why_set(why, "%s", l.why.text);
	}
	free(l.halves.v);
	free(l.made.v);
	free(l.ended.v);
	free(l.fates);
	free(l.segments);
	free(l.open_files);
	free(l.damaged);
	buf_release(&l.bytes);
	buf_release(&l.pieces);
	return status;
}
