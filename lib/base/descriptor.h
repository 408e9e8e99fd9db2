/* SPDX-License-Identifier: MIT */
/*
 * descriptor: read(2) and write(2) that wait, also where O_NONBLOCK is set.
 * The flag belongs to the pipe's or terminal's open file, which other processes
 * share: one of them may set it at any time, and it is not ours to clear.
 */
#ifndef K6PIPE_BASE_DESCRIPTOR_H
#define K6PIPE_BASE_DESCRIPTOR_H

#include <stddef.h>
#include <sys/types.h>

/* As read(2), but it waits for data, and a signal does not end it. */
ssize_t descriptor_read(int fd, void *to, size_t n);

/* Write all of it. -1: errno; part of it may be written. */
int descriptor_write(int fd, const void *from, size_t n);

#endif
