/* SPDX-License-Identifier: MIT */
/* Where the journals of pushes are; lists and discards them. */
#include "k6push/journals.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "k6push/read/recover.h"
#include "k6push/session.h"

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

static void
add(struct journals *p, char *path)
{
	p->paths = xgrow(p->paths, p->n, &p->cap, sizeof(*p->paths));
	p->paths[p->n++] = path;
}

void
journals_release(struct journals *p)
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
find_journals(struct journals *p, const char *path, struct why *why)
{
	size_t before = p->n;
	const struct dirent *e;
	char *below;
	DIR *dir;

	if (journal_is_at(path)) {
		add(p, xstrdup(path));
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
			add(p, below);
		else
			free(below);
	}
	(void)closedir(dir);
	if (p->n > before)
		qsort(p->paths + before, p->n - before, sizeof(*p->paths),
		    by_name);
	return 0;
}

int
journals_find(const struct push_options *o, char *const *paths, int n,
    struct journals *p)
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

void
tell_leftovers(const struct push_options *o)
{
	struct journals p = { 0 };
	char *home = journals_path(o, NULL);
	size_t i, n_waiting = 0;

	if (home != NULL)
		(void)find_journals(&p, home, NULL);
	/* One without a note is perhaps just being made. */
	for (i = 0; i < p.n; i++)
		n_waiting += journal_has_note_at(p.paths[i]) &&
		    journal_waits_at(p.paths[i]);
	if (n_waiting > 0)
		warnf("%zu earlier %s not delivered yet: k6push --resume",
		    n_waiting, n_waiting == 1 ? "push is" : "pushes are");
	journals_release(&p);
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

	if (recover_batch(&p, bytes, NULL, &plain, NULL) == 0)
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
	struct journals p = { 0 };
	int worst = journals_find(o, paths, n, &p), status;
	size_t i;

	for (i = 0; i < p.n; i++) {
		status = act(p.paths[i]);
		if (worst == 0)
			worst = status;
	}
	journals_release(&p);
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
