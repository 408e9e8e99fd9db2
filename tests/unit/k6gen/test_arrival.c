/* SPDX-License-Identifier: MIT */
#include "k6gen/http/arrival.c"

#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

static int ends[2];

/* Two ends of a TCP connection; the first is stamped. */
static void
connect_ends(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(bind(s, (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(listen(s, 1) == 0);
	CHECK(getsockname(s, (struct sockaddr *)&a, &n) == 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	arrival_want(ends[0]);
	CHECK(connect(ends[0], (struct sockaddr *)&a, sizeof(a)) == 0);
	ends[1] = accept(s, NULL, NULL);
	CHECK(ends[1] >= 0);
	(void)close(s);
}

static void
test_late(void)
{
	struct arrival a = { .ns = 0 };
	struct timespec pause = { 0, 200000000 };
	char bytes[8];
	int64_t sent, read_ns;
	int i;

	connect_ends();
	/* The kernel begins to stamp a while after it was asked to. */
	for (i = 0; i < 50; i++) {
		CHECK(write(ends[1], "ab", 2) == 2);
		sent = now_monotonic_ns();
		(void)nanosleep(&pause, NULL);
		read_ns = now_monotonic_ns();
		CHECK(arrival_receive(ends[0], bytes, sizeof(bytes), 0,
		    &a) ==
		    2);
		if (a.ns < read_ns)
			break;
	}
	/* Written before it was looked at the clock, read long after. */
	CHECK(a.ns < sent + (read_ns - sent) / 2);
	CHECK(a.ns > sent - 5000000000);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
test_step(void)
{
	struct arrival a = { .ns = 0 };
	int64_t now = now_monotonic_ns(), wall = now_unix_ns();

	note_arrival(&a, wall - 5 * NS_PER_MS);
	CHECK(a.ns < now + NS_PER_S && a.ns >= now - 5 * NS_PER_MS);
	/* The clock was set ten seconds back between two reads. */
	a.offset_ns += 10 * NS_PER_S;
	now = now_monotonic_ns();
	note_arrival(&a, now_unix_ns() - NS_PER_S);
	CHECK(a.ns >= now);
	/* Of the future, and of another day. */
	now = now_monotonic_ns();
	note_arrival(&a, now_unix_ns() + NS_PER_S);
	CHECK(a.ns >= now);
	note_arrival(&a, 1);
	CHECK(a.ns >= now);
	note_arrival(&a, 0);
	CHECK(a.ns >= now);
}

int
main(void)
{
	test("what is read late arrived when it arrived", test_late);
	test("a clock that was set costs the stamp", test_step);
	return tap_end();
}
