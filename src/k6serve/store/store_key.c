/* SPDX-License-Identifier: MIT */
/*
 * The keys of batches: each stands for one body, or for none any more, when
 * its sender has withdrawn it.
 */
#include <string.h>

#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_priv.h"

/* A withdrawn key has an empty digest. */
enum store_result
store_key_check(struct store *s, const struct store_batch *b, struct why *why)
{
	static const char select[] = "SELECT digest FROM batch"
	    " WHERE run = ? AND key = ?";
	enum { DIGEST };
	struct store_params p = store_prepare(s, select, why);
	int found, bytes = 0, is_same = 0;

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, b->run);
	store_bind_text(&p, b->key);
	found = store_step(s, p.sql, why);
	if (found > 0) {
		bytes = sqlite3_column_bytes(p.sql, DIGEST);
		is_same = bytes == STORE_DIGEST && b->digest != NULL &&
		    memcmp(sqlite3_column_blob(p.sql, DIGEST), b->digest,
		    STORE_DIGEST) == 0;
	}
	store_reset(p.sql);
	if (found < 0)
		return store_failure(s);
	if (found == 0)
		return STORE_DONE;
	if (bytes == 0)
		return STORE_WITHDRAWN;
	return is_same ? STORE_DUPLICATE : STORE_CONFLICT;
}

int
store_key_note(struct store *s, const struct store_batch *b, struct why *why)
{
	static const char insert[] = "INSERT INTO batch(run, key, digest)"
	    " VALUES(?1, ?2, coalesce(?3, x''))";
	struct store_params p = store_prepare(s, insert, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, b->run);
	store_bind_text(&p, b->key);
	if (b->digest != NULL)
		store_bind_digest(&p, b->digest);
	else
		store_bind_null(&p);
	return store_run_sql(s, p.sql, why);
}

/* b has no digest: of what its key stands for, any is a conflict. */
static enum store_result
withdraw(struct store *s, const struct store_batch *b, struct why *why)
{
	struct store_state state;
	enum store_result result = store_state_get(s, b->owner, b->run,
	    &state, why);

	if (result == STORE_DONE)
		result = store_check_size("the idempotency key", b->key,
		    STORE_KEY, why);
	if (result == STORE_DONE)
		result = store_key_check(s, b, why);
	if (result != STORE_DONE)
		return result;
	return store_key_note(s, b, why) < 0 ? store_failure(s) : STORE_DONE;
}

enum store_result
store_batch_withdraw(struct store *s, const char *owner, int64_t run,
    struct span key, struct why *why)
{
	struct store_batch b = { .owner = owner, .run = run, .key = key };
	enum store_result result;

	if (store_begin(s, why) < 0)
		return store_failure(s);
	result = store_conclude(s, withdraw(s, &b, why), why);
	return result == STORE_WITHDRAWN ? STORE_DONE
	    : result == STORE_CONFLICT ? STORE_DUPLICATE : result;
}
