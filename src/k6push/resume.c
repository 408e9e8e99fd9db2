/* SPDX-License-Identifier: MIT */
/* What earlier pushes left in their journals: list it, and deliver it. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "base/units.h"
#include "k6push/read/recover.h"
#include "k6push/session.h"
#include "k6push/wire/wire.h"

char *
journals_path(const struct push_options *o, struct why *why)
{
	char *path = o->journal_dir != NULL ? xstrdup(o->journal_dir) :
	    file_state_dir("k6push");

	if (path == NULL)
		(void)why_set(why, "no place for the journal: set HOME or "
		    "XDG_STATE_HOME, or use --journal or --no-journal");
	return path;
}

/* Paths of journals. */
struct places {
	char **paths;
	size_t n, cap;
};

static void
places_add(struct places *p, char *path)
{
	p->paths = xgrow(p->paths, p->n, &p->cap, sizeof(*p->paths));
	p->paths[p->n++] = path;
}

static void
places_release(struct places *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		free(p->paths[i]);
	free(p->paths);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Add path, or else the journals right below it, oldest first. -1: it cannot
 * be read. */
static int
find_journals(struct places *p, const char *path, struct why *why)
{
	size_t before = p->n;
	const struct dirent *e;
	char *below;
	DIR *dir;

	if (journal_is_at(path)) {
		places_add(p, xstrdup(path));
		return 0;
	}
	dir = opendir(path);
	if (dir == NULL)
		return why_set(why, "%s: %s", path, strerror(errno));
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		below = xasprintf("%s/%s", path, e->d_name);
		if (journal_is_at(below))
			places_add(p, below);
		else
			free(below);
	}
	(void)closedir(dir);
	if (p->n > before)
		qsort(p->paths + before, p->n - before, sizeof(*p->paths),
		    by_name);
	return 0;
}

/* All that the operands name; none: the usual place, which need not exist. */
static int
find_all(const struct push_options *o, char *const *paths, int n,
    struct places *p)
{
	struct why why;
	char *home;
	int i, status = 0;

	for (i = 0; i < n; i++)
		if (find_journals(p, paths[i], &why) < 0) {
			warnf("%s", why.text);
			status = EXIT_FAILED;
		} else if (p->n == 0) {
			warnf("%s: no journal", paths[i]);
			status = EXIT_FAILED;
		}
	if (n > 0)
		return status;
	home = journals_path(o, &why);
	if (home == NULL)
		return opt_misuse("%s", why.text);
	(void)find_journals(p, home, &why);
	free(home);
	return 0;
}

/* A batch that waits in a segment. */
static void
take_batch(void *ctx, const struct journal_batch *b,
    const struct journal_place *place)
{
	struct session *session = ctx;
	struct batch *p;

	if (wire_of(b->format) == NULL) {
		session->foreign.points += b->points;
		session->foreign.requests += b->requests;
		return;
	}
	session->found.points += b->points;
	session->found.requests += b->requests;
	p = batch_new(b->number);
	p->id = *b;
	p->place = *place;
	uploader_add(session->uploader, p);
}

/* What the heads of the pieces count and the pieces do not hold. */
static void
note_cut_pieces(struct session *session, const struct journal_batch *want,
    const struct journal_batch *have)
{
	struct amount *cut = &session->earlier.cut;

	if (want->points > have->points)
		cut->points += want->points - have->points;
	if (want->requests > have->requests)
		cut->requests += want->requests - have->requests;
}

/* A batch that was being filled: it is cut where its writer ended. */
static void
take_pieces(void *ctx, const struct journal_batch *b, struct span bytes)
{
	struct session *session = ctx;
	struct batch *p = batch_new(b->number);
	struct why why;

	p->id = *b;
	p->is_plain = true;
	if (recover_batch(p, bytes, &p->body, &why) == 0) {
		note_cut_pieces(session, b, &p->id);
	} else {
		warnf("batch %" PRIu64 ": %s", b->number, why.text);
		session->missing += wire_of(b->format) != NULL;
		batch_free(p);
		return;
	}
	packer_pack(session->packer, p);
	session->found.points += p->id.points;
	session->found.requests += p->id.requests;
	uploader_add(session->uploader, p);
}

static void
take_halved(void *ctx, const struct journal_batch *b,
    const struct journal_place *place, struct span pieces)
{
	struct session *session = ctx;

	session_take_halved(session, session->loading, b, place, pieces);
}

/* Compare what the note says was read with all that is there. Of a pusher that
 * was killed that is what is there and what is noted of batches. */
static void
account_for(struct session *session, const struct journal_found *found)
{
	struct earlier *e = &session->earlier;
	struct note *n = &session->note;
	const struct journal_sum *sums[] = { &found->acked, &found->refused,
	    &found->lost, &found->cut };
	struct amount all = e->cut;
	size_t i;

	e->acked = found->acked;
	e->refused = found->refused;
	for (i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		all.points += sums[i]->points;
		all.requests += sums[i]->requests;
	}
	all.points += session->found.points + session->foreign.points;
	all.requests += session->found.requests + session->foreign.requests;
	e->cut.points += found->cut.points;
	e->cut.requests += found->cut.requests;
	if (found->is_uncounted)
		return;
	if (!n->has_ended) {
		n->is_cut = true;
		n->points = (int64_t)(all.points + found->gone.points);
		n->made = (int64_t)(all.requests + found->gone.requests);
	}
	e->is_known = n->points > 0;
	if (n->points > (int64_t)all.points)
		e->gone.points = (uint64_t)n->points - all.points;
	if (n->made - n->dropped > (int64_t)all.requests)
		e->gone.requests = (uint64_t)(n->made - n->dropped) -
		    all.requests;
}

static int
load(struct session *session, struct why *why)
{
	struct journal_found found = { .ctx = session, .batch = take_batch,
	    .pieces = take_pieces, .halved = take_halved };
	int status;

	session->loading = &found;
	status = journal_load(session->journal, &found, why);
	session->loading = NULL;

	if (status == 0 && found.note.n == 0 && (found.last > 0 ||
	    found.damaged_bytes > 0))
		status = why_set(why, "its note is missing");
	if (status == 0 && found.note.n > 0)
		status =
		    note_parse(&session->note, buf_whole(&found.note), why);
	if (found.damaged_bytes > 0)
		warnf("%s: %" PRIu64 " damaged bytes are set aside in bad/",
		    journal_path(session->journal), found.damaged_bytes);
	session->missing += found.missing;
	if (status == 0)
		account_for(session, &found);
	numbers_continue(&session->numbers, found.last);
	buf_release(&found.note);
	return status;
}

/* The samples go where they were meant to go, whatever the environment names
 * now; only a flag overrules it. */
static int
choose_host(struct session *session, struct why *why)
{
	struct settings *s = &session->options->settings;

	if (session->note.host == NULL)
		return why_set(why, "its note names no server");
	if (s->v[SET_HOST].source == FROM_FLAG)
		return 0;
	return settings_set(s, SET_HOST, session->note.host, FROM_FLAG, why);
}

/* Its writer ended before it had read anything: no run was asked for. */
static bool
has_nothing(const struct session *session)
{
	return session->note.run == NULL && session->note.name == NULL &&
	    numbers_last(&session->numbers) == 0 && session->missing == 0;
}

/* How a push that nobody ended is to be finished. */
static void
note_cut(struct session *session)
{
	struct note *n = &session->note;

	if (n->has_ended)
		return;
	warnf("%s: the push was cut short: its run ends as aborted",
	    journal_path(session->journal));
	n->has_ended = true;
	n->run_status = RUN_ABORTED_BY_SYSTEM;
	session_note(session);
}

/* From its loaded note on. */
static int
deliver_rest(struct session *session)
{
	struct push_options *o = session->options;
	struct why why;

	if (has_nothing(session)) {
		warnf("%s: nothing had been read: removed",
		    journal_path(session->journal));
		journal_remove(session->journal);
		return EXIT_DONE;
	}
	note_cut(session);
	o->drain_ns = o->drain_ns != 0 ? o->drain_ns : NS_PER_S;
	if (choose_host(session, &why) < 0 ||
	    session_connect(session, &why) < 0)
		return opt_misuse("%s", why.text);
	session->ended_ns = now_monotonic_ns();
	packer_start(session->packer);
	return session_deliver(session);
}

static int
resume_one(struct push_options *o, const char *path)
{
	struct session session = { .has_input_ended = true };
	struct why why;
	int status;

	session_init(&session, o);
	status = journal_open(&session.journal, path, JOURNAL_OLD,
	    &o->journal, &why);
	session_make_stages(&session);
	if (status < 0) {
		warnf("%s", why.text);
		status = status == JOURNAL_BUSY ? EXIT_UNDELIVERED
		    : EXIT_FAILED;
	} else if (load(&session, &why) < 0) {
		warnf("%s: %s: it is left as it is", path, why.text);
		status = EXIT_UNDELIVERED;
	} else {
		status = deliver_rest(&session);
	}
	session_release(&session);
	return status;
}

int
push_resume(struct push_options *o, char *const *paths, int n)
{
	struct places p = { 0 };
	int worst = find_all(o, paths, n, &p), status;
	struct settings before;
	size_t i, n_waiting = 0;

	for (i = 0; i < p.n && signals == 0; i++) {
		if (n == 0 && !journal_waits_at(p.paths[i]))
			continue;
		n_waiting++;
		warnf("%s:", p.paths[i]);
		before = settings_copy(&o->settings);
		status = resume_one(o, p.paths[i]);
		settings_release(&o->settings);
		o->settings = before;
		if (status == EXIT_UNDELIVERED || worst == 0)
			worst = status;
	}
	if (worst == 0 && n_waiting == 0)
		warnf("nothing is left to deliver");
	places_release(&p);
	return worst;
}

void
tell_leftovers(const struct push_options *o)
{
	struct places p = { 0 };
	char *home = journals_path(o, NULL);
	size_t i, n_waiting = 0;

	if (home != NULL)
		(void)find_journals(&p, home, NULL);
	for (i = 0; i < p.n; i++)
		n_waiting += journal_waits_at(p.paths[i]);
	if (n_waiting > 0)
		warnf("%zu earlier %s not delivered yet: k6push --resume",
		    n_waiting, n_waiting == 1 ? "push is" : "pushes are");
	places_release(&p);
	free(home);
}

/* Samples that wait, for the list. */
struct count {
	struct journal_found found;
	uint64_t points;
};

static void
count_batch(void *ctx, const struct journal_batch *b,
    const struct journal_place *place)
{
	struct count *count = ctx;

	(void)place;
	count->points += b->points;
}

static void
count_halved(void *ctx, const struct journal_batch *b,
    const struct journal_place *place, struct span pieces)
{
	struct count *count = ctx;

	(void)place;
	(void)pieces;
	count->points += journal_rest(&count->found, b->number).points;
}

static void
count_pieces(void *ctx, const struct journal_batch *b, struct span bytes)
{
	struct batch p = { .id = *b };
	struct buf plain = { 0 };
	struct count *count = ctx;

	if (recover_batch(&p, bytes, &plain, NULL) == 0)
		count->points += p.id.points;
	buf_release(&plain);
}

static int
print_journal(const char *path)
{
	struct count count = { .found = { .ctx = &count, .batch = count_batch,
	    .pieces = count_pieces, .halved = count_halved } };
	struct journal_found *found = &count.found;
	struct note note = { 0 };
	bool is_open = false;
	int64_t bytes = 0;
	struct why why;
	int status = journal_peek(path, found, &is_open, &bytes, &why);

	if (status == 0 && found->note.n > 0)
		(void)note_parse(&note, buf_whole(&found->note), &why);
	if (status < 0)
		warnf("%s", why.text);
	else
		(void)printf("%s\t%s\t%s\t%" PRIu64 " samples\t%" PRId64
		    " bytes\t%" PRIu64 " refused\t%s\n", path, is_open
		    ? "in use" : count.points > 0 || bytes > 0 ? "waiting"
		    : "done", note.run != NULL ? note.run : "-", count.points,
		    bytes, found->refused.batches, note.page != NULL ? note.page
		    : note.host != NULL ? note.host : "-");
	note_release(&note);
	buf_release(&found->note);
	return status < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* Do it to all journals at or below the paths. Returns the first status that
 * is not 0. */
static int
each_journal(const struct push_options *o, char *const *paths, int n,
    int (*act)(const char *path))
{
	struct places p = { 0 };
	int worst = find_all(o, paths, n, &p), status;
	size_t i;

	for (i = 0; i < p.n; i++) {
		status = act(p.paths[i]);
		if (worst == 0)
			worst = status;
	}
	places_release(&p);
	return worst;
}

int
push_list(const struct push_options *o, char *const *paths, int n)
{
	return each_journal(o, paths, n, print_journal);
}

/* Remove what waits; what was refused stays where it can be looked at. */
static int
discard(const char *path)
{
	struct journal_options none = { 0 };
	struct journal *journal = NULL;
	struct count count = { .found = { .ctx = &count, .batch = count_batch,
	    .pieces = count_pieces, .halved = count_halved } };
	struct why why;
	int status = journal_open(&journal, path, JOURNAL_OLD, &none, &why);

	if (status == 0)
		status = journal_load(journal, &count.found, &why);
	if (status != 0) {
		warnf("%s", why.text);
		journal_close(journal);
		return status == JOURNAL_BUSY ? EXIT_UNDELIVERED : EXIT_FAILED;
	}
	journal_remove(journal);
	journal_close(journal);
	warnf("%s: %" PRIu64 " sample%s discarded%s", path, count.points,
	    count.points == 1 ? "" : "s",
	    access(path, F_OK) == 0
	    ? "; refused or damaged data stay there" : "");
	buf_release(&count.found.note);
	return EXIT_DONE;
}

int
push_discard(const struct push_options *o, char *const *paths, int n)
{
	return each_journal(o, paths, n, discard);
}
