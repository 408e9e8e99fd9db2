/* SPDX-License-Identifier: MIT */
/* ci: the verdict of a run, in the forms that CI systems show. */
#ifndef K6PIPE_K6SERVE_VIEW_CI_H
#define K6PIPE_K6SERVE_VIEW_CI_H

#include "data/measure.h"
#include "k6serve/view/criteria.h"
#include "k6serve/view/group.h"
#include "k6serve/view/view.h"

/* A run, read once. A zeroed struct is empty. */
struct ci {
	int64_t id;
	char *name;			/* owned */
	int status;			/* as others see it (run_state) */
	enum run_verdict verdict;
	double seconds;
	int64_t first_ns, points;
	struct criteria criteria;
	struct groups checks;		/* by check and group */
	struct figures figures;
};

/* Read v->run. 1; 0: there is none; -1: why. Release it in each case. */
int ci_read(struct ci *c, const struct view *v, struct why *why);
void ci_release(struct ci *c);

/* Append a line or more. Text is for people; JUnit XML has a test case for the
 * state, which fails too if the verdict is not known, each threshold and each
 * check; Markdown is a summary for a step or a
 * pull request; annotations are workflow commands of GitHub. */
void ci_put_text(const struct ci *c, struct buf *out);
void ci_put_junit(const struct ci *c, struct buf *out);
void ci_put_markdown(const struct ci *c, struct buf *out);
void ci_put_github(const struct ci *c, struct buf *out);

/* Append a badge as SVG: "load test | passed". */
void ci_put_badge(const struct ci *c, struct buf *out);

#endif
