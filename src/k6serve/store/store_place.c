/* SPDX-License-Identifier: MIT */
/* Are the database's files still where they were opened? */
#include <sys/stat.h>

#include "k6serve/store/store_priv.h"

/* Does the path lead to the file that was noted? The first look notes it. */
static bool
is_same(const char *path, struct store_file *noted)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	if (!noted->is_known)
		*noted = (struct store_file){ st.st_dev, st.st_ino, true };
	return noted->device == st.st_dev && noted->inode == st.st_ino;
}

int
store_check_place(struct store *s, struct why *why)
{
	const char *path = sqlite3_db_filename(s->db, "main");

	/* Without the log nothing was written yet. */
	s->is_misplaced = !is_same(path, &s->main) ||
	    (s->log.is_known && !is_same(sqlite3_filename_wal(path), &s->log));
	if (s->is_misplaced)
		return why_set(why, STORE_MISPLACED_WHY);
	return 0;
}

bool
store_is_misplaced(const struct store *s)
{
	return s->is_misplaced;
}

void
store_note_log(struct store *s)
{
	if (!s->log.is_known)
		(void)is_same(sqlite3_filename_wal(sqlite3_db_filename(s->db,
		    "main")), &s->log);
}
