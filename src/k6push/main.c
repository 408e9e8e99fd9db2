/* SPDX-License-Identifier: MIT */
/*
 * k6push: sends a stream to the cloud's ingest API or to a metrics store, and
 * accounts for every sample.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/die.h"
#include "base/opt.h"
#include "base/size.h"
#include "base/units.h"
#include "io/config.h"
#include "io/url.h"
#include "k6push/push.h"
#include "k6push/session.h"

enum { JOURNAL_LEAST = 1 << 20 };

/* The caller may have created the run. Then it says where the samples go and
 * with which token, by protocol 2 (PROTOCOL 5.7). */
static int
check_provisioned(struct push_options *o, struct why *why)
{
	struct settings *s = &o->settings;
	const char *url = settings_text(s, SET_METRICS_PUSH_URL);
	bool has_token = settings_text(s, SET_TEST_RUN_TOKEN) != NULL;

	if (url == NULL && !has_token)
		return 0;
	if (url == NULL || !has_token)
		return why_set(why, "K6_CLOUD_METRICS_PUSH_URL and "
		    "K6_CLOUD_TEST_RUN_TOKEN go together");
	if (settings_text(s, SET_PUSH_REF_ID) == NULL)
		return why_set(why, "K6_CLOUD_METRICS_PUSH_URL: "
		    "K6_CLOUD_PUSH_REF_ID must name the run");
	if (url_check_server(url, true, o->allows_http, why) < 0)
		return -1;
	return settings_set(s, SET_API_VERSION, "2", FROM_FLAG, why);
}

/* Settings in the order of their sources; flags are in already. */
static int
load_settings(struct push_options *o, struct why *why)
{
	int status = config_load(o->config_file, &o->settings, why);

	if (status == 0)
		status = settings_from_env(&o->settings, why);
	if (status == 0 && settings_int(&o->settings, SET_API_VERSION) > 2)
		status = why_set(why, "K6_CLOUD_API_VERSION: must be "
		    "1 or 2");
	/* What is resumed goes where its journal says. */
	if (status == 0 && !o->is_resume)
		status = check_provisioned(o, why);
	return status;
}

/* "200ms" and the like, "always", "never". */
static int
set_sync(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	int64_t *sync_ns = member;

	(void)o;
	if (strcmp(value, "always") == 0)
		*sync_ns = 0;
	else if (strcmp(value, "never") == 0)
		*sync_ns = -1;
	else if (!duration_parse(value, sync_ns) || *sync_ns <= 0)
		return why_set(why, "\"%s\" is none of always, never, a "
		    "duration (200ms)", value);
	return 0;
}

static int
set_size(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	int64_t *bytes = member;

	(void)o;
	if (!size_parse(value, bytes) || *bytes < JOURNAL_LEAST)
		return why_set(why, "\"%s\" is not a size from 1M to less "
		    "than 8388608T (512M, 4G)", value);
	return 0;
}

/* A name is one line, in the answers of servers and on terminals. */
static int
set_instance(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	const char **name = member;
	const char *c;

	(void)o;
	for (c = value; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return why_set(why, "has a line end or another "
			    "control character");
	*name = value;
	return 0;
}

static const struct opt table[] = {
	{ 'u', "vus", "N", "largest number of VUs, told to the server", OPT_INT,
	    offsetof(struct push_options, vus), NULL, 0 },
	{ 'd', "duration", "DURATION", "length of the run, told to the server",
	    OPT_DURATION, offsetof(struct push_options, duration_ns), NULL, 0 },
	{ 0, "threshold", "METRIC=EXPR", "threshold of the run; repeatable",
	    OPT_LIST, offsetof(struct push_options, thresholds), NULL, 0 },
	{ 0, "drain", "DURATION", "after the end of the input, give up when "
	    "the server accepted nothing for this long (30s)", OPT_DURATION,
	    offsetof(struct push_options, drain_ns), NULL, 0 },
	{ 0, "heartbeat", "DURATION", "interval between heartbeats while the "
	    "input is silent; 0: none (30s)", OPT_DURATION,
	    offsetof(struct push_options, beat_ns), NULL, 0 },
	{ 0, "journal", "DIR", "folder for the journals", OPT_TEXT,
	    offsetof(struct push_options, journal_dir), NULL, 0 },
	{ 0, "no-journal", NULL, "keep waiting samples in memory only",
	    OPT_FLAG, offsetof(struct push_options, has_no_journal), NULL, 0 },
	{ 0, "journal-size", "SIZE", "stop reading while the journal is "
	    "larger (4G)", OPT_CALL, offsetof(struct push_options,
	    journal.max_bytes), set_size, 0 },
	{ 0, "sync", "WHEN", "when the journal is synced to the disk: always, "
	    "never, or within a duration (200ms)", OPT_CALL,
	    offsetof(struct push_options, journal.sync_ns), set_sync, 0 },
	{ 0, "resume", NULL, "deliver the journals given as operands, or "
	    "all", OPT_FLAG, offsetof(struct push_options, is_resume), NULL,
	    0 },
	{ 0, "list", NULL, "list the journals", OPT_FLAG,
	    offsetof(struct push_options, is_list), NULL, 0 },
	{ 0, "discard", NULL, "remove the journals given as operands, and "
	    "say what is lost", OPT_FLAG,
	    offsetof(struct push_options, is_discard), NULL, 0 },
	{ 0, "result", "FILE", "write the outcome as JSON", OPT_TEXT,
	    offsetof(struct push_options, result_file), NULL, 0 },
	{ 0, "verify", NULL, "remote write: ask the store at the end if it has "
	    "all requests", OPT_FLAG,
	    offsetof(struct push_options, is_verified), NULL, 0 },
	{ 0, "create", NULL, "create a run and print its id and page", OPT_FLAG,
	    offsetof(struct push_options, is_create), NULL, 0 },
	{ 0, "finish", "ID", "finish a run that --create made", OPT_TEXT,
	    offsetof(struct push_options, finish), NULL, 0 },
	{ 0, "instance", "NAME", "name of this pusher among those of a run",
	    OPT_CALL, offsetof(struct push_options, instance), set_instance,
	    0 },
	{ 0, "from-data", NULL, "date the run by its samples, not by the "
	    "upload", OPT_FLAG,
	    offsetof(struct push_options, is_from_data), NULL, 0 },
	{ 0, "expect-end", NULL, "a stream without an End line was cut: the "
	    "run is aborted, not finished", OPT_FLAG,
	    offsetof(struct push_options, expects_end), NULL, 0 },
	{ 0, "dry-run", NULL, "print the samples, one a line; send nothing",
	    OPT_FLAG, offsetof(struct push_options, is_dry_run), NULL, 0 },
	{ 'c', "config", "FILE", "k6's config file", OPT_TEXT,
	    offsetof(struct push_options, config_file), NULL, 0 },
	{ 0, "cacert", "FILE", "file of CA certificates to trust", OPT_TEXT,
	    offsetof(struct push_options, ca_file), NULL, 0 },
	{ 0, "insecure-http", NULL, "allow sending the token over plain http",
	    OPT_FLAG, offsetof(struct push_options, allows_http), NULL, 0 },
	{ 'q', "quiet", NULL, "no banner, only warnings and the books",
	    OPT_FLAG, offsetof(struct push_options, is_quiet), NULL, 0 },
	{ 0 },
};

/* The secrets are in our settings now. Hide them from child processes, core
 * files and debuggers. */
static void
wipe_environment(void)
{
	const struct rlimit none = { 0, 0 };
	const char *name;
	char *secret;
	int i;

	for (i = 0; i < SETTINGS; i++) {
		name = settings_table[i].env;
		if (name == NULL || !settings_is_secret((enum setting)i))
			continue;
		secret = getenv(name);
		if (secret != NULL)
			explicit_bzero(secret, strlen(secret));
		(void)unsetenv(name);
	}
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

/* What is no threshold is told in each mode, before anything is read. */
static int
check_thresholds(const struct push_options *o)
{
	struct judge judge = { 0 };
	struct why why;
	int status = 0;

	if (push_thresholds(&judge, &o->thresholds, &why) < 0)
		status = opt_misuse("%s", why.text);
	judge_release(&judge);
	return status;
}

/* Options of a metrics store, and of the cloud's runs, where the samples go to
 * the other. Variables may stand there for other pushes. */
static int
check_target(const struct push_options *o)
{
	const struct settings *s = &o->settings;
	bool is_cloud = strcmp(settings_text(s, SET_OUT), "cloud") == 0;
	int i;

	/* Each journal has its own. */
	if (o->is_resume || o->is_list || o->is_discard)
		return 0;
	if (!is_cloud && (o->is_create || o->finish != NULL))
		return opt_misuse("--create and --finish are for runs in the "
		    "cloud: a metrics store has none (--out prometheus-rw)");
	if (o->is_verified && is_cloud)
		return opt_misuse("--verify asks a metrics store: it needs "
		    "--out prometheus-rw");
	for (i = SET_OUT + 1; i < SETTINGS && is_cloud; i++)
		if (s->v[i].source == FROM_FLAG)
			return opt_misuse("--%s is for a metrics store: it "
			    "needs --out prometheus-rw",
			    settings_table[i].flag);
	return 0;
}

static int
choose(struct push_options *o, char *const *files, int n)
{
	int modes = o->is_resume + o->is_list + o->is_discard + o->is_create +
	    (o->finish != NULL) + o->is_dry_run;

	if (modes > 1)
		return opt_misuse("--resume, --list, --discard, --create, "
		    "--finish and --dry-run exclude each other");
	if (n == 0 && o->is_discard)
		return opt_misuse("--discard needs a JOURNAL (--list)");
	if (n > 0 && (o->is_create || o->finish != NULL))
		return opt_misuse("--create and --finish take no FILE");
	if (check_target(o) != 0 || check_thresholds(o) != 0)
		return EXIT_USAGE;
	if (o->is_resume)
		return push_resume(o, files, n);
	if (o->is_list)
		return push_list(o, files, n);
	if (o->is_discard)
		return push_discard(o, files, n);
	if (o->is_create)
		return push_create(o);
	if (o->finish != NULL)
		return push_finish(o);
	return o->is_dry_run ? push_dry_run(o, files, n)
	    : push_run(o, files, n);
}

int
main(int argc, char **argv)
{
	struct opt settings_rows[SETTINGS + 1];
	struct opt_tool tool = {
		.synopsis = "[options] [FILE... | JOURNAL...]",
		.about = "Send a k6 stream to the cloud's ingest API, and "
		    "account for every sample.",
		.examples = "  k6gen -d 30s URL | k6agg -p 3s | k6push\n"
		    "  k6 run -q --out json=- s.js | k6push -n nightly\n",
		.tables = { table, settings_rows },
	};
	struct push_options o = { .drain_ns = 30 * NS_PER_S,
	    .beat_ns = 30 * NS_PER_S, .journal = { 4LL << 30,
	    200 * NS_PER_MS } };
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
		wipe_environment();
		status = close_stdout(choose(&o, argv + first,
		    argc - first));
	}
	settings_release(&o.settings);
	opt_list_release(&o.thresholds);
	return status;
}
