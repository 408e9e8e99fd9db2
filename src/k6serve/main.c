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
#include "base/hangup.h"
#include "base/mem.h"
#include "base/units.h"
#include "data/compare.h"
#include "k6serve/claim.h"
#include "k6serve/copy.h"
#include "k6serve/ending.h"
#include "k6serve/hook/hook_thread.h"
#include "k6serve/http/listen.h"
#include "k6serve/http/server.h"
#include "k6serve/http/session.h"
#include "k6serve/http/token.h"
#include "k6serve/ingest/ingest.h"
#include "k6serve/judge/judge_thread.h"
#include "k6serve/options.h"
#include "k6serve/store/store_hook.h"
#include "k6serve/store/writer.h"
#include "k6serve/view/api.h"
#include "k6serve/view/assets.h"
#include "k6serve/view/cache.h"
#include "k6serve/view/page.h"
#include "k6serve/view/report.h"

enum { PEM_MAX = 1024 * 1024 };	/* bytes of a file */

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

/* Two on one file lose nothing, as each writes whole transactions; but the file
 * has no lease by which one of them does the periodic work. */
static int
claim(const char *path)
{
	int fd = claim_file(path);

	if (claim_is_shared(fd))
		warnf("%s: another k6serve serves this file, too: both time "
		    "runs out and remove them, each by its own options, and "
		    "may send a webhook twice", path);
	return fd;
}

static struct store *
open_postgres(const char *url, int status)
{
	struct why why;
	struct store *store = store_open_postgres(url,
	    asset(ASSET_SCHEMA_POSTGRES), &why);

	if (store == NULL)	/* the URL may have a password */
		dief(status, "the database: %s", why.text);
	return store;
}

/* Only what writes makes the file: a misspelt name is told to readers. db NULL:
 * the default. A failure ends the process with that status. *claimed becomes
 * the claim of a file that is to be served; NULL: it is not. */
static struct store *
open_store(const char *db, bool makes_it, int status, int *claimed)
{
	struct buf path = { 0 };
	struct store *store;
	struct why why;

	if (db != NULL && store_is_postgres(db))
		return open_postgres(db, status);
	if (db != NULL)
		buf_text(&path, db);
	else if (default_db(&path, &why) < 0)
		dief(EXIT_FAILED, "%s", why.text);
	if (!makes_it && access(path.p, F_OK) < 0)
		dief(status, "%s: %s", path.p, strerror(errno));
	refuse_dangling_link(path.p);
	store = store_open(path.p, asset(ASSET_SCHEMA), &why);
	if (store == NULL)
		dief(status, "%s: %s", path.p, why.text);
	warn_of_access(path.p);
	if (claimed != NULL)
		*claimed = claim(path.p);
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
	struct pages pages;
	struct buf certificate, key;	/* PEM texts; n 0: no TLS */
	struct hook_config hook;	/* url NULL: nobody is told */
	struct ending ending;
	bool is_postgres;	/* the database is a server */
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

/* Whoever comes through a proxy on this machine is one of this machine. */
static void
warn_of_proxy(const struct server_config *c, int n_tokens)
{
	if (c->url != NULL && c->is_loopback && !server_url_is_local(c->url))
		warnf("%s: whoever reaches it through a proxy on this machine "
		    "can read all runs%s", c->url, n_tokens == 0 ?
		    ", and write" : " without a token");
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
	warn_of_proxy(&s->config, n);
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
	    .answer = server_answer, .replied = server_replied };
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
	ending_start(&s->ending);
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
	if (s->is_postgres)
		s->ending = (struct ending){ .stores = { store, judges,
		    hooks }, .readers = s->server.readers };
	if (judge != NULL && (hook != NULL || s->hook.url == NULL))
		status = serve(s, fd, signals);
	else
		warnf("%s", why.text);
	hook_thread_stop(hook);
	judge_thread_stop(judge);
	writer_stop(s->server.writer);
	readers_stop(s->server.readers);
	ending_stop(&s->ending);
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
		{ edit_routes, NULL }, { page_routes, &s->pages },
		{ meter_routes, &s->server }, { NULL, NULL },
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
	s->server.meter.started_ns = now_unix_ns();
	s->ingest.max_series = o->max_series;
	s->is_postgres = o->db != NULL && store_is_postgres(o->db);
	s->chores = (struct chores_config){ .timeout_ns = o->timeout_ns,
	    .keep_ns = o->keep_ns, .tens_ns = o->tens_ns,
	    .minutes_ns = o->minutes_ns, .keep_bytes = o->keep_bytes };
	if (check_tokens(s) < 0) {
		(void)close(l.fd);
		return EXIT_FAILED;
	}
	base_url = o->url != NULL ? xstrdup(o->url) : xasprintf("%s://%s",
	    s->config.scheme, l.address);
	s->hook.base_url = base_url;
	s->hook.timeout_ns = o->timeout_ns;
	store_hurry(s->server.store);
	pages_init(&s->pages);
	status = write_and_serve(s, l.fd, signals);
	pages_release(&s->pages);
	free(base_url);
	return status;
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
	struct why why;

	if (strcmp(args[0], "token") == 0)
		return token_command(store, args + 1, n - 1);
	if (strcmp(args[0], "report") != 0)
		format = REPORT_TEXT;
	if (o->format != NULL)
		(void)report_format_parse(o->format, &format);
	if (strcmp(args[0], "wait") == 0)
		return wait_command(&v, format, args[1]);
	(void)store_read_begin(store, &why);	/* or each statement fails */
	if (strcmp(args[0], "diff") == 0)
		return diff_command(&v, format, n == 2 ? NULL : args[1],
		    args[n - 1]);
	return report_command(&v, format, args[1]);
}

/* The source is opened first, so that no target is made without one. */
static int
copy(const char *from_name, const char *to_name, bool takes_open)
{
	struct why why;
	struct store *from, *to;
	int status;

	from = store_open_as_is(from_name, &why);
	if (from == NULL)
		dief(EXIT_FAILED, "%s: %s", store_is_postgres(from_name) ?
		    "the source" : from_name, why.text);
	to = open_store(to_name, true, EXIT_UNDELIVERED, NULL);
	status = copy_command(from, to, takes_open);
	store_close(from);
	store_close(to);
	return status;
}

/* Serve, or run the command that argv names. Returns the exit status. */
static int
run(struct options *o, struct service *s, char **argv, int n)
{
	sigset_t signals;
	int status, claimed = -1;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	if (!hangup_is_ignored())
		(void)sigaddset(&signals, SIGHUP);
	if (n == 0)
		(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
	if (n > 0 && strcmp(argv[0], "copy") == 0)
		return copy(argv[1], argv[2], o->takes_open);
	s->server.store = open_store(o->db, n == 0 ||
	    strcmp(argv[0], "token") == 0, EXIT_FAILED, n == 0 ? &claimed :
	    NULL);
	status = n > 0 ? run_command(o, s->server.store, argv, n)
	    : listen_and_serve(o, s, &signals);
	cache_release(&s->cache);
	buf_release(&s->certificate);
	if (s->key.p != NULL)
		explicit_bzero(s->key.p, s->key.n);
	buf_release(&s->key);
	hook_config_release(&s->hook);
	store_close(s->server.store);
	if (claimed >= 0)
		(void)close(claimed);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct service service = { 0 };
	int first, status;

	die_init();
	cache_init(&service.cache);
	status = options_parse(&o, &service.ingest.offer, argc, argv, &first);
	if (status == OPT_CONTINUE)
		status = run(&o, &service, argv + first, argc - first);
	offer_release(&service.ingest.offer);
	options_release(&o);
	return status;
}
