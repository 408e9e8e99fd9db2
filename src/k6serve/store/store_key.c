/* SPDX-License-Identifier: MIT */
/*
 * The keys of batches: each stands for one body or, if its sender has
 * withdrawn it, for none any more.
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
	struct store_stmt p = store_prepare(s, select, why);
	bool is_withdrawn = false, is_same = false;
	const unsigned char *digest;
	int found;

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, b->run);
	store_bind_text(&p, b->key);
	found = store_step(&p, why);
	if (found > 0) {
		is_withdrawn = store_get_blob(&p, DIGEST).n == 0;
		digest = store_get_digest(&p, DIGEST);
		is_same = digest != NULL && b->digest != NULL &&
		    memcmp(digest, b->digest, STORE_DIGEST) == 0;
	}
	store_reset(&p);
	if (found < 0)
		return store_failure(s);
	if (found == 0)
		return STORE_DONE;
	if (is_withdrawn)
		return STORE_WITHDRAWN;
	return is_same ? STORE_DUPLICATE : STORE_CONFLICT;
}

enum store_result
store_key_note(struct store *s, const struct store_batch *b, struct why *why)
{
	static const char insert[] = "INSERT INTO batch(run, key, digest,"
	    " push, requests) VALUES(?1, ?2, ?3, ?4, ?5)"
	    " ON CONFLICT(run, key) DO NOTHING";
	struct store_stmt p = store_prepare(s, insert, why);

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, b->run);
	store_bind_text(&p, b->key);
	store_bind_digest(&p, b->digest);
	store_bind_text(&p, b->push);
	store_bind_int(&p, b->requests);
	if (store_run_sql(&p, why) < 0)
		return store_failure(s);
	/* another k6serve noted it since it was checked */
	return store_changes(s) == 0 ? store_key_check(s, b, why) :
	    STORE_DONE;
}

/* b has no digest: of what its key stands for, any is a conflict. */
static enum store_result
withdraw(struct store *s, const struct store_batch *b, struct why *why)
{
	struct store_state state;
	enum store_result result = store_state_lock(s, b->owner, b->run,
	    &state, why);

	if (result == STORE_DONE)
		result = store_check_size("the idempotency key", b->key,
		    STORE_KEY, why);
	if (result == STORE_DONE)
		result = store_key_check(s, b, why);
	if (result != STORE_DONE)
		return result;
	return store_key_note(s, b, why);
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

int64_t
store_batch_count(struct store *s, int64_t run, struct why *why)
{
	static const char select[] = "SELECT count(*) FROM batch"
	    " WHERE run = ? AND length(digest) > 0";
	struct store_stmt p = store_prepare(s, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	return store_one_int(&p, why);
}

int
store_batch_count_push(struct store *s, int64_t run, struct span push,
    struct store_push_count *n, struct why *why)
{
	static const char select[] = "SELECT"
	    " count(*) FILTER (WHERE push = ?2),"
	    " CAST(coalesce(sum(requests) FILTER (WHERE push = ?2), 0)"
	    " AS BIGINT), count(*) FILTER (WHERE push = '')"
	    " FROM batch WHERE run = ?1 AND length(digest) > 0";
	enum { BATCHES, REQUESTS, UNNAMED };
	struct store_stmt p = store_prepare(s, select, why);
	int found;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	store_bind_text(&p, push);
	found = store_step(&p, why);
	if (found > 0)
		*n = (struct store_push_count){ store_get_int(&p, BATCHES),
		    store_get_int(&p, REQUESTS), store_get_int(&p, UNNAMED) };
	store_reset(&p);
	return found > 0 ? 0 : -1;
}
