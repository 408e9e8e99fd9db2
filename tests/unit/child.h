/* SPDX-License-Identifier: MIT */
/* child: run a function that may exit, and see what it wrote. */
#ifndef K6PIPE_TESTS_CHILD_H
#define K6PIPE_TESTS_CHILD_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What `run` wrote to stdout and stderr together goes to text; returns its
 * exit status, -1 when a signal ended it. A function that returns counts as
 * status 0. */
static inline int
child(void (*run)(void), char *text, size_t size)
{
	int ends[2], status;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	(void)fflush(stdout);
	if (pipe(ends) < 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)dup2(ends[1], STDERR_FILENO);
		(void)close(ends[0]);
		(void)close(ends[1]);
		run();
		(void)fflush(stdout);
		_exit(0);
	}
	(void)close(ends[1]);
	while ((got = read(ends[0], text + n, size - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	(void)close(ends[0]);
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
