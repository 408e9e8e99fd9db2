/* SPDX-License-Identifier: MIT */
/*
 * compare: is a run better or worse than one other, or than the runs of a
 * baseline? A figure must differ by min_effect at least, and by more than what
 * its own ups and downs explain (data/evidence.h). Of all findings together not
 * more than COMPARE_ALARM may be false.
 */
#ifndef K6PIPE_DATA_COMPARE_H
#define K6PIPE_DATA_COMPARE_H

#include "base/buf.h"
#include "base/opt.h"
#include "data/jsn.h"
#include "data/measure.h"

#define COMPARE_ALARM 0.02
#define COMPARE_MIN_EFFECT 0.05		/* unless another one is asked for */

/* For an option's table: "5%" or "5" becomes 0.05, a double. */
int compare_set_effect(void *member, const struct opt *o, const char *value,
    struct why *why);

enum verdict_of_change {
	CHANGE_SAME, CHANGE_BETTER, CHANGE_WORSE,
	CHANGE_UNKNOWN,		/* too little data to tell, or none */
};

/* A figure of the base (the mean of its runs), and of the run. */
struct change {
	const struct measure *measure;
	double value[2];
	bool is_asked;		/* it is judged by what varies */
	bool is_exact;		/* it is judged by its value alone */
	bool is_missing;	/* the base has it, and the run does not */
	struct evidence evidence;	/* p is that of compare_conclude */
	enum verdict_of_change verdict;
};

/* The requests of one name and method, that are in all runs. */
struct change_of_name {
	char *name, *method;	/* owned */
	double reqs[2];		/* the mean of the base's runs, and the run's */
	struct change p95;
};

struct comparison {
	const struct figures *base;	/* n_base, 1 or more */
	size_t n_base;
	const struct figures *run;
	double min_effect;		/* a share: 0.05 is 5 % */
	struct change changes[MEASURES];
	struct change_of_name *names;	/* owned; sorted by compare_conclude */
	size_t n_names, cap_names;
	int worse, better, unknown;	/* how many are */
	int missing;			/* of the unknown: the base has them */
};

/* Begin with the figures; base, n_base, run and min_effect are set. */
void compare_figures(struct comparison *c);

/* Add a name; texts are copied. base has n_base courses and p95. Few requests
 * are not judged. Returns its number. */
struct name_of_runs {
	const char *name, *method;
	const double *reqs;	/* of the base's runs, then of the run */
	const double *p95;	/* likewise; NAN: none */
};
size_t compare_add_name(struct comparison *c, const struct name_of_runs *n);

/* Does it take the courses to judge this name? If so: courses of the base's
 * runs, then of the run. */
bool compare_asks(const struct comparison *c, size_t name);
void compare_name(struct comparison *c, size_t name, const double *p95,
    const struct course *const *courses);

/* When all is added: find the verdicts, and sort the names: the worst first,
 * then by the run's requests. */
void compare_conclude(struct comparison *c);

void compare_release(struct comparison *c);

/* Does it need a course of expected answers? Not if none failed. */
bool compare_has_expected(const struct figures *f);

/* Append lines of text: a title and all figures, names that changed, the
 * conclusion. */
void compare_print(const struct comparison *c, struct buf *out);

/* One line: "+10.2 % (95 %: +7.1 to +13.4 %), p < 0.001", as far as it is
 * known. */
void compare_print_change(const struct change *c, struct buf *out);

/* "worse: 2 (by at least 5 %)", or that nothing is, or what is not known. */
void compare_print_end(const struct comparison *c, struct buf *out);

/* Members of the object that is open: min_effect, alarm, worse, better,
 * unknown, figures, crossed: the thresholds of the newest run of the base, and
 * of the run. */
void compare_put(const struct comparison *c, struct jsn_out *o);

/* Members change, low, high, p and verdict of one. */
void compare_put_change(const struct change *c, struct jsn_out *o);

/* "same", "better", "worse", "unknown". */
const char *change_verdict_name(enum verdict_of_change verdict);

#endif
