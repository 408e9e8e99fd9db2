/* SPDX-License-Identifier: MIT */
/* A lock on a byte of the file that it never has. */
#include "k6serve/claim.h"

#include <fcntl.h>
#include <unistd.h>

/* SQLite locks bytes at 1 GiB; its files end before 2^48. */
#define PLACE ((off_t)1 << 62)

int
claim_file(const char *path)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET,
		.l_start = PLACE, .l_len = 1 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

bool
claim_is_shared(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = PLACE, .l_len = 1 };

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 &&
	    lock.l_type != F_UNLCK;
}
