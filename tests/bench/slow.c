/* SPDX-License-Identifier: MIT */
/*
 * slow MS [CERTIFICATE KEY]: a server that answers MS milliseconds after a
 * request arrived, by the kernel's clock, with TLS or without. Prints its port.
 * When it is terminated it prints percentiles 50 and 99, in ms, of what its
 * answers took, from that arrival until they were written: what a client is
 * to see as waiting.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1 << 20, CONNECTIONS = 64 };
static const int64_t second = 1000000000;
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static struct pollfd fds[CONNECTIONS + 1];	/* the first listens */
static SSL *ssls[CONNECTIONS + 1];		/* NULL: none */
static int64_t came[CONNECTIONS + 1];		/* 0: no request */
static nfds_t n = 1;
static double took[MOST];
static size_t n_took;
static volatile sig_atomic_t is_over;

static void
end(int number)
{
	(void)number;
	is_over = 1;
}

static int64_t
clock_ns(clockid_t which)
{
	struct timespec t;

	(void)clock_gettime(which, &t);
	return t.tv_sec * second + t.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* When what waits on the socket arrived, by the monotonic clock; 0: nothing
 * waits. */
static int64_t
arrival(int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct scm_timestamping))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control) };
	struct scm_timestamping stamps = { 0 };
	int64_t now, wall, at;

	if (recvmsg(fd, &m, MSG_PEEK | MSG_DONTWAIT) <= 0)
		return 0;
	now = clock_ns(CLOCK_MONOTONIC);
	wall = clock_ns(CLOCK_REALTIME);
	if (CMSG_FIRSTHDR(&m) != NULL)
		memcpy(&stamps, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(stamps));
	at = stamps.ts[0].tv_sec * second + stamps.ts[0].tv_nsec;
	return at != 0 && at < wall && wall - at < second ? now - (wall - at) :
	    now;
}

static void
accept_one(SSL_CTX *context)
{
	int one = 1, flags = SOF_TIMESTAMPING_RX_SOFTWARE |
	    SOF_TIMESTAMPING_SOFTWARE;
	int fd = accept4(fds[0].fd, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0 || n == CONNECTIONS + 1) {
		(void)close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags,
	    sizeof(flags));
	fds[n] = (struct pollfd){ .fd = fd, .events = POLLIN };
	came[n] = 0;
	ssls[n] = context != NULL ? SSL_new(context) : NULL;
	if (ssls[n] != NULL) {
		(void)SSL_set_fd(ssls[n], fd);
		SSL_set_accept_state(ssls[n]);
	}
	n++;
}

/* A request comes in one piece. False: the connection is over. */
static int
take(nfds_t i)
{
	char request[8192];
	int64_t at = arrival(fds[i].fd);
	ssize_t got = ssls[i] != NULL ? SSL_read(ssls[i], request,
	    sizeof(request)) : read(fds[i].fd, request, sizeof(request));

	if (got > 0)
		came[i] = at;
	else if (ssls[i] != NULL)
		return SSL_get_error(ssls[i], (int)got) ==
		    SSL_ERROR_WANT_READ;
	return got > 0 || (got < 0 && errno == EAGAIN);
}

static void
drop(nfds_t i)
{
	SSL_free(ssls[i]);
	(void)close(fds[i].fd);
	n--;
	fds[i] = fds[n];
	ssls[i] = ssls[n];
	came[i] = came[n];
}

/* Answer what is due. Returns in how many ns the next one is. */
static int64_t
answer_due(int64_t delay)
{
	int64_t next = second, left;
	nfds_t i;

	for (i = 1; i < n; i++) {
		if (came[i] == 0)
			continue;
		left = came[i] + delay - clock_ns(CLOCK_MONOTONIC);
		if (left > 0) {
			next = left < next ? left : next;
			continue;
		}
		if (ssls[i] != NULL)
			(void)SSL_write(ssls[i], answer, sizeof(answer) - 1);
		else
			(void)!write(fds[i].fd, answer, sizeof(answer) - 1);
		if (n_took < MOST)
			took[n_took++] = (double)(clock_ns(CLOCK_MONOTONIC) -
			    came[i]) / 1e6;
		came[i] = 0;
	}
	return next;
}

static SSL_CTX *
load(char **files)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	if (SSL_CTX_use_certificate_chain_file(c, files[0]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(c, files[1], SSL_FILETYPE_PEM) != 1)
		exit(1);
	return c;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	SSL_CTX *context = argc == 4 ? load(argv + 2) : NULL;
	struct timespec wait;
	int64_t delay, next;
	nfds_t i;

	if (argc < 2 || (delay = strtol(argv[1], NULL, 10) * 1000000) <= 0)
		return 2;
	(void)signal(SIGTERM, end);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	(void)alarm(120);	/* whom nobody terminates */
	fds[0] = (struct pollfd){ .fd = socket(AF_INET, SOCK_STREAM |
	    SOCK_NONBLOCK, 0), .events = POLLIN };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fds[0].fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(fds[0].fd, CONNECTIONS) != 0)
		return 1;
	(void)getsockname(fds[0].fd, (struct sockaddr *)&at, &size);
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	while (!is_over) {
		next = answer_due(delay);
		wait = (struct timespec){ next / second, next % second };
		if (ppoll(fds, n, &wait, NULL) <= 0)
			continue;
		for (i = n - 1; i >= 1; i--)
			if (fds[i].revents != 0 && !take(i))
				drop(i);
		if (fds[0].revents != 0)
			accept_one(context);
	}
	qsort(took, n_took, sizeof(took[0]), by_value);
	if (n_took > 0)
		printf("%.3f %.3f\n", took[n_took / 2],
		    took[n_took * 99 / 100]);
	return 0;
}
