/* SPDX-License-Identifier: MIT */
/*
 * arrival: when bytes arrived, by the kernel's clock and not by when this
 * process came to read them.
 */
#ifndef K6PIPE_K6GEN_HTTP_ARRIVAL_H
#define K6PIPE_K6GEN_HTTP_ARRIVAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Of a connection; a zeroed struct is that of a new one. */
struct arrival {
	int64_t ns;		/* monotonic, of the bytes read last */
	int64_t read_ns;	/* when they were read */
	int64_t offset_ns;	/* of the wall clock then; 0: not known */
};

/* Let the kernel note it for a TCP socket. Where it cannot, the time of
 * reading stands for it. */
void arrival_want(int fd);

/* As recv; an interrupted call is made again. flags: MSG_TRUNC drops the bytes
 * instead of copying them, or 0. */
ssize_t arrival_receive(int fd, char *bytes, size_t n, int flags,
    struct arrival *a);

#endif
