/* SPDX-License-Identifier: MIT */
/*
 * queue RATE COUNT: a server with known latency, for what is said of delays.
 * One worker takes 2 ms for each request, in order of arrival, and rests 100 ms
 * every 2 s, so that those who come meanwhile queue. Prints its port. After
 * COUNT requests it ends, and prints percentiles, in ms, of what a request took
 * from the time it was due, of RATE a second, to its answer: what a client
 * that makes requests by the clock is to see.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1 << 20 };
static const int64_t second = 1000000000, work = 2000000, rest = 100000000;
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static int waiting[MOST];	/* sockets, in order of arrival */
static int64_t came[MOST], went[MOST];	/* requests and answers */
static double took[MOST];
static size_t first, n;

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * second + t.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
take(int epoll, int listener, int timeout_ms)
{
	struct epoll_event events[64], e = { .events = EPOLLIN };
	char request[8192];
	int i, got = epoll_wait(epoll, events, 64, timeout_ms);

	for (i = 0; i < got; i++)
		if (events[i].data.fd == listener) {
			e.data.fd = accept(listener, NULL, NULL);
			(void)epoll_ctl(epoll, EPOLL_CTL_ADD, e.data.fd, &e);
		} else if (read(events[i].data.fd, request,
		    sizeof(request)) <= 0) {
			(void)close(events[i].data.fd);
		} else if (n < MOST) {
			came[n] = now();
			waiting[n++] = events[i].data.fd;
		}
}

/* Requests were due at equal distances, and none came before it was due: one
 * came at once. */
static void
report(size_t count, int64_t rate)
{
	int64_t origin = INT64_MAX, due;
	size_t i;

	for (i = 0; i < count; i++) {
		due = (int64_t)i * second / rate;
		if (came[i] - due < origin)
			origin = came[i] - due;
	}
	for (i = 0; i < count; i++)
		took[i] = (double)(went[i] - origin - (int64_t)i * second /
		    rate) / 1e6;
	qsort(took, count, sizeof(took[0]), by_value);
	printf("%.3f %.3f %.3f\n", took[count / 2], took[count * 95 / 100],
	    took[count * 99 / 100]);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int epoll = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN, .data.fd = listener };
	int64_t rate, count, ends = 0, rested = 0, t;

	if (argc != 3 || (rate = strtol(argv[1], NULL, 10)) <= 0 ||
	    (count = strtol(argv[2], NULL, 10)) <= 0 || count > MOST)
		return 2;
	(void)alarm((unsigned)(count / rate) + 30);	/* who never comes */
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(listener, 512) != 0)
		return 1;
	(void)getsockname(listener, (struct sockaddr *)&at, &size);
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
	while (first < (size_t)count) {
		/* While somebody waits, the clock is watched closely. */
		take(epoll, listener, first < n ? 0 : 1000);
		if (first == n)
			continue;
		t = now();
		if (rested == 0)
			rested = t;
		if (ends == 0) {	/* the worker begins the next one */
			ends = t + work;
			if (t - rested >= 2 * second) {
				ends += rest;
				rested = t;
			}
		}
		if (t < ends)
			continue;
		(void)!write(waiting[first], answer, sizeof(answer) - 1);
		went[first++] = now();
		ends = 0;
	}
	report((size_t)count, rate);
	return 0;
}
