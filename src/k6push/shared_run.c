/* SPDX-License-Identifier: MIT */
/* A run that several pushers feed: made first, finished at the end. */
#include <stdio.h>

#include "base/die.h"
#include "base/units.h"
#include "k6push/session.h"

/* Turns until the call that is under way has come to an end. */
static void
await(struct push *push)
{
	int64_t until = now_monotonic_ns() + push->options->drain_ns;
	enum control_state *state = &push->control.state;

	while ((*state == CONTROL_CALLING || *state == CONTROL_WAITING) &&
	    signals == 0 && now_monotonic_ns() < until) {
		(void)fetcher_wait(push->fetcher, push->wake, 50);
		control_start(&push->control);
	}
}

int
push_create(struct push_options *o)
{
	struct push push = { 0 };
	struct run_plan plan = { .vus = o->vus,
	    .duration_ns = o->duration_ns };
	int status = EXIT_FAILED;
	struct why why;

	if (push_init(&push, o, &why) < 0) {
		status = opt_misuse("%s", why.text);
	} else {
		plan.name = settings_text(&o->settings, SET_NAME);
		if (plan.name == NULL)
			plan.name = "k6 test";
		plan.thresholds = buf_whole(&push.thresholds);
		control_create(&push.control, &plan, push.note.create_key);
		await(&push);
		if (push.control.state == CONTROL_CREATED) {
			(void)printf("%s\t%s\n", push.control.id,
			    push.control.page_url);
			status = EXIT_DONE;
		}
	}
	push_release(&push);
	return status;
}

/* How the server says that the run ended; one that does not say ended well. */
static int
status_of(const struct control *c)
{
	int run_status = c->run_status != 0 ? c->run_status : RUN_FINISHED;

	warnf("%s: %s", c->id, run_status_name(run_status));
	if (run_status == RUN_ABORTED_BY_USER)
		return EXIT_INTERRUPTED;
	if (c->result_status != 0)
		return EXIT_THRESHOLD;
	return run_status == RUN_FINISHED ? EXIT_DONE : EXIT_FAILED;
}

int
push_finish(struct push_options *o)
{
	struct push push = { 0 };
	struct run_result result = { .run_status = RUN_FINISHED,
	    .thresholds = SPAN("{}"), .is_worst = true };
	int status = EXIT_FAILED;
	struct why why;

	if (push_init(&push, o, &why) < 0) {
		status = opt_misuse("%s", why.text);
	} else {
		control_adopt(&push.control, o->finish, SPAN(""), "--finish");
		if (push.control.state == CONTROL_CREATED) {
			control_finish(&push.control, &result,
			    push.note.finish_key);
			await(&push);
		}
		if (push.control.state == CONTROL_FINISHED)
			status = status_of(&push.control);
	}
	push_release(&push);
	return status;
}
