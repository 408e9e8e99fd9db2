/* SPDX-License-Identifier: MIT */
/* k6gen: makes HTTP load, and writes the samples that k6 would write. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/die.h"
#include "base/hangup.h"
#include "k6gen/options/options.h"
#include "k6gen/run.h"

static volatile sig_atomic_t n_signals;

/* The second signal ends all at once, whatever is being waited for. */
static void
on_signal(int number)
{
	if (hangup_counts_as(number, n_signals > 0) == 0)
		return;
	n_signals = n_signals + 1;
	if (n_signals > 1)
		_exit(EXIT_INTERRUPTED);
}

/* No SA_RESTART: a signal must end the waits. SIGPIPE of a server's socket
 * is no reason to end; the writer sees that of stdout. */
static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	hangup_take(on_signal);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* Every VU holds connections: take what the system allows. */
static void
raise_file_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

/* Put the file of --output in the place of stdout. -1, after a message. */
static int
redirect_output(const struct options *o)
{
	int fd;

	if (o->output == NULL || strcmp(o->output, "-") == 0)
		return 0;
	fd = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd >= 0 && dup2(fd, STDOUT_FILENO) == STDOUT_FILENO) {
		(void)close(fd);
		return 0;
	}
	warnf("--output: %s: %s", o->output, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int
run(struct options *o)
{
	struct why why;
	int status;

	if (redirect_output(o) < 0)
		return EXIT_FAILED;
	catch_signals();
	raise_file_limit();
	report_start(&o->report, &o->plan);
	status = run_plan(&o->plan, &o->report, &n_signals, &why);
	if (status == EXIT_FAILED)
		warnf("%s", why.text);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o;
	int first, status;

	die_init();
	options_init(&o);
	status = opt_parse(&options_tool, &o, argc, argv, &first);
	if (status == OPT_CONTINUE)
		status = options_finish(&o, argv + first, argc - first);
	if (status == OPT_CONTINUE)
		status = close_stdout(run(&o));
	options_release(&o);
	return status;
}
