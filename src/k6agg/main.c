/* SPDX-License-Identifier: MIT */
/*
 * k6agg: fold the ordinary HTTP requests of each time bucket into one line,
 * pass everything else as it is. Here: its options and signals.
 */
#include <locale.h>
#include <stdio.h>

#include "base/die.h"
#include "base/hangup.h"
#include "base/opt.h"
#include "data/compare.h"
#include "k6agg/agg.h"
#include "k6agg/diff.h"

static volatile sig_atomic_t stop_signal;

static void
on_signal(int number)
{
	number = hangup_counts_as(number, stop_signal != 0);
	if (number != 0)
		stop_signal = number;
}

/* Rules and substitutions as they are used. Returns OPT_CONTINUE, or the
 * status to exit with. */
static int
prepare_selection(struct options *o)
{
	struct why why;

	if (!select_is_asked(&o->selection))
		return OPT_CONTINUE;
	o->select = select_new(&o->selection, &why);
	return o->select != NULL ? OPT_CONTINUE : opt_misuse("%s", why.text);
}

static int
prepare_thresholds(struct options *o)
{
	struct why why;
	size_t i;

	if (o->thresholds.n > 0 && !options_ask_summary(o))
		return opt_misuse("--threshold needs --summary, --json, --csv "
		    "or --diff");
	if (o->has_no_thresholds && !options_ask_summary(o))
		return opt_misuse("--no-thresholds needs --summary, --json, "
		    "--csv or --diff");
	for (i = 0; i < o->thresholds.n && !o->has_no_thresholds; i++)
		if (judge_add_option(&o->judge, o->thresholds.items[i],
		    &why) < 0)
			return opt_misuse("--threshold: %s", why.text);
	return OPT_CONTINUE;
}

/* Inputs that are merged are read at the same time: stdin can be one only. */
static int
check_files(const struct options *o, char *const *files, int n)
{
	int i, n_stdin = 0;

	for (i = 0; i < n; i++)
		n_stdin += strcmp(files[i], "-") == 0;
	if (o->is_diff && (n != 2 || n_stdin > 1))
		return opt_misuse("--diff compares two files");
	if (o->is_diff && (o->is_merge ||
	    o->settings.v[SET_PERIOD].source == FROM_FLAG))
		return opt_misuse("--diff and %s: --diff compares the files as "
		    "they are", o->is_merge ? "-m" : "-p");
	if (!o->is_diff && o->min_effect >= 0)
		return opt_misuse("--min-effect needs --diff");
	if (o->is_csv && (o->is_json || o->is_diff))
		return opt_misuse("--csv goes with neither --json nor --diff");
	return o->is_merge && n_stdin > 1 ? opt_misuse("-m: stdin (-) can be "
	    "merged only once") : OPT_CONTINUE;
}

static void
release(struct options *o)
{
	settings_release(&o->settings);
	select_free(o->select);
	opt_list_release(&o->thresholds);
	judge_release(&o->judge);
	opt_list_release(&o->selection.keep);
	opt_list_release(&o->selection.drop);
	opt_list_release(&o->selection.drop_tag);
	opt_list_release(&o->selection.group);
}

static const struct opt table[] = {
	{ 0, "strict", NULL, "end with status 1 at the first bad line",
	    OPT_FLAG, offsetof(struct options, is_strict), NULL, 0 },
	{ 'q', "quiet", NULL, "do not report the books on stderr", OPT_FLAG,
	    offsetof(struct options, is_quiet), NULL, 0 },
	{ 'm', "merge", NULL, "merge the aggregates of all inputs", OPT_FLAG,
	    offsetof(struct options, is_merge), NULL, 0 },
	{ 0, "summary", NULL, "write a table instead of lines", OPT_FLAG,
	    offsetof(struct options, is_summary), NULL, 0 },
	{ 0, "json", NULL, "write the summary, or the result of --diff, as "
	    "JSON", OPT_FLAG, offsetof(struct options, is_json), NULL, 0 },
	{ 0, "csv", NULL, "write the summary as CSV", OPT_FLAG,
	    offsetof(struct options, is_csv), NULL, 0 },
	{ 0, "diff", NULL, "compare two FILEs; exit 1 if the second is worse",
	    OPT_FLAG, offsetof(struct options, is_diff), NULL, 0 },
	{ 0, "min-effect", "PERCENT", "with --diff: smaller changes do not "
	    "count (5%)", OPT_CALL, offsetof(struct options, min_effect),
	    compare_set_effect, 0 },
	{ 0, "threshold", "METRIC=EXPR", "with --summary: judge this "
	    "threshold, exit 99 if it is crossed; repeatable", OPT_LIST,
	    offsetof(struct options, thresholds), NULL, 0 },
	{ 0, "no-thresholds", NULL,
	    "judge no thresholds, not even those of the stream", OPT_FLAG,
	    offsetof(struct options, has_no_thresholds), NULL, 0 },
	{ 0, "live", NULL, "show progress in one line on a terminal",
	    OPT_FLAG, offsetof(struct options, is_live), NULL, 0 },
	{ 0, "keep", "RULE", "keep only METRIC, METRIC{TAG=VALUE} or "
	    "TAG=VALUE; repeatable", OPT_LIST,
	    offsetof(struct options, selection.keep), NULL, 0 },
	{ 0, "drop", "RULE", "omit what matches the rule; repeatable",
	    OPT_LIST, offsetof(struct options, selection.drop), NULL, 0 },
	{ 0, "drop-tag", "TAG", "remove a tag; repeatable", OPT_LIST,
	    offsetof(struct options, selection.drop_tag), NULL, 0 },
	{ 0, "group", "s/ERE/TEXT/", "change url and name tags; repeatable",
	    OPT_LIST, offsetof(struct options, selection.group), NULL, 0 },
	{ 0, "max-series", "N", "maximum number of open tag sets, or of "
	    "rows of the summary; the rest is __other__", OPT_INT,
	    offsetof(struct options, max_series), NULL, 0 },
	{ 0 },
};

int
main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal,
	    .sa_flags = (int)SA_RESETHAND };
	struct opt settings_rows[SETTINGS + 1];
	struct opt_tool tool = {
		.synopsis = "[options] [FILE...]",
		.about = "Fold the HTTP requests of a k6 stream into "
		    "aggregates, keep the outliers.",
		.examples = "  k6gen -d 30s URL | k6agg -p 3s | k6push\n"
		    "  k6agg -p 3s results.json.gz >folded.json\n"
		    "  k6agg -m a.json b.json | k6push\n"
		    "  k6agg --summary results.json\n"
		    "  k6agg --diff before.json after.json || echo slower\n",
		.tables = { table, settings_rows },
	};
	struct options o = { .max_series = 100000, .min_effect = -1 };
	struct why why;
	int first, status;

	die_init();
	/* Characters of expressions are those of UTF-8, as in the stream,
	 * whatever the environment says. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	settings_options(USED_BY_AGG, offsetof(struct options, settings),
	    settings_rows);
	settings_init(&o.settings);
	status = opt_parse(&tool, &o, argc, argv, &first);
	if (status == OPT_CONTINUE &&
	    settings_from_env(&o.settings, &why) < 0)
		status = opt_misuse("%s", why.text);
	if (status == OPT_CONTINUE)
		status = prepare_selection(&o);
	if (status == OPT_CONTINUE)
		status = prepare_thresholds(&o);
	if (status == OPT_CONTINUE)
		status = check_files(&o, argv + first, argc - first);
	if (status == OPT_CONTINUE) {
		(void)sigaction(SIGINT, &action, NULL);
		(void)sigaction(SIGTERM, &action, NULL);
		hangup_take(on_signal);
		status = o.is_diff ? agg_diff(&o, argv + first, &stop_signal)
		    : agg_run(&o, argv + first, argc - first, &stop_signal);
	}
	release(&o);
	return status;
}
