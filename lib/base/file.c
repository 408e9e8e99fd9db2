/* SPDX-License-Identifier: MIT */
/* Files read and replaced whole; the folders that tools keep files in. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 4096 };

/* Read an open file to its end. */
static int
read_all(int fd, const char *path, struct buf *out, struct why *why)
{
	struct stat st;
	ssize_t n = 0;
	char *room;

	if (fstat(fd, &st) < 0)
		return why_set(why, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return why_set(why, "%s: not a regular file", path);
	while ((room = buf_room(out, READ_BYTES)) != NULL &&
	    (n = read(fd, room, READ_BYTES)) > 0)
		out->n += (size_t)n;
	if (room == NULL)
		return why_set(why, "%s: larger than %zu bytes", path,
		    out->max);
	return n < 0 ? why_set(why, "%s: %s", path, strerror(errno)) : 0;
}

int
file_read(const char *path, size_t max, struct buf *out, struct why *why)
{
	/* O_NONBLOCK: a FIFO in the file's place does not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), status;
	size_t max_before = out->max;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 1
		    : why_set(why, "%s: %s", path, strerror(errno));
	out->max = max;
	status = read_all(fd, path, out, why);
	out->max = max_before;
	(void)close(fd);
	return status;
}

static int
write_all(int fd, struct span text)
{
	ssize_t n;

	while (text.n > 0) {
		n = write(fd, text.p, text.n);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			text.p += n;
			text.n -= (size_t)n;
		}
	}
	/* What is no file has nothing to sync. */
	return fsync(fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : -1;
}

/* Write to a device, a FIFO or the like, which stays what it is. */
static int
write_through(const char *path, struct span text, struct why *why)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), status = 0;

	if (fd < 0 || write_all(fd, text) < 0)
		status = why_set(why, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return status;
}

/* The new name is on the disk when the folder is. */
static void
sync_folder(const char *path)
{
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');
	int fd;

	if (slash != NULL)
		slash[slash == folder] = '\0';
	fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		(void)close(fd);
	}
	free(folder);
}

int
file_replace(const char *path, struct span text, mode_t mode, struct why *why)
{
	struct stat st;
	char *next;
	int fd, status = 0;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) &&
	    !S_ISDIR(st.st_mode))
		return write_through(path, text, why);
	next = xasprintf("%s.%ld.new", path, (long)getpid());
	(void)unlink(next);
	fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    mode);
	if (fd < 0 || write_all(fd, text) < 0 || rename(next, path) < 0)
		status = why_set(why, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	if (status < 0)
		(void)unlink(next);
	else
		sync_folder(path);
	free(next);
	return status;
}

char *
file_state_dir(const char *name)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state != NULL && state[0] == '/')
		return xasprintf("%s/%s", state, name);
	if (home != NULL && home[0] == '/')
		return xasprintf("%s/.local/state/%s", home, name);
	return NULL;
}

int
file_make_folder(const char *path, struct why *why)
{
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');
	struct stat st;
	int status = 0;

	if (slash == NULL || slash == folder) {
		free(folder);
		return 0;
	}
	*slash = '\0';
	if (stat(folder, &st) != 0) {
		status = file_make_folder(folder, why);
		if (status == 0 && mkdir(folder, 0700) != 0 &&
		    errno != EEXIST)
			status = why_set(why, "%s: %s", folder,
			    strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		status = why_set(why, "%s: not a folder", folder);
	}
	free(folder);
	return status;
}
