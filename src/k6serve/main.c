/* SPDX-License-Identifier: MIT */
/* k6serve: the receiving half of k6's cloud output, with a page to look at. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/die.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/size.h"
#include "base/units.h"
#include "data/compare.h"
#include "io/url.h"
#include "k6serve/hook/hook_thread.h"
#include "k6serve/http/listen.h"
#include "k6serve/http/server.h"
#include "k6serve/http/session.h"
#include "k6serve/http/token.h"
#include "k6serve/ingest/ingest.h"
#include "k6serve/judge/judge_thread.h"
#include "k6serve/store/store_hook.h"
#include "k6serve/store/writer.h"
#include "k6serve/view/api.h"
#include "k6serve/view/assets.h"
#include "k6serve/view/baseline.h"
#include "k6serve/view/cache.h"
#include "k6serve/view/page.h"
#include "k6serve/view/report.h"

enum {
	PEM_MAX = 1024 * 1024,		/* bytes of a file */
	KEEP_LEAST = 256 * 1024,	/* bytes of data, for --keep-size */
};

struct options {
	const char *listen, *db, *format, *url, *certificate, *key;
	struct opt_list override, message;
	int64_t timeout_ns, max_series, baseline, keep_ns, keep_bytes;
	double min_effect;	/* -1: not given */
	const char *on_finish, *hook_secret;
};

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
	{ 'd', "db", "FILE", "database "
	    "(~/.local/state/k6pipe/k6serve.db)", OPT_TEXT,
	    offsetof(struct options, db), NULL, 0 },
	{ 't', "timeout-after", "DURATION", "time without data after which "
	    "a run is timed out (2m)", OPT_DURATION,
	    offsetof(struct options, timeout_ns), NULL, 0 },
	{ 'm', "max-series", "N", "maximum number of series in a run; others "
	    "are added up as one (100000)", OPT_INT,
	    offsetof(struct options, max_series), NULL, 0 },
	{ 'f', "format", "FORMAT", "report, wait and diff: html, "
	    "json, csv, text, junit, markdown or github (report: html; else "
	    "text)",
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
	{ 's', "keep-size", "SIZE", "remove the oldest runs while the data is "
	    "larger, such as 500M or 20G (no limit)", OPT_CALL,
	    offsetof(struct options, keep_bytes), set_size, 0 },
	{ 'F', "on-finish", "URL", "POST to it, as JSON, what each run came to",
	    OPT_CALL, offsetof(struct options, on_finish), set_hook, 0 },
	{ 'S', "hook-secret", "FILE", "file with the key that signs what "
	    "--on-finish sends", OPT_TEXT,
	    offsetof(struct options, hook_secret), NULL, 0 },
	{ 0 },
};

static const struct opt_tool tool = {
	.synopsis = "[options] [token add NAME [OWNER] | list | remove NAME |\n"
	    "               report RUN | diff RUN RUN |\n"
	    "               --baseline N diff RUN | wait RUN]",
	.about = "Receive load test runs from k6push or k6, keep them, show "
	    "them on a page.",
	.examples = "  k6serve --listen 127.0.0.1:0\n"
	    "  K6_CLOUD_HOST=http://127.0.0.1:6570 k6 run --out cloud s.js\n"
	    "  k6serve token add laptop\n"
	    "  k6serve report last > run.html\n"
	    "  k6serve diff 41 last || echo slower\n"
	    "  k6serve wait last && echo passed\n",
	.tables = { table },
};

static const struct httpd_field fields[] = {
	{ "Content-Security-Policy", "default-src 'none'; script-src 'self'; "
	    "style-src 'self'; connect-src 'self'; img-src 'self' data:; "
	    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cache-Control", "no-store" },
	{ NULL, NULL },
};

/* k6pipe/k6serve.db of the state folder, which is made. */
static int
default_db(struct buf *path, struct why *why)
{
	char *folder = file_state_dir("k6pipe");

	if (folder == NULL)
		return why_set(why, "HOME is not set: use --db FILE");
	buf_printf(path, "%s/k6serve.db", folder);
	free(folder);
	return file_make_folder(path->p, why);
}

/* A link to nothing is a misspelt name, or a disk that is not mounted: no file
 * is made at its end. */
static void
refuse_dangling_link(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT && lstat(path, &st) == 0)
		dief(EXIT_FAILED, "%s: is a link to a file that does not "
		    "exist", path);
}

/* Tokens and results are in it. */
static void
warn_of_access(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
		warnf("%s: other users have access to the database: run "
		    "chmod 600", path);
}

/* Only what writes makes the file: a misspelt name is told to readers. */
static struct store *
open_store(const struct options *o, bool makes_it)
{
	struct buf path = { 0 };
	struct store *store;
	struct why why;

	if (o->db != NULL)
		buf_text(&path, o->db);
	else if (default_db(&path, &why) < 0)
		dief(EXIT_FAILED, "%s", why.text);
	if (!makes_it && access(path.p, F_OK) < 0)
		dief(EXIT_FAILED, "%s: %s", path.p, strerror(errno));
	refuse_dangling_link(path.p);
	store = store_open(path.p, asset(ASSET_SCHEMA), &why);
	if (store == NULL)
		dief(EXIT_FAILED, "%s: %s", path.p, why.text);
	warn_of_access(path.p);
	buf_release(&path);
	return store;
}

/* All that serving needs, each part as its stage wants it. */
struct service {
	struct server_config config;
	struct server server;		/* of the server's thread */
	struct chores_config chores;
	struct ingest_config ingest;
	struct cache cache;
	struct buf certificate, key;	/* PEM texts; n 0: no TLS */
	struct hook_config hook;	/* url NULL: nobody is told */
};

/* Certificate and key, both or neither. */
static int
read_tls(const struct options *o, struct service *s)
{
	const char *const paths[] = { o->certificate, o->key };
	struct buf *const texts[] = { &s->certificate, &s->key };
	struct why why;
	int i, status;

	for (i = 0; i < 2 && paths[i] != NULL; i++) {
		status = file_read(paths[i], PEM_MAX, texts[i], &why);
		if (status != 0) {
			if (status > 0)
				warnf("%s: no such file", paths[i]);
			else
				warnf("%s", why.text);
			return -1;
		}
	}
	s->config.scheme = s->certificate.n != 0 ? "https" : "http";
	return 0;
}

/* Who may write? 0, or -1 after a message: others must not without a token. */
static int
check_tokens(const struct service *s)
{
	struct why why;
	int n = 0;

	if (token_lookup(s->server.store, SPAN(""), &n, NULL, &why) < 0) {
		warnf("%s", why.text);
		return -1;
	}
	if (n == 0 && !s->config.is_loopback)
		warnf("%s: other machines can connect: make a token first "
		    "(k6serve token add NAME)", s->config.address);
	else if (n == 0)
		warnf("no token exists: every user of this machine may write "
		    "(to prevent that: k6serve token add NAME)");
	return n > 0 || s->config.is_loopback ? 0 : -1;
}

/* Tick until a signal ends it. The signals are blocked in all threads. */
static void
wait_for_end(struct server *server, struct httpd *h, const sigset_t *signals)
{
	const struct timespec tick = { 0, 500 * NS_PER_MS };

	while (sigtimedwait(signals, NULL, &tick) < 0)
		server_tick(server, h);
}

static int
serve(struct service *s, int fd, const sigset_t *signals)
{
	struct httpd_config config = { .fd = fd, .body_max = BODY_MAX,
	    .certificate = s->certificate.p, .key = s->key.p,
	    .bodies_max = BODIES_MAX, .address_max = 64,
	    .fields = fields, .ctx = &s->server, .admit = server_admit,
	    .answer = server_answer };
	struct httpd *h;
	struct why why;
	bool is_told;

	h = httpd_start(&config, &why);
	if (h == NULL) {
		warnf("%s", why.text);
		return EXIT_FAILED;
	}
	is_told = printf("%s://%s\n", s->config.scheme, s->config.address) >
	    0 && fflush(stdout) == 0;
	if (is_told)
		wait_for_end(&s->server, h, signals);
	else
		warnf("stdout: %s", strerror(errno));
	readers_stop(s->server.readers);
	httpd_stop(h);
	return is_told ? close_stdout(EXIT_DONE) : EXIT_FAILED;
}

/* Writer, readers and judge have connections to the database of their own. */
static int
write_and_serve(struct service *s, int fd, const sigset_t *signals)
{
	struct why why;
	struct store *store = store_open_again(s->server.store, &why);
	struct store *judges = store_open_again(s->server.store, &why);
	struct store *hooks = store_open_again(s->server.store, &why);
	struct judge_thread *judge = NULL;
	struct hook_thread *hook = NULL;
	int status = EXIT_FAILED;

	if (store != NULL && s->hook.url != NULL)
		store_hook_keep(store);
	if (store != NULL && judges != NULL && hooks != NULL)
		s->server.readers = readers_start(store, ANSWERS_MAX, &why);
	if (s->server.readers != NULL)
		s->server.writer = writer_start(&s->chores, store, &why);
	if (s->server.writer != NULL)
		judge = judge_thread_start(judges, s->server.writer, &why);
	if (judge != NULL && s->hook.url != NULL)
		hook = hook_thread_start(&s->hook, hooks, s->server.writer,
		    &why);
	if (judge != NULL && (hook != NULL || s->hook.url == NULL))
		status = serve(s, fd, signals);
	else
		warnf("%s", why.text);
	hook_thread_stop(hook);
	judge_thread_stop(judge);
	writer_stop(s->server.writer);
	readers_stop(s->server.readers);
	readers_free(s->server.readers);
	store_close(hooks);
	store_close(judges);
	store_close(store);
	return status;
}

static int
listen_and_serve(const struct options *o, struct service *s,
    const sigset_t *signals)
{
	const struct route_table tables[] = {
		{ ingest_routes, &s->ingest }, { session_routes, NULL },
		{ provision_routes, &s->ingest }, { api_routes, &s->cache },
		{ edit_routes, NULL }, { page_routes, NULL }, { NULL, NULL },
	};
	struct listener l = { .fd = -1 };
	char *base_url;
	struct why why;
	int status;

	if (read_tls(o, s) < 0)
		return EXIT_FAILED;
	if (hook_config_read(&s->hook, o->on_finish, o->hook_secret,
	    &why) < 0) {
		warnf("%s", why.text);
		return EXIT_FAILED;
	}
	if (listen_open(&l, o->listen, &why) < 0) {
		warnf("%s: %s", o->listen, why.text);
		return EXIT_FAILED;
	}
	s->config.address = l.address;
	s->config.port = l.port;
	s->config.is_loopback = l.is_loopback;
	s->config.url = o->url;
	s->config.tables = tables;
	s->server.config = &s->config;
	s->ingest.max_series = o->max_series;
	s->chores = (struct chores_config){ .timeout_ns = o->timeout_ns,
	    .keep_ns = o->keep_ns, .keep_bytes = o->keep_bytes };
	if (check_tokens(s) < 0) {
		(void)close(l.fd);
		return EXIT_FAILED;
	}
	base_url = o->url != NULL ? xstrdup(o->url) : xasprintf("%s://%s",
	    s->config.scheme, l.address);
	s->hook.base_url = base_url;
	s->hook.timeout_ns = o->timeout_ns;
	status = write_and_serve(s, l.fd, signals);
	free(base_url);
	return status;
}

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
	return n == 3 ? 0 : opt_misuse("diff needs two runs");
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
	return opt_misuse("%s: no such command", args[0]);
}

static int
run_command(const struct options *o, struct store *store, char *const *args,
    int n)
{
	struct view v = { .store = store, .owner = store_everybody,
	    .timeout_ns = o->timeout_ns,
	    .baseline = o->baseline, .min_effect = o->min_effect < 0 ?
	    COMPARE_MIN_EFFECT : o->min_effect };
	enum report_format format = REPORT_HTML;

	if (strcmp(args[0], "token") == 0)
		return token_command(store, args + 1, n - 1);
	if (strcmp(args[0], "report") != 0)
		format = REPORT_TEXT;
	if (o->format != NULL)
		(void)report_format_parse(o->format, &format);
	if (strcmp(args[0], "wait") == 0)
		return wait_command(&v, format, args[1]);
	if (strcmp(args[0], "diff") == 0)
		return diff_command(&v, format, o->baseline != 0 ? NULL :
		    args[1], args[n - 1]);
	return report_command(&v, format, args[1]);
}

/* The command line. OPT_CONTINUE, or the status to exit with. */
static int
parse(struct options *o, struct offer *offer, int argc, char **argv,
    int *first)
{
	struct why why;
	int status = opt_parse(&tool, o, argc, argv, first);

	if (status != OPT_CONTINUE)
		return status;
	if (*first < argc)
		status = check_command(o, argv + *first, argc - *first);
	if (*first < argc && status != 0)
		return status;
	if (offer_set(offer, &o->override, &o->message, &why) < 0)
		return opt_misuse("--override %s", why.text);
	if ((o->baseline != 0 || o->min_effect >= 0) && (*first == argc ||
	    strcmp(argv[*first], "diff") != 0))
		return opt_misuse("--baseline and --min-effect are for diff");
	if (o->on_finish == NULL && o->hook_secret != NULL)
		return opt_misuse("--hook-secret needs --on-finish");
	if ((o->certificate == NULL) != (o->key == NULL))
		return opt_misuse("--tls-cert and --tls-key go together");
	return OPT_CONTINUE;
}

/* Serve, or run the command that argv names. Returns the exit status. */
static int
run(struct options *o, struct service *s, char **argv, int n)
{
	sigset_t signals;
	int status;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	if (n == 0)
		(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);	/* a full disk is answered instead */
	(void)umask(077);
	s->server.store = open_store(o, n == 0 ||
	    strcmp(argv[0], "token") == 0);
	status = n > 0 ? run_command(o, s->server.store, argv, n)
	    : listen_and_serve(o, s, &signals);
	cache_release(&s->cache);
	buf_release(&s->certificate);
	if (s->key.p != NULL)
		explicit_bzero(s->key.p, s->key.n);
	buf_release(&s->key);
	hook_config_release(&s->hook);
	store_close(s->server.store);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = { .listen = "127.0.0.1:6570",
	    .timeout_ns = 120 * NS_PER_S,
	    .max_series = 100000, .min_effect = -1 };
	struct service service = { 0 };
	int first, status;

	die_init();
	cache_init(&service.cache);
	status = parse(&o, &service.ingest.offer, argc, argv, &first);
	if (status == OPT_CONTINUE)
		status = run(&o, &service, argv + first, argc - first);
	offer_release(&service.ingest.offer);
	opt_list_release(&o.override);
	opt_list_release(&o.message);
	return status;
}
