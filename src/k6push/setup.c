/* SPDX-License-Identifier: MIT */
/*
 * The beginning of a push: makes and connects its parts, chooses its journal
 * and name, starts its threads.
 */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/random.h"
#include "base/thread.h"
#include "base/units.h"
#include "data/jsn.h"
#include "k6push/read/series_collect.h"
#include "k6push/session.h"
#include "k6push/wire/wire.h"

enum {
	MEMORY_BYTES = 256 << 20,
	/* letters of a journal's name: */
	JOURNAL_HOST = 32,	/* at most */
	JOURNAL_BOOT = 8,
	JOURNAL_CHANCE = 8,
	INSTANCE_CHANCE = 4,	/* of the name of one that has none */
};

/* reader.on_head: the run as flags and the stream's Start want it. */
static void
note_plan(void *ctx, const struct run_start *start, int64_t first_ns)
{
	struct session *session = ctx;
	struct push_options *o = session->options;
	struct note *n = &session->note;
	const char *name, *base = session->file != NULL ? strrchr(session->file,
	    '/') : NULL;
	struct buf thresholds = { 0 };
	char *text = xstrndup(start->name.p, start->name.n);

	if (start->name.n > 0)
		(void)settings_set(&o->settings, SET_NAME, text, FROM_START,
		    NULL);
	free(text);
	name = settings_text(&o->settings, SET_NAME);
	if (name == NULL)
		name = base != NULL ? base + 1 : session->file != NULL
		    ? session->file : "k6 test";
	judge_print_plan(&session->judge, false, &thresholds);
	if (session->remote.is_chosen)
		note_set(&n->run, session->remote.testid,
		    strlen(session->remote.testid));
	note_set(&n->name, name, strlen(name));
	note_set(&n->thresholds, thresholds.p, thresholds.n);
	buf_release(&thresholds);
	n->first_ns = first_ns;
	n->vus = o->vus != 0 ? o->vus : start->vus;
	n->duration_ns = o->duration_ns != 0 ? o->duration_ns
	    : start->duration_ns;
	session_note(session);
}

void
session_init(struct session *session, struct push_options *o)
{
	session->options = o;
	session->wake = thread_bell_open();
}

void
session_make_stages(struct session *session)
{
	struct packer_config packer = { .journal = session->journal,
	    .wake = session->wake };
	struct uploader_config uploader = { .settings =
	    &session->options->settings, .journal = session->journal,
	    .numbers = &session->numbers };

	session->packer = uploader.packer = packer_new(&packer);
	session->uploader = uploader_new(&uploader);
}

int
push_thresholds(struct judge *judge, const struct opt_list *list,
    struct why *why)
{
	struct why cause;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (judge_add_option(judge, list->items[i], &cause) < 0)
			return why_set(why, "--threshold: %s", cause.text);
	return 0;
}

int
session_connect(struct session *session, struct why *why)
{
	struct push_options *o = session->options;
	struct run_api_config run_api = { .settings = &o->settings,
	    .allows_http = o->allows_http,
	    .is_patient = !o->is_create && o->finish == NULL };
	struct fetch_options fetch = { .user_agent = "k6push/" K6PIPE_VERSION,
	    .timeout_ns = settings_int(&o->settings, SET_TIMEOUT),
	    .ca_file = o->ca_file };

	/* Who resumes has it already. */
	if (!session->remote.is_chosen &&
	    remote_init(&session->remote, &o->settings, why) < 0)
		return -1;
	remote_fetch_options(&session->remote, &fetch);
	if (session->remote.is_chosen)
		run_api.remote = settings_text(&o->settings, SET_RW_URL);
	session->fetcher = run_api.fetcher = fetcher_new(&fetch, why);
	if (session->fetcher == NULL ||
	    push_thresholds(&session->judge, &o->thresholds, why) < 0)
		return -1;
	session->run_api = run_api_new(&run_api, why);
	if (session->run_api == NULL)
		return -1;
	/* The keys of an earlier process stay. */
	if (session->note.create_key[0] == '\0') {
		session->note.started_ns = now_unix_ns();
		idempotency_key(session->note.create_key);
		idempotency_key(session->note.finish_key);
	}
	signals_take(session->wake);
	return 0;
}

void
session_release(struct session *session)
{
	fetcher_free(session->fetcher);
	uploader_free(session->uploader);
	packer_free(session->packer);
	run_api_free(session->run_api);
	reader_free(session->reader);
	journal_close(session->journal);
	note_release(&session->note);
	remote_release(&session->remote);
	judge_release(&session->judge);
	signals_let_go();
	if (session->wake > 0)
		(void)close(session->wake);
}

/* Letters of this host's name that are good in the name of a file. */
static void
name_host(char host[JOURNAL_HOST + 1])
{
	char full[HOST_NAME_MAX + 1] = "";
	size_t i;

	(void)gethostname(full, sizeof(full) - 1);
	for (i = 0; i < JOURNAL_HOST && full[i] != '\0'; i++)
		host[i] = isalnum((unsigned char)full[i]) || (i > 0 &&
		    strchr("-._", full[i]) != NULL) ? full[i] : '_';
	host[i] = '\0';
}

/* The first letters of what Linux calls this boot; none where it does not. */
static void
name_boot(char boot[JOURNAL_BOOT + 1])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, boot, JOURNAL_BOOT) : 0;

	boot[n > 0 ? n : 0] = '\0';
	if (strspn(boot, "0123456789abcdef") != JOURNAL_BOOT)
		boot[0] = '\0';
	if (fd >= 0)
		(void)close(fd);
}

/* A name that no other journal has: many hosts and containers may share the
 * folder, and in containers process numbers are the same. */
static char *
journal_name(const char *home)
{
	char stamp[TIME_TEXT], host[JOURNAL_HOST + 1], boot[JOURNAL_BOOT + 1];
	char chance[JOURNAL_CHANCE + 1], *p;

	(void)time_print(stamp, now_unix_ns() / NS_PER_S * NS_PER_S);
	while ((p = strpbrk(stamp, "-:")) != NULL)
		(void)memmove(p, p + 1, strlen(p));
	name_host(host);
	name_boot(boot);
	random_hex(chance, JOURNAL_CHANCE / 2);
	return xasprintf("%s/%s-%s-%s-%ld-%s", home, stamp, host, boot,
	    (long)getpid(), chance);
}

/* A journal of this push's own. -1: why. */
static int
make_journal(struct session *session, struct why *why)
{
	struct push_options *o = session->options;
	char *home, *path;
	int status, tries = 0;

	if (o->has_no_journal)
		return 0;
	home = journals_path(o, why);
	if (home == NULL)
		return -1;
	/* Who resumes all may come between its making and its lock. */
	do {
		path = journal_name(home);
		status = journal_open(&session->journal, path, JOURNAL_NEW,
		    &o->journal, why);
		free(path);
	} while (status == JOURNAL_BUSY && ++tries < 5);
	free(home);
	return status;
}

/* One of several that feed a run has a name, and its samples show it. In
 * containers of one host processes have the same number. */
static void
name_instance(struct session *session)
{
	const struct push_options *o = session->options;
	char host[HOST_NAME_MAX + 1] = "host";
	char *name = NULL, chance[INSTANCE_CHANCE + 1];

	if (o->instance == NULL && !session->remote.is_chosen &&
	    settings_text(&o->settings, SET_PUSH_REF_ID) == NULL)
		return;
	(void)gethostname(host, sizeof(host) - 1);
	random_hex(chance, INSTANCE_CHANCE / 2);
	name = o->instance != NULL ? xstrdup(o->instance)
	    : xasprintf("%s-%ld-%s", host, (long)getpid(), chance);
	note_set(&session->note.instance, name, strlen(name));
	session->remote.config.instance = session->note.instance;
	free(name);
}

/* What reads, and its thread. -1: why. */
static int
start_reader(struct session *session, char *const *files, int n_files,
    struct why *why)
{
	struct reader_config config = { .files = files, .n_files = n_files,
	    .codecs = input_codecs, .settings = &session->options->settings,
	    .judge = &session->judge,
	    .instance = session->remote.is_chosen ? NULL
	    : session->note.instance,
	    .awaits_name = session->options->instance != NULL &&
	    session->note.shared_run != NULL && session->note.push_url == NULL,
	    .running = session->remote.is_chosen ? &session->remote.config
	    : NULL, .packer = session->packer,
	    .journal = session->journal, .numbers = &session->numbers,
	    .wake = session->wake, .memory_max = MEMORY_BYTES,
	    .on_head = note_plan, .ctx = session };

	session->reader = reader_new(&config, why);
	if (session->reader == NULL)
		return -1;
	packer_start(session->packer);
	reader_start(session->reader);
	return 0;
}

/* Wrong use is told before anything is made. */
static int
check_period(const struct settings *s, struct why *why)
{
	int64_t period_ns, wait_ns;

	if (wire_chosen(s) != &wire_v2)
		return 0;
	return series_collect_rule(s, &period_ns, &wait_ns, why);
}

static void
note_text(char **member, const char *text)
{
	note_set(member, text, text != NULL ? strlen(text) : 0);
}

/* Where the samples go, for whoever resumes them. */
static void
note_target(struct session *session)
{
	const struct settings *s = &session->options->settings;
	struct note *n = &session->note;

	note_text(&n->host, run_api_host(session->run_api));
	if (session->remote.is_chosen) {
		note_text(&n->out, "prometheus-rw");
		n->keeps_testid = session->remote.config.keeps_testid;
	}
	note_text(&n->shared_run, settings_text(s, SET_PUSH_REF_ID));
	note_text(&n->push_url, settings_text(s, SET_METRICS_PUSH_URL));
}

/* Name the push, start its threads, and deliver what they bring. */
static int
run_session(struct session *session, char *const *files, int n_files)
{
	struct why why;

	if (!session->options->is_quiet && !session->options->has_no_journal)
		tell_leftovers(session->options);
	name_instance(session);
	note_target(session);
	session_note(session);
	session_make_stages(session);
	if (start_reader(session, files, n_files, &why) < 0) {
		warnf("%s", why.text);
		return EXIT_FAILED;
	}
	return session_deliver(session);
}

int
push_run(struct push_options *o, char *const *files, int n_files)
{
	struct session session = { .file = n_files > 0 ? files[0] : NULL };
	struct why why;
	int status;

	session_init(&session, o);
	if (check_period(&o->settings, &why) < 0 ||
	    session_connect(&session, &why) < 0) {
		status = opt_misuse("%s", why.text);
	} else if ((session.remote.is_chosen && remote_probe(&session.remote,
	    session.fetcher, &why) < 0) ||
	    make_journal(&session, &why) < 0) {
		warnf("%s", why.text);
		status = EXIT_FAILED;
	} else {
		status = run_session(&session, files, n_files);
	}
	session_release(&session);
	return status;
}
