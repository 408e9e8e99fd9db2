/* SPDX-License-Identifier: MIT */
/*
 * k6push: bring a stream to the cloud's ingest API and account for every
 * sample of it.
 */
#include <string.h>

#include "base/die.h"
#include "base/opt.h"
#include "base/units.h"
#include "io/config.h"
#include "k6push/push.h"

/* Settings in the order of their sources; flags are in already. */
static int
load_settings(struct push_options *o, struct why *why)
{
	int status = config_load(o->config_file, &o->settings, why);

	if (status == 0)
		status = settings_from_env(&o->settings, why);
	if (status == 0 && settings_int(&o->settings, SET_API_VERSION) > 2)
		status = why_set(why, "K6_CLOUD_API_VERSION: there are "
		    "protocols 1 and 2");
	return status;
}

static const struct opt table[] = {
	{ 'u', "vus", "N", "most VUs of the run, for the server", OPT_INT,
	    offsetof(struct push_options, vus), NULL, 0 },
	{ 'd', "duration", "DURATION", "length of the run, for the server",
	    OPT_DURATION, offsetof(struct push_options, duration_ns), NULL, 0 },
	{ 0, "threshold", "METRIC=EXPR", "threshold of the run; repeatable",
	    OPT_LIST, offsetof(struct push_options, thresholds), NULL, 0 },
	{ 0, "drain", "DURATION", "how long to go on after the end of input "
	    "(30s)", OPT_DURATION, offsetof(struct push_options, drain_ns), NULL,
	    0 },
	{ 0, "dry-run", NULL, "print the samples, one a line; send nothing",
	    OPT_FLAG, offsetof(struct push_options, is_dry_run), NULL, 0 },
	{ 'c', "config", "FILE", "k6's config file", OPT_TEXT,
	    offsetof(struct push_options, config_file), NULL, 0 },
	{ 0, "cacert", "FILE", "certificates of the CAs to trust", OPT_TEXT,
	    offsetof(struct push_options, ca_file), NULL, 0 },
	{ 0, "insecure-http", NULL, "let the token go over plain http",
	    OPT_FLAG, offsetof(struct push_options, allows_http), NULL, 0 },
	{ 'q', "quiet", NULL, "no banner, only warnings and the books",
	    OPT_FLAG, offsetof(struct push_options, is_quiet), NULL, 0 },
	{ 0 },
};

int
main(int argc, char **argv)
{
	struct opt settings_rows[SETTINGS + 1];
	struct opt_tool tool = {
		.synopsis = "[options] [FILE...]",
		.about = "Bring a k6 stream to the cloud's ingest API, and "
		    "account for every sample.",
		.examples = "  k6gen -d 30s URL | k6agg -p 3s | k6push\n"
		    "  k6 run -q --out json=- s.js | k6push -n nightly\n",
		.tables = { table, settings_rows },
	};
	struct push_options o = { .drain_ns = 30 * NS_PER_S };
	struct why why;
	int first, status;

	die_init();
	settings_options(USED_BY_PUSH, offsetof(struct push_options, settings),
	    settings_rows);
	settings_init(&o.settings);
	status = opt_parse(&tool, &o, argc, argv, &first);
	if (status == OPT_CONTINUE && load_settings(&o, &why) < 0)
		status = opt_misuse("%s", why.text);
	if (status == OPT_CONTINUE) {
		status = close_stdout(push_run(&o, argv + first,
		    argc - first));
	}
	settings_release(&o.settings);
	opt_list_release(&o.thresholds);
	return status;
}
