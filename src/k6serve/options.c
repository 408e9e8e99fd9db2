/* SPDX-License-Identifier: MIT */
/* The table of options, and which of them go together and with which
 * command. */
#include "k6serve/options.h"

#include <string.h>
#include <sys/stat.h>

#include "base/die.h"
#include "base/size.h"
#include "base/units.h"
#include "data/compare.h"
#include "io/url.h"
#include "k6serve/http/listen.h"
#include "k6serve/http/token.h"
#include "k6serve/store/store.h"
#include "k6serve/view/baseline.h"
#include "k6serve/view/report.h"

enum { KEEP_LEAST = 256 * 1024 };	/* bytes of data, for --keep-size */

static int
set_size(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	(void)o;
	if (!size_parse(value, member))
		return why_set(why, "\"%s\" is not a size (500M, 20G)",
		    value);
	if (*(int64_t *)member < KEEP_LEAST)
		return why_set(why, "%s: must be at least 256K: a database "
		    "without runs takes 88K", value);
	return 0;
}

/* Scheme and host; pages know nothing of a path in front of theirs. */
static int
set_url(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	const char *host = strstr(value, "://");

	(void)o;
	if ((strncmp(value, "http://", 7) != 0 &&
	    strncmp(value, "https://", 8) != 0) || host[3] == '\0' ||
	    strpbrk(host + 3, "/?#@ \t\r\n") != NULL)
		return why_set(why, "not a URL such as https://k6.example.com");
	*(const char **)member = value;
	return 0;
}

static int
set_hook(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	(void)o;
	*(const char **)member = value;
	return url_check(value, false, why);
}

static const struct opt table[] = {
	{ 'l', "listen", "ADDRESS", "host:port to listen on; port 0: any free "
	    "port (127.0.0.1:6570)", OPT_TEXT,
	    offsetof(struct options, listen), NULL, 0 },
	{ 'd', "db", "FILE", "database, or postgresql://USER@HOST/NAME "
	    "(~/.local/state/k6pipe/k6serve.db)", OPT_TEXT,
	    offsetof(struct options, db), NULL, 0 },
	{ 't', "timeout-after", "DURATION", "time without data after which "
	    "a run is timed out, for wait and report too (2m)", OPT_DURATION,
	    offsetof(struct options, timeout_ns), NULL, 0 },
	{ 'm', "max-series", "N", "maximum number of series in a run; others "
	    "are added up as one (100000)", OPT_INT,
	    offsetof(struct options, max_series), NULL, 0 },
	{ 'f', "format", "FORMAT", "format of report, wait and "
	    "diff: html, json, csv, text, junit, markdown or github (report: "
	    "html; the others: text)",
	    OPT_TEXT, offsetof(struct options, format), NULL, 0 },
	{ 'b', "baseline", "N", "diff: compare with the last N runs of that "
	    "name that passed", OPT_INT,
	    offsetof(struct options, baseline), NULL, 0 },
	{ 'e', "min-effect", "PERCENT", "diff: smaller changes do not count "
	    "(5%)", OPT_CALL, offsetof(struct options, min_effect),
	    compare_set_effect, 0 },
	{ 'u', "url", "URL", "how others reach this server, such as "
	    "https://k6.example.com; refuse other names", OPT_CALL,
	    offsetof(struct options, url), set_url, 0 },
	{ 'c', "tls-cert", "FILE", "serve TLS with this certificate chain "
	    "(PEM)", OPT_TEXT, offsetof(struct options, certificate), NULL,
	    0 },
	{ 'K', "tls-key", "FILE", "key of that certificate (PEM)", OPT_TEXT,
	    offsetof(struct options, key), NULL, 0 },
	{ 'o', "override", "KEY=VALUE", "setting of k6's config file that "
	    "overrides the clients' own, such as aggregationPeriod=3s",
	    OPT_LIST,
	    offsetof(struct options, override), NULL, 0 },
	{ 'M', "message", "TEXT", "line for the log of clients; a prefix "
	    "error:, warning: or debug: sets its level", OPT_LIST,
	    offsetof(struct options, message), NULL, 0 },
	{ 'k', "keep-for", "DURATION", "remove runs at this age (never)",
	    OPT_DURATION, offsetof(struct options, keep_ns), NULL, 0 },
	{ 'r', "tens-after", "DURATION", "roll up seconds of this age to "
	    "steps of 10 s (never)", OPT_DURATION,
	    offsetof(struct options, tens_ns), NULL, 0 },
	{ 'R', "minutes-after", "DURATION", "the same to steps of 60 s "
	    "(never)", OPT_DURATION,
	    offsetof(struct options, minutes_ns), NULL, 0 },
	{ 's', "keep-size", "SIZE", "remove the oldest runs while the data is "
	    "larger, such as 500M or 20G (no limit)", OPT_CALL,
	    offsetof(struct options, keep_bytes), set_size, 0 },
	{ 'F', "on-finish", "URL", "POST the outcome of each run to this URL, "
	    "as JSON", OPT_CALL, offsetof(struct options, on_finish), set_hook,
	    0 },
	{ 'S', "hook-secret", "FILE", "file with the key that signs what "
	    "--on-finish sends", OPT_TEXT,
	    offsetof(struct options, hook_secret), NULL, 0 },
	{ 'O', "open", NULL, "copy: also runs that are not over; end the "
	    "server of FROM first", OPT_FLAG,
	    offsetof(struct options, takes_open), NULL, 0 },
	{ 0 },
};

static const struct opt_tool tool = {
	.synopsis = "[options] [token add NAME [OWNER] | list | remove NAME |\n"
	    "               report RUN | diff [RUN] RUN |\n"
	    "               --baseline N diff RUN | wait RUN | copy FROM TO]",
	.about = "Receive load test runs from k6push or k6, keep them, show "
	    "them on a page.",
	.examples = "  k6serve --listen 127.0.0.1:0\n"
	    "  K6_CLOUD_HOST=http://127.0.0.1:6570 k6 run --out cloud s.js\n"
	    "  k6serve token add laptop\n"
	    "  k6serve report last > run.html\n"
	    "  k6serve diff 41 last || echo slower\n"
	    "  k6serve wait last && echo no threshold was crossed\n"
	    "  k6serve copy k6serve.db postgresql://k6@db1/k6\n",
	.tables = { table },
};

/* 0, or a message and the status to exit with. */
static int
check_diff(const struct options *o, int n)
{
	enum report_format format = REPORT_TEXT;

	if (o->format != NULL)
		(void)report_format_parse(o->format, &format);
	if (format == REPORT_HTML || format == REPORT_CSV)
		return opt_misuse("diff has no --format %s", o->format);
	if (o->baseline > BASELINE_MOST)
		return opt_misuse("--baseline: at most %d", BASELINE_MOST);
	if (o->baseline != 0)
		return n == 2 ? 0 : opt_misuse("diff needs one run with "
		    "--baseline");
	return n == 2 || n == 3 ? 0 : opt_misuse("diff needs one run or two");
}

/* Can it be used by this program? 0, or a message and the status. */
static int
check_database(const char *what, const char *db)
{
	return !store_is_postgres(db) || store_has_postgres() ? 0 :
	    opt_misuse("%s: this k6serve was built without libpq, and knows no"
	    " PostgreSQL", what);
}

static int
check_copy(const struct options *o, char *const *args, int n)
{
	struct stat from, to;
	int status;

	if (n != 3)
		return opt_misuse("copy needs two databases, FROM and TO");
	if (o->db != NULL)
		return opt_misuse("copy takes no --db");
	status = check_database("copy", args[1]);
	if (status == 0)
		status = check_database("copy", args[2]);
	if (status != 0)
		return status;
	if (strcmp(args[1], args[2]) == 0 || (stat(args[1], &from) == 0 &&
	    stat(args[2], &to) == 0 && from.st_dev == to.st_dev &&
	    from.st_ino == to.st_ino))
		return opt_misuse("copy: FROM and TO are the same");
	return 0;
}

/* Is there such a command? 0, or a message and the status to exit with. */
static int
check_command(const struct options *o, char *const *args, int n)
{
	enum report_format format;

	if (o->format != NULL && !report_format_parse(o->format, &format))
		return opt_misuse("--format %s: must be html, json, csv, text, "
		    "junit, markdown or github", o->format);
	if (strcmp(args[0], "token") == 0)
		return token_is_command(args + 1, n - 1) ? 0 :
		    opt_misuse("token needs add NAME [OWNER], list or "
		    "remove NAME");
	if (strcmp(args[0], "report") == 0)
		return n == 2 ? 0 : opt_misuse("report needs one run");
	if (strcmp(args[0], "wait") == 0)
		return n == 2 ? 0 : opt_misuse("wait needs one run");
	if (strcmp(args[0], "diff") == 0)
		return check_diff(o, n);
	if (strcmp(args[0], "copy") == 0)
		return check_copy(o, args, n);
	return opt_misuse("%s: no such command", args[0]);
}

int
options_parse(struct options *o, struct offer *offer, int argc, char **argv,
    int *first)
{
	struct why why;
	int status;

	*o = (struct options){ .listen = "127.0.0.1:6570",
	    .timeout_ns = 120 * NS_PER_S, .max_series = 100000,
	    .baseline = -1, .min_effect = -1 };
	status = opt_parse(&tool, o, argc, argv, first);
	if (status != OPT_CONTINUE)
		return status;
	if (o->baseline == 0 || o->max_series == 0 || o->timeout_ns == 0)
		return opt_misuse("--%s: must not be 0", o->baseline == 0 ?
		    "baseline" : o->max_series == 0 ? "max-series" :
		    "timeout-after");
	if (o->baseline < 0)
		o->baseline = 0;	/* not given */
	if (listen_check(o->listen, &why) < 0)
		return opt_misuse("--listen %s: %s", o->listen, why.text);
	if (*first < argc)
		status = check_command(o, argv + *first, argc - *first);
	if (*first < argc && status != 0)
		return status;
	if (offer_set(offer, &o->override, &o->message, &why) < 0)
		return opt_misuse("--override %s", why.text);
	if ((o->baseline != 0 || o->min_effect >= 0) && (*first == argc ||
	    strcmp(argv[*first], "diff") != 0))
		return opt_misuse("--baseline and --min-effect are for diff");
	if (o->takes_open && (*first == argc || strcmp(argv[*first], "copy") !=
	    0))
		return opt_misuse("--open is for copy");
	if (o->on_finish == NULL && o->hook_secret != NULL)
		return opt_misuse("--hook-secret needs --on-finish");
	if (o->db != NULL && store_is_postgres(o->db)) {
		status = check_database("--db", o->db);
		if (status != 0)
			return status;
		if (o->keep_bytes != 0)
			return opt_misuse("--keep-size is for a file: "
			    "PostgreSQL gives room back later (use "
			    "--keep-for)");
	}
	if ((o->certificate == NULL) != (o->key == NULL))
		return opt_misuse("--tls-cert and --tls-key go together");
	return OPT_CONTINUE;
}

void
options_release(struct options *o)
{
	opt_list_release(&o->override);
	opt_list_release(&o->message);
}
