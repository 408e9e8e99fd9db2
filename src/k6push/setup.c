/* SPDX-License-Identifier: MIT */
/*
 * The beginning of a push: its parts are made and connected, its journal and
 * its name chosen, its threads started.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/thread.h"
#include "base/units.h"
#include "k6push/session.h"

enum { MEMORY_BYTES = 256 << 20 };

/* reader.on_head: the run as flags and the stream's Start want it. */
static void
note_plan(void *ctx)
{
	struct session *session = ctx;
	struct push_options *o = session->options;
	const struct run_start *start = &session->reader.collector.start;
	struct note *n = &session->note;
	const char *name, *base = session->file != NULL ? strrchr(session->file,
	    '/') : NULL;
	struct span thresholds = start->thresholds;
	char *text = xstrndup(start->name.p, start->name.n);

	if (start->name.n > 0)
		(void)settings_set(&o->settings, SET_NAME, text, FROM_START,
		    NULL);
	free(text);
	name = settings_text(&o->settings, SET_NAME);
	if (name == NULL)
		name = base != NULL ? base + 1 : session->file != NULL
		    ? session->file : "k6 test";
	if (o->thresholds.n > 0 || thresholds.n == 0)
		thresholds = buf_whole(&session->thresholds);
	note_set(&n->name, name, strlen(name));
	note_set(&n->thresholds, thresholds.p, thresholds.n);
	n->vus = o->vus != 0 ? o->vus : start->vus;
	n->duration_ns = o->duration_ns != 0 ? o->duration_ns
	    : start->duration_ns;
	session_note(session);
}

int
session_init(struct session *session, struct push_options *o, struct why *why)
{
	struct fetch_options fetch = { .user_agent = "k6push/" K6PIPE_VERSION,
	    .timeout_ns = settings_int(&o->settings, SET_TIMEOUT),
	    .ca_file = o->ca_file };

	session->options = o;
	session->wake = thread_bell_open();
	session->fetcher = fetcher_new(&fetch, why);
	if (session->fetcher == NULL || thresholds_from_options(&o->thresholds,
	    &session->thresholds, why) < 0 || run_api_init(&session->run_api,
	    session->fetcher, &o->settings, o->allows_http, why) < 0)
		return -1;
	session->packer.wake = session->wake;
	session->uploader.fetcher = session->fetcher;
	session->uploader.settings = &o->settings;
	session->uploader.packer = &session->packer;
	session->uploader.numbers = &session->numbers;
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
	uploader_release(&session->uploader);
	batches_release(&session->packer.in);
	batches_release(&session->packer.out);
	run_api_release(&session->run_api);
	reader_release(&session->reader);
	journal_close(session->journal);
	note_release(&session->note);
	buf_release(&session->thresholds);
	if (session->wake > 0)
		(void)close(session->wake);
}

/* A journal of this push's own. -1: why. */
static int
make_journal(struct session *session, struct why *why)
{
	struct push_options *o = session->options;
	char *home, *path, stamp[TIME_TEXT], *p;
	int status;

	if (o->has_no_journal)
		return 0;
	home = journals_path(o, why);
	if (home == NULL)
		return -1;
	(void)time_print(stamp, now_unix_ns() / NS_PER_S * NS_PER_S);
	while ((p = strpbrk(stamp, "-:")) != NULL)
		(void)memmove(p, p + 1, strlen(p));
	path = xasprintf("%s/%s-%ld", home, stamp, (long)getpid());
	status = journal_open(&session->journal, path, JOURNAL_NEW, &o->journal,
	    why);
	free(path);
	free(home);
	return status;
}

/* The threads' share of the set-up. */
static void
start_threads(struct session *session, char *const *files, int n_files)
{
	const struct settings *s = &session->options->settings;
	struct reader *r = &session->reader;

	lines_init(&r->in, files, n_files);
	r->in.codecs = input_codecs;
	session->has_reader = true;
	r->packer = &session->packer;
	r->on_head = note_plan;
	r->ctx = session;
	r->journal = session->packer.journal = session->uploader.journal =
	    session->journal;
	r->wake = session->wake;
	r->memory_max = MEMORY_BYTES;
	r->interval_ns = settings_int(s, SET_PUSH_INTERVAL);
	r->max_samples = settings_int(s, SET_MAX_SAMPLES);
	r->numbers = &session->numbers;
	if (r->has_open_batches) {
		r->open_batches.packer = r->packer;
		r->open_batches.journal = r->journal;
		r->open_batches.numbers = r->numbers;
		r->collector.series = &r->open_batches.collect;
	}
	packer_start(&session->packer);
	reader_start(r);
}

/* One of several that feed a run has a name, and its samples show it. */
static void
name_instance(struct session *session)
{
	const struct push_options *o = session->options;
	char host[HOST_NAME_MAX + 1] = "host";
	char *name = NULL;

	if (o->instance == NULL &&
	    settings_text(&o->settings, SET_PUSH_REF_ID) == NULL)
		return;
	(void)gethostname(host, sizeof(host) - 1);
	name = o->instance != NULL ? xstrdup(o->instance)
	    : xasprintf("%s-%ld", host, (long)getpid());
	note_set(&session->note.instance, name, strlen(name));
	session->reader.collector.label.instance = session->note.instance;
	session->reader.collector.label.tags =
	    &session->reader.collector.stream.tags;
	free(name);
}

int
push_run(struct push_options *o, char *const *files, int n_files)
{
	struct session session = { .file = n_files > 0 ? files[0] : NULL };
	struct reader *r = &session.reader;
	struct why why;
	int status;

	r->has_open_batches = settings_int(&o->settings, SET_API_VERSION) == 2;
	if ((r->has_open_batches &&
		open_batches_init(&r->open_batches, &o->settings,
		    &r->collector.stream.metrics, &why) < 0) ||
	    session_init(&session, o, &why) < 0) {
		status = opt_misuse("%s", why.text);
	} else if (make_journal(&session, &why) < 0) {
		warnf("%s", why.text);
		status = EXIT_FAILED;
	} else {
		if (!o->is_quiet && !o->has_no_journal)
			tell_leftovers(o);
		name_instance(&session);
		note_set(&session.note.host, session.run_api.host,
		    strlen(session.run_api.host));
		session_note(&session);
		start_threads(&session, files, n_files);
		status = session_deliver(&session);
	}
	session_release(&session);
	return status;
}
