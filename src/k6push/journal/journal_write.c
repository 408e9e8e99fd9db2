/* SPDX-License-Identifier: MIT */
/* Writes pieces, batches, and which batches are done. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/units.h"
#include "k6push/journal/journal_priv.h"

enum { DONE_AHEAD = 64 << 10 };	/* room kept, so that a full disk takes more */

static int
open_at(struct journal *j, const char *name, int flags, struct why *why)
{
	int fd = openat(j->dir, name, O_CREAT | O_CLOEXEC | O_NOFOLLOW |
	    flags, 0600);

	if (fd < 0)
		(void)journal_errno(j, name, why);
	return fd;
}

static struct open_file *
new_open_file(struct journal *j, uint64_t number, struct why *why)
{
	char name[NAME_TEXT];
	struct open_file *i;
	int fd;

	(void)snprintf(name, sizeof(name), "open.%llu",
	    (unsigned long long)number);
	fd = open_at(j, name, O_WRONLY | O_TRUNC, why);
	if (fd < 0)
		return NULL;
	i = xcalloc(1, sizeof(*i));
	i->fd = fd;
	i->number = number;
	(void)pthread_mutex_lock(&j->mutex);
	i->next = j->open_files;
	j->open_files = i;
	(void)pthread_mutex_unlock(&j->mutex);
	return i;
}

/* The open file of a batch, which is made by its first piece. */
static struct open_file *
open_file_of(struct journal *j, uint64_t number, struct why *why)
{
	struct open_file *i;

	(void)pthread_mutex_lock(&j->mutex);
	for (i = j->open_files; i != NULL && i->number != number; i = i->next)
		;
	(void)pthread_mutex_unlock(&j->mutex);
	return i != NULL ? i : new_open_file(j, number, why);
}

static int
open_file_write(struct journal *j, const struct record *r, struct why *why)
{
	struct open_file *i = open_file_of(j, r->batch.number, why);
	uint64_t before;
	struct why reason;

	if (i == NULL)
		return -1;
	before = i->bytes;
	if (record_write(i->fd, &i->bytes, r, &reason) < 0)
		return why_set(why, "%s: %s", j->path, reason.text);
	i->written = i->bytes;
	j->bytes += (int64_t)(i->bytes - before);
	return 0;
}

int
journal_piece(struct journal *j, const struct journal_batch *b,
    struct span bytes, struct why *why)
{
	struct record r = { .type = RECORD_PIECE, .batch = *b,
	    .payload = bytes };

	if (open_file_write(j, &r, why) < 0)
		return -1;
	if (j->options.sync_ns == 0)
		(void)journal_sync(j, true, NULL);
	return 0;
}

int
journal_cut(struct journal *j, const struct journal_batch *b,
    struct why *why)
{
	struct record r = { .type = RECORD_CUT, .batch = *b };

	return open_file_write(j, &r, why);
}

static void
remove_open_file(struct journal *j, uint64_t number)
{
	struct open_file **at, *i;
	char name[NAME_TEXT];

	(void)pthread_mutex_lock(&j->syncing);
	(void)pthread_mutex_lock(&j->mutex);
	for (at = &j->open_files; (i = *at) != NULL && i->number != number;
	    at = &i->next)
		;
	if (i != NULL)
		*at = i->next;
	(void)pthread_mutex_unlock(&j->mutex);
	if (i != NULL) {
		(void)snprintf(name, sizeof(name), "open.%llu",
		    (unsigned long long)number);
		(void)unlinkat(j->dir, name, 0);
		if (i->fd >= 0)
			(void)close(i->fd);
		j->bytes -= (int64_t)i->bytes;
		free(i);
	}
	(void)pthread_mutex_unlock(&j->syncing);
}

static int
sync_open_file(struct journal *j, struct open_file *i, struct why *why)
{
	uint64_t written = i->written;

	if (i->fd < 0 || i->synced == written)
		return 0;
	if (fdatasync(i->fd) != 0 || (!i->is_named && fsync(j->dir) != 0))
		return why_set(why, "%s: %s", j->path, strerror(errno));
	i->is_named = true;
	i->synced = written;
	return 0;
}

int
journal_sync(struct journal *j, bool is_now, struct why *why)
{
	int64_t now = now_monotonic_ns();
	struct open_file *i;
	int status = 0;

	if (j->options.sync_ns < 0)
		return 0;
	(void)pthread_mutex_lock(&j->syncing);
	/* The next call may be some time away. */
	if (!is_now && now - j->last_sync_ns < j->options.sync_ns / 4 * 3) {
		(void)pthread_mutex_unlock(&j->syncing);
		return 0;
	}
	j->last_sync_ns = now;
	(void)pthread_mutex_lock(&j->mutex);
	i = j->open_files;		/* new ones come before it */
	(void)pthread_mutex_unlock(&j->mutex);
	for (; i != NULL && status == 0; i = i->next)
		status = sync_open_file(j, i, why);
	(void)pthread_mutex_unlock(&j->syncing);
	return status;
}

/* A segment that takes batches, or (out -1) one that was found. */
struct segment *
segment_new(struct journal *j, uint64_t number, uint64_t bytes, int out)
{
	struct segment *s = xcalloc(1, sizeof(*s));

	s->number = number;
	s->bytes = bytes;
	s->live = 1;
	if (number > j->last_segment)
		j->last_segment = number;
	(void)pthread_mutex_lock(&j->mutex);
	s->next = j->segments;
	j->segments = s;
	j->out = out;
	(void)pthread_mutex_unlock(&j->mutex);
	return s;
}

static uint64_t
segment_limit(const struct journal *j)
{
	int64_t part = j->options.max_bytes / 8;

	return part < JOURNAL_SEGMENT ? (uint64_t)part : JOURNAL_SEGMENT;
}

static struct segment *
open_segment(struct journal *j, struct why *why)
{
	char name[NAME_TEXT];
	uint64_t number = j->last_segment + 1;
	int fd;

	(void)snprintf(name, sizeof(name), JOURNAL_NAME "%llu",
	    (unsigned long long)number);
	fd = open_at(j, name, O_WRONLY | O_TRUNC, why);
	if (fd < 0)
		return NULL;
	if (j->options.sync_ns >= 0 && fsync(j->dir) != 0) {
		(void)journal_errno(j, name, why);
		(void)close(fd);
		return NULL;
	}
	return segment_new(j, number, 0, fd);
}

static void
close_out(struct journal *j)
{
	if (j->out >= 0)
		(void)close(j->out);
	j->out = -1;
}

/* The segment for the next batch, counted as one with a live batch more, so
 * that it does not go meanwhile. */
static struct segment *
pin_segment(struct journal *j, struct why *why)
{
	struct segment *s = NULL;

	(void)pthread_mutex_lock(&j->mutex);
	if (j->out >= 0 && j->segments->bytes >= segment_limit(j))
		close_out(j);
	if (j->out >= 0) {
		s = j->segments;
		s->live++;
	}
	(void)pthread_mutex_unlock(&j->mutex);
	return s != NULL ? s : open_segment(j, why);
}

/* Remove a segment that nothing is wanted of; what is done is on disk first,
 * so that nobody takes its batches for missing. */
static void
drop_segment(struct journal *j, struct segment *s)
{
	char name[NAME_TEXT];

	if (j->options.sync_ns >= 0 && j->done >= 0)
		(void)fdatasync(j->done);
	(void)snprintf(name, sizeof(name), JOURNAL_NAME "%llu",
	    (unsigned long long)s->number);
	(void)unlinkat(j->dir, name, 0);
	j->bytes -= (int64_t)s->bytes;
	free(s);
}

/* One batch less is live in a segment. Returns it, out of the list, if it can
 * go: none is, and it takes no more. One that takes more goes when it is
 * large. */
static struct segment *
unpin_segment(struct journal *j, uint64_t number)
{
	struct segment **at = &j->segments, *s;

	while ((s = *at) != NULL && s->number != number)
		at = &s->next;
	if (s == NULL || s->live == 0 || --s->live > 0)
		return NULL;
	if (s == j->segments && j->out >= 0) {
		if (s->bytes < segment_limit(j) / 16)
			return NULL;
		close_out(j);
	}
	*at = s->next;
	return s;
}

static void
release_segment(struct journal *j, uint64_t number, bool is_left)
{
	struct segment *dead;

	(void)pthread_mutex_lock(&j->mutex);
	if (is_left)
		close_out(j);
	dead = unpin_segment(j, number);
	(void)pthread_mutex_unlock(&j->mutex);
	if (dead != NULL)
		drop_segment(j, dead);
}

/* Write the record, and have it on disk. */
static int
add_to_segment(struct journal *j, const struct record *r,
    struct journal_place *place, struct why *why)
{
	struct segment *s = pin_segment(j, why);
	struct why reason;
	uint64_t at;

	if (s == NULL)
		return -1;
	at = s->bytes;
	if (record_write(j->out, &at, r, &reason) < 0 ||
	    (j->options.sync_ns >= 0 && fdatasync(j->out) != 0 &&
	    why_set(&reason, "%s", strerror(errno)) < 0)) {
		/* After a failed sync nobody knows what the disk has. */
		release_segment(j, s->number, true);
		return why_set(why, "%s: %s", j->path, reason.text);
	}
	*place = (struct journal_place){ s->number, at - r->payload.n,
	    r->payload.n };
	j->bytes += (int64_t)(at - s->bytes);
	(void)pthread_mutex_lock(&j->mutex);
	s->bytes = at;
	(void)pthread_mutex_unlock(&j->mutex);
	return 0;
}

int
journal_add(struct journal *j, const struct journal_batch *b,
    struct span body, struct journal_place *place, struct why *why)
{
	struct record r = { .type = RECORD_BATCH, .batch = *b,
	    .payload = body };
	int status;

	*place = (struct journal_place){ 0 };
	(void)pthread_mutex_lock(&j->adding);
	status = add_to_segment(j, &r, place, why);
	(void)pthread_mutex_unlock(&j->adding);
	if (status == 0)
		remove_open_file(j, b->number);
	else	/* the pieces stand for it */
		(void)journal_sync(j, true, NULL);
	return status;
}

int
journal_read(struct journal *j, const struct journal_place *place,
    struct buf *out, struct why *why)
{
	struct record r;
	char name[NAME_TEXT], *room;
	size_t at = 0, all = place->bytes + RECORD_HEAD;
	ssize_t n;
	int fd;

	(void)snprintf(name, sizeof(name), JOURNAL_NAME "%llu",
	    (unsigned long long)place->segment);
	fd = openat(j->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		n = errno == ENOENT ? -1 : JOURNAL_UNREADABLE;
		(void)journal_errno(j, name, why);
		return (int)n;
	}
	buf_reset(out);
	room = buf_room(out, all);
	while (at < all && ((n = pread(fd, room + at, all - at,
	    (off_t)(place->offset - RECORD_HEAD + at))) > 0 ||
	    (n < 0 && errno == EINTR)))
		at += n > 0 ? (size_t)n : 0;
	if (at < all && n < 0)
		(void)journal_errno(j, name, why);
	(void)close(fd);
	if (at < all && n < 0)
		return JOURNAL_UNREADABLE;
	if (at < all || !record_parse(room, all, &r))
		return why_set(why, "%s/%s: damaged at byte %llu", j->path,
		    name, (unsigned long long)place->offset);
	memmove(room, room + RECORD_HEAD, place->bytes);
	out->n = place->bytes;
	return 0;
}

int
journal_open_done(struct journal *j)
{
	off_t end;

	if (j->done < 0) {
		j->done = open_at(j, "done", O_WRONLY, NULL);
		end = j->done >= 0 ? lseek(j->done, 0, SEEK_END) : -1;
		j->done_bytes = j->done_room = end > 0 ? (uint64_t)end : 0;
	}
	if (j->done >= 0 && j->done_room < j->done_bytes + DONE_AHEAD / 4 &&
	    fallocate(j->done, FALLOC_FL_KEEP_SIZE, (off_t)j->done_bytes,
	    DONE_AHEAD) == 0)
		j->done_room = j->done_bytes + DONE_AHEAD;
	return j->done;
}

/* Append what is noted of batch b. */
static int
write_done(struct journal *j, const struct journal_batch *b, uint16_t flags,
    struct why *why)
{
	struct record r = { .type = RECORD_DONE, .batch = *b };
	struct why reason;
	int status;

	r.batch.flags = flags;
	(void)pthread_mutex_lock(&j->noting);
	if (journal_open_done(j) < 0) {
		status = journal_errno(j, "done", why);
	} else {
		status = record_write(j->done, &j->done_bytes, &r, &reason);
		if (status < 0)
			(void)why_set(why, "%s/done: %s", j->path,
			    reason.text);
	}
	(void)pthread_mutex_unlock(&j->noting);
	return status;
}

int
journal_halve(struct journal *j, const struct journal_batch *b,
    uint64_t first, struct why *why)
{
	struct journal_batch halved = *b;

	halved.parent = first;		/* of a batch that is halved */
	if (write_done(j, &halved, RECORD_HALVED, why) < 0)
		return -1;
	if (j->options.sync_ns >= 0)
		(void)fdatasync(j->done);
	return 0;
}

void
journal_made(struct journal *j, const struct journal_batch *b)
{
	(void)write_done(j, b, RECORD_MADE, NULL);
}

void
journal_done(struct journal *j, const struct journal_batch *b,
    enum journal_end how, const struct journal_place *place)
{
	(void)write_done(j, b, (uint16_t)how, NULL);
	if (place->segment == 0)
		remove_open_file(j, b->number);
	else
		release_segment(j, place->segment, false);
}

void
journal_supersede(struct journal *j, const struct journal_batch *b,
    const char *name)
{
	if (write_done(j, b, JOURNAL_ACKED, NULL) == 0)
		journal_forget_refused(j, name);
}

int64_t
journal_bytes(const struct journal *j)
{
	return j->bytes;
}

bool
journal_is_full(const struct journal *j)
{
	return j->bytes >= j->options.max_bytes;
}
