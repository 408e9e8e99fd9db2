/* SPDX-License-Identifier: MIT */
/* Checks that the database's files are still where they were opened. */
#include <sys/stat.h>

#include "k6serve/store/engine_sqlite_priv.h"

/* Does the path lead to the file that was noted? The first look notes it. */
static bool
is_same(const char *path, struct sqlite_file *noted)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	if (!noted->is_known)
		*noted = (struct sqlite_file){ st.st_dev, st.st_ino, true };
	return noted->device == st.st_dev && noted->inode == st.st_ino;
}

int
sqlite_check_place(struct sqlite_session *q, struct why *why)
{
	const char *path = sqlite3_db_filename(q->db, "main");

	/* Without the log nothing was written yet. */
	q->is_misplaced = !is_same(path, &q->main) ||
	    (q->log.is_known && !is_same(sqlite3_filename_wal(path), &q->log));
	if (q->is_misplaced)
		return why_set(why, STORE_MISPLACED_WHY);
	return 0;
}

void
sqlite_note_log(struct sqlite_session *q)
{
	if (!q->log.is_known)
		(void)is_same(sqlite3_filename_wal(sqlite3_db_filename(q->db,
		    "main")), &q->log);
}
