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

static void
set_fate(struct load *l, uint64_t number, enum fate fate)
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

/* Read a file whole. False: there is nothing of it. */
static bool
begin_file(struct load *l, const char *name, bool is_torn_normal)
{
	l->file = name;
	l->is_torn_normal = is_torn_normal;
	buf_reset(&l->bytes);
	if (journal_slurp(l->j->dir, name, &l->bytes, NULL) != 0)
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
	set_fate(l, number, FATE_HALVED);
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

/* The batch is noted as done with, for the first time. */
static void
count_done(struct journal_found *f, const struct record *r)
{
	struct journal_sum *sum = r->batch.flags == JOURNAL_ACKED ? &f->acked
	    : r->batch.flags == JOURNAL_REFUSED ? &f->refused
	    : r->batch.flags == JOURNAL_LOST ? &f->lost : NULL;

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
		if (load_fate(l, r.batch.number) == FATE_UNKNOWN) {
			count_done(l->found, &r);
			made_add(&l->ended, &r.batch);
		}
		set_fate(l, r.batch.number, (enum fate)r.batch.flags);
	}
	halves_sort(&l->halves);
	made_sort(&l->made);
	for (i = 0; i < l->ended.n; i++)
		halves_take_part(&l->halves, &l->ended.v[i]);
}

bool
load_is_early_part(const struct load *l, const struct journal_batch *b)
{
	return b->parent != 0 && load_fate(l, b->parent) != FATE_SPLIT &&
	    load_fate(l, b->parent) != FATE_HALVED;
}

bool
load_is_wanted(const struct load *l, const struct halved *h)
{
	const struct halved *part;
	uint64_t n;

	for (n = h->first; n <= h->first + 1; n++) {
		if (load_fate(l, n) == FATE_UNKNOWN)
			return true;
		part = load_fate(l, n) == FATE_HALVED
		    ? halves_find(&l->halves, n) : NULL;
		if (part != NULL && !part->is_present && load_is_wanted(l, part))
			return true;
	}
	return false;
}

/* The parts that were wanted are there now. */
static void
set_made(struct load *l, const struct halved *h)
{
	const struct halved *part;
	uint64_t n;

	for (n = h->first; n <= h->first + 1; n++) {
		part = load_fate(l, n) == FATE_HALVED
		    ? halves_find(&l->halves, n) : NULL;
		if (load_fate(l, n) == FATE_UNKNOWN)
			set_fate(l, n, FATE_LIVE);
		else if (part != NULL && !part->is_present)
			set_made(l, part);
	}
}

/* Hand out a halved batch that was found. False: nothing of it is wanted. */
static bool
take_halved(struct load *l, struct halved *h, struct span pieces)
{
	if (!load_is_wanted(l, h))
		return false;
	if (l->found->halved != NULL)
		l->found->halved(l->found->ctx, &h->batch, &h->place, pieces);
	set_made(l, h);
	return true;
}

/* Does h stand in a segment, and is something of it wanted? */
static bool
is_wanted_there(const struct load *l, const struct halved *h)
{
	return h->is_present && h->place.segment != 0 &&
	    load_fate(l, h->batch.number) == FATE_HALVED && load_is_wanted(l, h);
}

/* Those that stand in segments, after all has been read. Some end within the
 * callback: their segment is to stay for the others. */
static void
take_halves(struct load *l)
{
	struct segment *s;
	struct halved *h;
	size_t i;

	for (i = 0; i < l->halves.n; i++) {
		h = &l->halves.v[i];
		for (s = l->j->segments; s != NULL && s->number !=
		    h->place.segment; s = s->next)
			;
		if (s != NULL && is_wanted_there(l, h))
			s->live++;
	}
	for (i = 0; i < l->halves.n; i++)
		if (is_wanted_there(l, &l->halves.v[i]))
			(void)take_halved(l, &l->halves.v[i], SPAN(""));
}

enum journal_part
journal_part(const struct journal_found *found, uint64_t whole, int n,
    uint64_t *number)
{
	const struct load *l = found->load;
	const struct halved *h = halves_find(&l->halves, whole), *part;

	*number = h->first + (uint64_t)n;
	if (load_fate(l, *number) == FATE_UNKNOWN)
		return JOURNAL_PART_WANTED;
	part = load_fate(l, *number) == FATE_HALVED
	    ? halves_find(&l->halves, *number) : NULL;
	return part != NULL && !part->is_present && load_is_wanted(l, part)
	    ? JOURNAL_PART_HALVED : JOURNAL_PART_NONE;
}

static struct halved *
set_present(struct load *l, const struct journal_batch *b,
    const struct journal_place *place)
{
	struct halved *h = halves_find(&l->halves, b->number);

	h->is_present = true;
	h->batch = *b;
	h->place = *place;
	return h;
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
			set_present(l, &r.batch, &place);
		if (r.type != RECORD_BATCH ||
		    load_fate(l, r.batch.number) != FATE_UNKNOWN)
			continue;
		if (load_is_early_part(l, &r.batch)) {
			set_fate(l, r.batch.number, FATE_SPLIT);
			if (!l->j->is_peek)
				journal_done(l->j, &r.batch, JOURNAL_SPLIT,
				    &none);
			continue;
		}
		set_fate(l, r.batch.number, FATE_LIVE);
		halves_take_part(&l->halves, &r.batch);
		s->live++;
		if (l->found->batch != NULL)
			l->found->batch(l->found->ctx, &r.batch, &place);
	}
	s->live--;
	l->has_batches = false;
}

static void
load_open_file(struct load *l, uint64_t number)
{
	const struct journal_place none = { 0 };
	struct journal_batch batch = { 0 };
	uint64_t damaged_before = l->found->damaged_bytes;
	const struct journal_batch *made;
	struct open_file *i;
	char name[NAME_TEXT];
	struct record r;
	size_t at = 0;

	(void)snprintf(name, sizeof(name), "open.%llu",
	    (unsigned long long)number);
	if (!begin_file(l, name, true))
		return;
	buf_reset(&l->pieces);
	l->open_number = number;
	l->most = (struct journal_sum){ 0 };
	while (record_next(buf_whole(&l->bytes), &at, &r, on_bad, l)) {
		if (r.batch.number != number)
			continue;
		batch = r.batch;
		note_most(l, &batch);
		if (r.type == RECORD_PIECE)
			buf_span(&l->pieces, r.payload);
	}
	l->open_number = 0;
	i = xcalloc(1, sizeof(*i));
	i->number = number;
	i->fd = -1;
	i->bytes = l->bytes.n;
	i->next = l->j->open_files;
	l->j->open_files = i;
	if (l->pieces.n == 0 && l->found->damaged_bytes > damaged_before)
		note_damaged(l, number);
	if (load_fate(l, number) == FATE_HALVED && l->pieces.n > 0 &&
	    !halves_find(&l->halves, number)->is_present)
		(void)take_halved(l, set_present(l, &batch, &none),
		    buf_whole(&l->pieces));
	if (load_fate(l, number) != FATE_UNKNOWN)
		return;
	made = made_find(&l->made, number);
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
	batch.points = l->most.points;
	batch.requests = l->most.requests;
	set_fate(l, number, FATE_LIVE);
	if (l->found->pieces != NULL)
		l->found->pieces(l->found->ctx, &batch,
		    buf_whole(&l->pieces));
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
		load_done(&l);
		for (i = 0; i < l.n_segments; i++)
			load_segment(&l, l.segments[i]);
		for (i = 0; i < l.n_open_files; i++)
			load_open_file(&l, l.open_files[i]);
		take_halves(&l);
		load_count_missing(&l);
		drop_dead_segments(j);
		found->load = NULL;
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
