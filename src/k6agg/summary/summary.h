/* SPDX-License-Identifier: MIT */
/*
 * summary: a finished stream as a table: requests by name, method and status,
 * checks, and all other metrics. Memory grows with the rows, not the stream.
 */
#ifndef K6PIPE_K6AGG_SUMMARY_SUMMARY_H
#define K6PIPE_K6AGG_SUMMARY_SUMMARY_H

#include <stdio.h>

#include "data/course.h"
#include "data/judge.h"
#include "data/sample.h"
#include "data/stream.h"
#include "k6agg/summary/vus.h"

/* Requests of one name, method and status; texts are owned and end in NUL. */
struct request_row {
	char *name, *method, *status;	/* "": without this tag */
	struct sink reqs, failed;
	struct sink ok, other;	/* durations: expected_response:true, rest */
	struct sink duration;	/* of both; summary_view() adds up */
	bool has_outcome;	/* the tag was seen: ok is known */
	/* Only while courses are kept: */
	struct course reqs_course, failed_course, ok_course, other_course;
};

struct check_row {
	char *name, *group;
	struct sink passes;
	struct course passes_course;
};

struct metric_row {
	char *name;
	enum metric_contains contains;
	struct sink sink;
};

/* Rows of one kind: found by key, printed in order. */
struct rows {
	struct map by_key;
	void **list;		/* each owned, and where it stays */
	size_t n, cap;
};

enum { SUMMARY_SLOTS = 1 << 12 };

/* Zeroed but for max_rows it is empty. */
struct summary {
	size_t max_rows;	/* past it requests share a row, __other__ */
	struct rows requests, checks, metrics;
	struct { const struct metric *metric; const struct tagset *tags;
	    struct sink *sink; struct course *course;
	    struct vus_instance *instance; } slots[SUMMARY_SLOTS];
	struct vus vus, vus_max;	/* of generators that are told apart */
	int input;	/* with --merge: number of the file; 0: it is no hint */
	int64_t told_first_ns, told_last_ns;	/* of the run, as Start and
						 * End say; 0: they do not */
	int64_t first_ns, last_ns;	/* of the points */
	int64_t first_edge_ns, last_edge_ns;	/* of the aggregates' buckets */
	/* a request is before, behind: */
	int64_t inner_first_ns, inner_last_ns;
	bool has_points, has_aggregates, is_full;
	bool keeps_courses;	/* of requests and checks, too; set it first */
	struct sink rest;	/* scratch: of what has no course */
	struct buf key;		/* scratch */
};

void summary_release(struct summary *s);

/* Count a point, or the aggregate of a sample. */
void summary_add_point(struct summary *s, const struct point *p);
void summary_add_sample(struct summary *s, const struct sample *sample);

/* When the run was, as a Start or an End line says; 0: it does not. Of several
 * the first and the last count. */
void summary_note_run(struct summary *s, int64_t first_ns, int64_t last_ns);

/* With --merge: the next file begins, which is of another generator. */
void summary_next_input(struct summary *s);

/* Forget pointers to tag sets, which are about to be freed. */
void summary_forget_tags(struct summary *s);

/* A metric was declared after its first points, which were taken for a trend:
 * what was counted is of this type. */
void summary_set_type(struct summary *s, const struct metric *m);

/* What all forms print. */
struct summary_view {
	const struct summary *summary;
	const struct judge *judge;	/* judged */
	const char *state;		/* of the stream; NULL: not known */
	struct request_row all;		/* of all requests; owns its sinks */
	int64_t from_ns, to_ns;
	double seconds;
	int64_t skipped;		/* lines */
};

/* Sort the rows and add up. Release it before the summary. */
void summary_view(struct summary *s, struct summary_view *v);
void summary_view_release(struct summary_view *v);

/* Count per second; NAN when no time has passed, as for one request. */
double summary_rate(const struct summary_view *v, double count);

/* The part of a rate's values that are not 0; NAN without any. */
double summary_part(const struct sink *s);

/* True if it is known of all requests whether they failed; k6 before 0.31 did
 * not write it. */
bool summary_knows_failed(const struct request_row *r);

enum summary_form { SUMMARY_TEXT, SUMMARY_JSON, SUMMARY_CSV,
	SUMMARY_NONE };		/* the caller looks at it */

/* As text for people, or as one JSON object or CSV (k6agg(1)), on out. */
void summary_print_text(const struct summary_view *v, FILE *out);
void summary_print_csv(const struct summary_view *v, FILE *out);
void summary_print_json(const struct summary_view *v, FILE *out);

#endif
