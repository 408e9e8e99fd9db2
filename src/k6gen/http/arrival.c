/* SPDX-License-Identifier: MIT */
/* Arrival times of a TCP socket's bytes: SO_TIMESTAMPING by software. */
#include "k6gen/http/arrival.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/units.h"

/* The wall clock and the monotonic one drift apart by less; more is a step. */
#define STEP_NS (10 * NS_PER_MS)

/* What waited longer was not read for other reasons than being late. */
#define LONGEST_NS (60 * NS_PER_S)

void
arrival_want(int fd)
{
	int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags,
	    sizeof(flags));
}

/* The kernel's time of the wall clock; 0: none. */
static int64_t
stamp_of(struct msghdr *m)
{
	struct scm_timestamping stamps;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SO_TIMESTAMPING)
			continue;
		memcpy(&stamps, CMSG_DATA(c), sizeof(stamps));
		return stamps.ts[0].tv_sec * NS_PER_S + stamps.ts[0].tv_nsec;
	}
	return 0;
}

/* A wall clock that was set since costs the stamp: the time of reading. */
static void
note_arrival(struct arrival *a, int64_t stamp_ns)
{
	int64_t now, wall, offset, moved, age;
	bool has_stepped;

	now_both_ns(&now, &wall);
	offset = wall - now;
	moved = offset - a->offset_ns;
	age = wall - stamp_ns;
	has_stepped = a->offset_ns != 0 && (moved > STEP_NS ||
	    moved < -STEP_NS);
	a->offset_ns = offset;
	a->ns = a->read_ns = now;
	if (stamp_ns != 0 && !has_stepped && age > 0 && age < LONGEST_NS)
		a->ns = now - age;
}

ssize_t
arrival_receive(int fd, char *bytes, size_t n_bytes, int flags,
    struct arrival *a)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct scm_timestamping))];
		struct cmsghdr align;
	} control;
	struct iovec part = { bytes, n_bytes };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	do {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		n = recvmsg(fd, &m, flags);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		note_arrival(a, stamp_of(&m));
	return n;
}
