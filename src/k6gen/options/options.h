/* SPDX-License-Identifier: MIT */
/* options: the command line, made into a plan. */
#ifndef K6PIPE_K6GEN_OPTIONS_OPTIONS_H
#define K6PIPE_K6GEN_OPTIONS_OPTIONS_H

#include "base/opt.h"
#include "k6gen/plan.h"
#include "k6gen/report/report.h"
#include "k6gen/targets/rows.h"

/* What was given; a count of 0 or a duration < 0 was not. */
struct options {
	struct plan plan;
	struct report report;
	int64_t vus, max_vus, iterations, per_vu, threads;
	int64_t duration_ns;
	double rate;		/* constant; 0: not given */
	struct opt_list stages;
	const char *rates;	/* of --rate */
	const char *method, *body, *json, *name, *targets, *data;
	struct opt_list headers, form, cookies, connect_to, resolve, limits,
	    check_texts;
	const char *user, *bearer;
	const char *dns, *dns_rules, *stats, *system_tags;
	const char *output;	/* NULL: stdout, unless it is a terminal */
	bool is_random, is_raw, is_template, is_base64, is_quiet_output,
	    has_no_thresholds;
	/* Made of the above. */
	struct buf body_bytes, stats_text;
	struct opt_list lines;	/* headers with those of user and cookies */
	struct opt_list filled;	/* headers with placeholders */
	struct rows rows;	/* of the CSV file */
	struct text_range *body_files;	/* parts of body_bytes, of files */
	size_t n_body_files;
	char *basic_template;	/* name:password with placeholders */
	char *agent_line;	/* User-Agent with placeholders */
	char *basic, *bearer_line, *cookie_line, *form_type;
	char *run_name;
};

extern const struct opt_tool options_tool;

/* Defaults, before the command line is parsed into o. */
void options_init(struct options *o);
void options_release(struct options *o);

/* Make the plan, with the URLs that were the operands. Returns OPT_CONTINUE,
 * or the status to exit with after a message. */
int options_finish(struct options *o, char *const *urls, int n_urls);

/* Its part that chooses the executor, and users and duration for it. */
int options_set_executor(struct options *o);

/* Its part that sets headers, body, secrets, data and targets of the plan. */
int options_set_request(struct options *o, char *const *urls, int n_urls);

#endif
