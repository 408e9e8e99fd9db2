/* SPDX-License-Identifier: MIT */
/* The folder of a journal: who may use it, what it is for, its end. */
#include "k6push/journal/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "k6push/journal/journal_priv.h"

enum { NOTE_ROOM = 4096 };

int
journal_errno(const struct journal *j, const char *name, struct why *why)
{
	return why_set(why, "%s/%s: %s", j->path, name, strerror(errno));
}

static void
close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

/* The folder must be ours, and closed to all others. */
static int
open_folder(const char *path, struct why *why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return why_set(why, "%s: %s", path, errno == ENOTDIR ||
		    errno == ELOOP ? "not a folder" : strerror(errno));
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	    (st.st_mode & 077) == 0)
		return fd;
	if (st.st_uid != geteuid())
		(void)why_set(why, "%s: belongs to another user", path);
	else
		(void)why_set(why, "%s: mode %04o gives access to others: "
		    "run chmod 700 %s", path, st.st_mode & 07777, path);
	(void)close(fd);
	return -1;
}

/* Lock the file. Who lists journals holds its lock for a moment, too. */
static int
lock_file(int fd)
{
	const struct timespec pause = { .tv_nsec = 20 * NS_PER_MS };
	int tries = 50;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK || --tries == 0)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

/* Take the lock, and leave our process number in it. */
static int
take_lock(struct journal *j, enum journal_open how, struct why *why)
{
	char text[32] = "";
	struct stat st;
	int status;
	ssize_t n;

	j->lock = openat(j->dir, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW |
	    (how == JOURNAL_NEW ? O_CREAT | O_EXCL : O_CREAT), 0600);
	if (j->lock < 0) {	/* whoever resumes all may have come before */
		status = how == JOURNAL_NEW && (errno == EEXIST ||
		    errno == ENOENT) ? JOURNAL_BUSY : -1;
		(void)journal_errno(j, "lock", why);
		return status;
	}
	if (lock_file(j->lock) != 0) {
		if (errno != EWOULDBLOCK)
			return why_set(why, "%s: this file system cannot lock "
			    "a file (%s): use --journal on another", j->path,
			    strerror(errno));
		n = pread(j->lock, text, sizeof(text) - 1, 0);
		(void)why_set(why, "%s: in use by process %.*s", j->path,
		    n > 0 ? (int)strcspn(text, "\n") : 0, text);
		return JOURNAL_BUSY;
	}
	if (fstat(j->lock, &st) == 0 && st.st_nlink == 0) {
		(void)why_set(why, "%s: was removed", j->path);
		return JOURNAL_BUSY;
	}
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(j->lock, 0) != 0 || pwrite(j->lock, text, (size_t)n, 0)
	    != n)	/* it is only for people */
		return 0;
	return 0;
}

/* Have a new folder's name on the disk. Where that fails, what is in it will
 * too, and is told. */
static void
sync_parent(const char *path)
{
	char *parent = xasprintf("%s/..", path);
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		(void)close(fd);
	}
	free(parent);
}

static struct journal *
new_journal(const char *path, const struct journal_options *o)
{
	struct journal *j = xcalloc(1, sizeof(*j));

	j->path = xstrdup(path);
	j->dir = j->lock = j->notes = j->done = j->out = -1;
	j->options = *o;
	(void)pthread_mutex_init(&j->mutex, NULL);
	(void)pthread_mutex_init(&j->adding, NULL);
	(void)pthread_mutex_init(&j->noting, NULL);
	(void)pthread_mutex_init(&j->syncing, NULL);
	return j;
}

int
journal_open(struct journal **out, const char *path, enum journal_open how,
    const struct journal_options *o, struct why *why)
{
	struct journal *j;
	int status;

	if (how == JOURNAL_NEW && (file_make_folder(path, why) < 0 ||
	    (mkdir(path, 0700) != 0 && why_set(why, "%s: %s", path,
	    strerror(errno)) < 0)))
		return -1;
	j = new_journal(path, o);
	j->dir = open_folder(path, why);
	if (j->dir >= 0 && how == JOURNAL_NEW && o->sync_ns >= 0)
		sync_parent(path);
	status = j->dir < 0 ? -1 : take_lock(j, how, why);
	if (status < 0) {
		journal_close(j);
		return status;
	}
	(void)journal_open_done(j);
	*out = j;
	return 0;
}

void
journal_close(struct journal *j)
{
	struct segment *s;
	struct open_file *i;

	if (j == NULL)
		return;
	while ((i = j->open_files) != NULL) {
		j->open_files = i->next;
		close_fd(i->fd);
		free(i);
	}
	while ((s = j->segments) != NULL) {
		j->segments = s->next;
		free(s);
	}
	close_fd(j->out);
	close_fd(j->done);
	close_fd(j->notes);
	close_fd(j->dir);
	close_fd(j->lock);
	(void)pthread_mutex_destroy(&j->mutex);
	(void)pthread_mutex_destroy(&j->adding);
	(void)pthread_mutex_destroy(&j->noting);
	(void)pthread_mutex_destroy(&j->syncing);
	free(j->path);
	free(j);
}

/* A folder with a journal's name and nothing in it: its maker was killed before
 * it had the lock. */
static bool
is_stillborn(const char *path)
{
	const char *name = strrchr(path, '/'), *form = "00000000T000000Z-";
	struct stat st;
	bool is_empty = true;
	const struct dirent *e;
	DIR *dir;

	name = name != NULL ? name + 1 : path;
	for (; *form != '\0'; form++, name++)
		if (*form == '0' ? *name < '0' || *name > '9' : *name != *form)
			return false;
	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    (dir = opendir(path)) == NULL)
		return false;
	while ((e = readdir(dir)) != NULL)
		is_empty &= strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0;
	(void)closedir(dir);
	return is_empty;
}

bool
journal_has_note_at(const char *path)
{
	char *run = xasprintf("%s/run", path);
	struct stat st;
	bool has = lstat(run, &st) == 0 && S_ISREG(st.st_mode);

	free(run);
	return has;
}

bool
journal_is_at(const char *path)
{
	char *lock = xasprintf("%s/lock", path);
	struct stat st;
	bool is = journal_has_note_at(path) ||
	    (lstat(lock, &st) == 0 && S_ISREG(st.st_mode)) ||
	    is_stillborn(path);

	free(lock);
	return is;
}

bool
journal_waits_at(const char *path)
{
	char *lock = xasprintf("%s/lock", path);
	int fd = open(lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool is_free = fd >= 0 ? flock(fd, LOCK_SH | LOCK_NB) == 0 ||
	    errno != EWOULDBLOCK : is_stillborn(path);

	close_fd(fd);
	free(lock);
	return is_free;
}

const char *
journal_path(const struct journal *j)
{
	return j->path;
}

/* Room for the note that will say how the push ended: when the disk is full
 * then, it is written all the same. */
static void
keep_room(struct journal *j, size_t size)
{
	(void)fallocate(j->notes, FALLOC_FL_KEEP_SIZE, (off_t)j->note_bytes,
	    (off_t)(2 * size + NOTE_ROOM));
}

int
journal_note(struct journal *j, struct span text, struct why *why)
{
	struct record r = { .type = RECORD_NOTE, .payload = text };
	struct stat st;
	struct why reason;

	if (j->notes < 0) {
		j->notes = openat(j->dir, "run", O_WRONLY | O_CREAT |
		    O_CLOEXEC | O_NOFOLLOW, 0600);
		if (j->notes < 0 || fstat(j->notes, &st) != 0)
			return journal_errno(j, "run", why);
		j->note_bytes = (uint64_t)st.st_size;
	}
	if (record_write(j->notes, &j->note_bytes, &r, &reason) < 0)
		return why_set(why, "%s/run: %s", j->path, reason.text);
	keep_room(j, text.n);
	if (j->options.sync_ns >= 0 && (fdatasync(j->notes) != 0 ||
	    fsync(j->dir) != 0))
		return journal_errno(j, "run", why);
	return 0;
}

/* A file below the folder name/, which is made. */
static int
open_beside(struct journal *j, const char *folder, const char *name,
    struct why *why)
{
	char *path = xasprintf("%s/%s", folder, name);
	int fd = -1;

	if (mkdirat(j->dir, folder, 0700) == 0 || errno == EEXIST)
		fd = openat(j->dir, path, O_WRONLY | O_CREAT | O_TRUNC |
		    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		(void)journal_errno(j, path, why);
	free(path);
	return fd;
}

static int
write_beside(struct journal *j, const char *folder, const char *name,
    struct span bytes, struct why *why)
{
	int fd = open_beside(j, folder, name, why);
	size_t done = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	while (done < bytes.n && ((n = write(fd, bytes.p + done,
	    bytes.n - done)) > 0 || (n < 0 && errno == EINTR)))
		done += n > 0 ? (size_t)n : 0;
	if (done < bytes.n || fsync(fd) != 0)
		(void)why_set(why, "%s/%s/%s: %s", j->path, folder, name,
		    strerror(errno));
	else
		n = 0;
	(void)close(fd);
	return done < bytes.n || n != 0 ? -1 : 0;
}

int
journal_refuse(struct journal *j, const char *name, struct span body,
    const char *reason, struct why *why)
{
	char *text = xasprintf("%s.txt", name);
	int status = write_beside(j, "refused", name, body, why);

	if (status == 0)
		status = write_beside(j, "refused", text, span_of(reason),
		    why);
	free(text);
	return status;
}

int
journal_read_refused(struct journal *j, const char *name, struct buf *out,
    struct why *why)
{
	char *path = xasprintf("refused/%s", name);
	int status = journal_slurp(j->dir, path, out, why);

	if (status > 0)
		status = why_set(why, "%s/%s is gone", j->path, path);
	free(path);
	return status;
}

void
journal_forget_refused(struct journal *j, const char *name)
{
	char *path = xasprintf("refused/%s", name);
	char *text = xasprintf("refused/%s.txt", name);

	(void)unlinkat(j->dir, path, 0);
	(void)unlinkat(j->dir, text, 0);
	(void)unlinkat(j->dir, "refused", AT_REMOVEDIR);	/* if empty */
	free(path);
	free(text);
}

void
journal_set_aside(struct journal *j, const char *name, uint64_t offset,
    struct span bytes)
{
	char *to;

	if (j->is_peek)
		return;
	to = xasprintf("%s-%llu", name, (unsigned long long)offset);
	(void)write_beside(j, "bad", to, bytes, NULL);
	free(to);
}

static bool
is_of_batches(const char *name)
{
	return strncmp(name, "seg.", 4) == 0 || strncmp(name, "open.", 5) == 0;
}

/* Killed in between, it is one with all batches done, or one that is over. */
void
journal_remove(struct journal *j)
{
	int again = openat(j->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again >= 0 ? fdopendir(again) : NULL;
	bool has_rest = faccessat(j->dir, "refused", F_OK, 0) == 0 ||
	    faccessat(j->dir, "bad", F_OK, 0) == 0;
	const struct dirent *e;

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL)
		if (is_of_batches(e->d_name))
			(void)unlinkat(j->dir, e->d_name, 0);
	(void)closedir(dir);
	(void)unlinkat(j->dir, "lock", 0);
	(void)unlinkat(j->dir, "done", 0);
	if (has_rest)	/* the note tells what it belongs to */
		return;
	(void)unlinkat(j->dir, "run", 0);
	(void)rmdir(j->path);
}

bool
journal_is_over_at(const char *path)
{
	const struct dirent *e;
	bool has_note = false, has_more = false;
	DIR *dir = opendir(path);

	if (dir == NULL)
		return false;
	while ((e = readdir(dir)) != NULL) {
		has_note |= strcmp(e->d_name, "run") == 0;
		has_more |= is_of_batches(e->d_name) ||
		    strcmp(e->d_name, "lock") == 0 ||
		    strcmp(e->d_name, "done") == 0;
	}
	(void)closedir(dir);
	return has_note && !has_more;
}

int
journal_peek(const char *path, struct journal_found *found, bool *is_open,
    int64_t *bytes, struct why *why)
{
	struct journal_options none = { 0 };
	struct journal *j = new_journal(path, &none);
	int status = -1, lock;

	j->dir = open_folder(path, why);
	if (j->dir >= 0) {
		lock = openat(j->dir, "lock", O_RDONLY | O_CLOEXEC |
		    O_NOFOLLOW);
		*is_open = lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) != 0 &&
		    errno == EWOULDBLOCK;
		close_fd(lock);
		j->is_peek = true;
		status = journal_load(j, found, why);
		*bytes = journal_bytes(j);
	}
	journal_close(j);
	return status;
}
