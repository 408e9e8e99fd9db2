/* SPDX-License-Identifier: MIT */
#include "k6gen/http/conn.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "tap.h"

/* Held up behind the write: between it and the look at the clock, as by
 * SIGSTOP. */
static void
test_held_up(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timespec pause = { 0, 300 * NS_PER_MS };
	socklen_t n = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM, 0);
	struct user u = { .number = 0 };
	struct conn c = { .fd = socket(AF_INET, SOCK_STREAM, 0) };
	struct iovec part = { (char[]){ "request" }, 7 };
	int64_t from, now, sent;

	conn_set_user(&c, &u);
	CHECK(bind(s, (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(listen(s, 1) == 0);
	CHECK(getsockname(s, (struct sockaddr *)&a, &n) == 0);
	CHECK(connect(c.fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	(void)nanosleep(&pause, NULL);
	from = now_monotonic_ns();
	CHECK(conn_send(&c, &part, 1) == 7);
	now = now_monotonic_ns();
	(void)nanosleep(&pause, NULL);
	sent = conn_sent_ns(&c, from);
	CHECK(sent >= from);
	CHECK(sent <= now + 50 * NS_PER_MS);
	/* At once, it is now. */
	from = now_monotonic_ns();
	CHECK(conn_sent_ns(&c, from) >= from);
	CHECK(u.bytes.sent == 7);
	(void)close(c.fd);
	(void)close(s);
}

int
main(void)
{
	test("what was sent before this process was held up was sent then",
	    test_held_up);
	return tap_end();
}
