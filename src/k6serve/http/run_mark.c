/* SPDX-License-Identifier: MIT */
/* The mark of a run: the id of its database and a digest of the key that made
 * it. */
#include "k6serve/http/run_mark.h"

#include <string.h>

#include "k6serve/http/digest.h"
#include "k6serve/store/store_run.h"

enum { OWN_BYTES = 4 };	/* of the run; clients take 40 digits in all */

enum store_result
run_mark_put(struct store *s, const char *owner, int64_t run, struct buf *out,
    struct why *why)
{
	unsigned char digest[DIGEST_BYTES];
	struct buf key = { 0 };
	enum store_result result = store_run_key(s, owner, run, &key, why);
	int i;

	if (result == STORE_DONE && digest_sha256(buf_whole(&key), digest,
	    why) < 0)
		result = STORE_FAILED;
	if (result == STORE_DONE) {
		buf_text(out, store_id(s));
		/* A run from before keys were made for all has none. */
		for (i = 0; i < OWN_BYTES && key.n != 0; i++)
			buf_printf(out, "%02x", digest[i]);
	}
	buf_release(&key);
	return result;
}

bool
run_mark_is_here(const struct store *s, const char *mark)
{
	const char *id = store_id(s);

	return strncmp(mark, id, strlen(id)) == 0;
}

enum store_result
run_mark_check(struct store *s, const char *owner, int64_t run,
    const char *mark, struct why *why)
{
	struct buf own = { 0 };
	enum store_result result = run_mark_put(s, owner, run, &own, why);

	/* A client of before names the database alone. */
	if (result == STORE_DONE && strcmp(mark, store_id(s)) != 0 &&
	    !span_is(buf_whole(&own), mark))
		result = STORE_CONFLICT;
	buf_release(&own);
	return result;
}
