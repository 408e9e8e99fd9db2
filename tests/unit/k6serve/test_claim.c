/* SPDX-License-Identifier: MIT */
#include "k6serve/claim.c"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tap.h"

static char path[] = "/tmp/k6pipe-claim-XXXXXX";

static void
two_claims(void)
{
	int a = claim_file(path), b;

	CHECK(a >= 0 && !claim_is_shared(a));
	b = claim_file(path);
	CHECK(b >= 0 && claim_is_shared(a) && claim_is_shared(b));
	(void)close(a);
	CHECK(!claim_is_shared(b));
	(void)close(b);
}

static void
killed(void)
{
	int ends[2], fd;
	char c = 'x';
	pid_t pid;

	CHECK(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		fd = claim_file(path);
		(void)!write(ends[1], &c, fd >= 0);
		for (;;)
			(void)pause();
	}
	CHECK(pid > 0 && read(ends[0], &c, 1) == 1);
	fd = claim_file(path);
	CHECK(claim_is_shared(fd));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	CHECK(!claim_is_shared(fd));
	(void)close(fd);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
no_file(void)
{
	int fd = claim_file("/nonexistent/k6serve.db");

	CHECK(fd == -1 && !claim_is_shared(fd));
}

int
main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	(void)close(fd);
	test("each of two claims sees the other while it lasts", two_claims);
	test("the claim of a process that is killed is gone", killed);
	test("what cannot be opened is not shared", no_file);
	(void)unlink(path);
	return tap_end();
}
