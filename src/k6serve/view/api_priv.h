/* SPDX-License-Identifier: MIT */
/* api_priv: what api's .c files share. */
#ifndef K6PIPE_K6SERVE_VIEW_API_PRIV_H
#define K6PIPE_K6SERVE_VIEW_API_PRIV_H

#include "k6serve/view/api.h"
#include "k6serve/view/group.h"
#include "k6serve/view/report.h"
#include "k6serve/view/view.h"

/* What a route shows. */
struct shown {
	view_put *view;		/* NULL: the answer knows */
	const char *saved_as;	/* the name of its download; NULL: no CSV */
	enum report_format format;	/* of an export */
};

static inline const struct shown *
api_shown(const struct call *c)
{
	return c->route->what;
}

/* Whether the query wants CSV. */
bool api_wants_csv(const struct call *c);

/* What the query asks for; v borrows tags. -1: the reply says what is wrong
 * with it. */
int api_read_query(struct call *c, struct view *v, struct tag_filter *tags);

/* The same, and find the run. False: the reply says why not. */
bool api_open_view(struct call *c, struct view *v, struct tag_filter *tags);

/* Which runs the query of the list wants. -1: as above. */
int api_read_filter(struct call *c, struct run_filter *f);

/* Answers: the run as a file, and as a badge. */
void api_export_run(struct call *c);
void api_show_badge(struct call *c);

#endif
