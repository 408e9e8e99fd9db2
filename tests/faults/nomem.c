/* SPDX-License-Identifier: MIT */
/*
 * nomem: preloaded, lets the allocation number $NOMEM of a process fail, and
 * makes the file $NOMEM_HIT when it does. glibc only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static atomic_long calls;

static int
fails(void)
{
	const char *number = getenv("NOMEM"), *hit = getenv("NOMEM_HIT");
	long n = atomic_fetch_add(&calls, 1) + 1, want = 0;
	int fd;

	while (number != NULL && *number != '\0')
		want = want * 10 + (*number++ - '0');
	if (n != want)
		return 0;
	if (hit != NULL && (fd = open(hit, O_WRONLY | O_CREAT, 0600)) >= 0)
		close(fd);
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t n)
{
	return fails() ? NULL : __libc_realloc(old, n);
}
