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
	int64_t offset_ns;	/* of the wall clock then; 0: not known */
};

/* Let the kernel note it for a TCP socket. Where it cannot, the time of
 * reading stands for it. */
void arrival_want(int fd);

/* As recv without flags; an interrupted call is made again. */
ssize_t arrival_receive(int fd, char *bytes, size_t n, struct arrival *a);

#endif
