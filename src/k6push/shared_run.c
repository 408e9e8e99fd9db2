/* SPDX-License-Identifier: MIT */
/* A run that several pushers feed: creates it first, and finishes it at the
 * end. */
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/mem.h"
#include "base/units.h"
#include "k6push/session.h"

/* Turns until the call that is under way has come to an end. */
static void
await_call(struct session *session)
{
	int64_t until = now_monotonic_ns() + session->options->drain_ns;
	enum run_api_state state;

	while (((state = run_api_state(session->run_api)) ==
	    RUN_API_CALLING || state == RUN_API_WAITING) &&
	    signals == 0 && now_monotonic_ns() < until) {
		(void)fetcher_wait(session->fetcher, session->wake, 50);
		run_api_start(session->run_api);
	}
}

/* Nobody else knows of the run: where it cannot be printed, say which it is. */
static int
print_created(const struct run_facts *run)
{
	char *line = xasprintf("%s\t%s\n", run->id, run->page_url);
	int error = put_stdout(line);

	free(line);
	if (error == 0)
		return EXIT_DONE;
	warnf("stdout: %s (run %s was created: k6push --finish %s)",
	    strerror(error), run->id, run->id);
	return EXIT_FAILED;
}

int
push_create(struct push_options *o)
{
	struct session session = { 0 };
	struct run_plan plan = { .vus = o->vus,
	    .duration_ns = o->duration_ns };
	struct buf thresholds = { 0 };
	struct run_facts run;
	int status = EXIT_FAILED;
	struct why why;

	session_init(&session, o);
	if (session_connect(&session, &why) < 0) {
		status = opt_misuse("%s", why.text);
	} else {
		plan.name = settings_text(&o->settings, SET_NAME);
		if (plan.name == NULL)
			plan.name = "k6 test";
		judge_print_plan(&session.judge, true, &thresholds);
		plan.thresholds = buf_whole(&thresholds);
		plan.is_shared = session.judge.n > 0;
		run_api_create(session.run_api, &plan,
		    session.note.create_key);
		await_call(&session);
		if (run_api_state(session.run_api) == RUN_API_CREATED) {
			run = run_api_facts(session.run_api);
			status = print_created(&run);
		}
	}
	session_release(&session);
	buf_release(&thresholds);
	return status;
}

/* How the server says that the run ended; one that does not say ended well. */
static int
status_of(const struct run_facts *run)
{
	int run_status = run->run_status != 0 ? run->run_status
	    : RUN_FINISHED;

	warnf("%s: %s", run->id, run_status_name(run_status));
	if (run_status == RUN_ABORTED_BY_USER)
		return EXIT_INTERRUPTED;
	if (run->result_status != 0)
		return EXIT_THRESHOLD;
	if (run->unknown > 0)
		warnf("%s: is not known to have passed: %lld threshold%s could "
		    "not be judged", run->id, (long long)run->unknown,
		    run->unknown == 1 ? "" : "s");
	return run_status == RUN_FINISHED ? EXIT_DONE : EXIT_FAILED;
}

int
push_finish(struct push_options *o)
{
	struct session session = { 0 };
	struct run_result result = { .run_status = RUN_FINISHED,
	    .thresholds = SPAN("{}"), .is_worst = true };
	struct run_known known = { .id = o->finish, .config = SPAN(""),
	    .from = "--finish" };
	int status = EXIT_FAILED;
	struct run_facts run;
	struct why why;

	session_init(&session, o);
	if (session_connect(&session, &why) < 0) {
		status = opt_misuse("%s", why.text);
	} else {
		run_api_adopt(session.run_api, &known);
		if (run_api_state(session.run_api) == RUN_API_CREATED) {
			run_api_finish(session.run_api, &result,
			    session.note.finish_key);
			await_call(&session);
		}
		run = run_api_facts(session.run_api);
		if (run_api_state(session.run_api) == RUN_API_FINISHED)
			status = status_of(&run);
		else if (run.is_removed)
			status = EXIT_UNDELIVERED;
	}
	session_release(&session);
	return status;
}
