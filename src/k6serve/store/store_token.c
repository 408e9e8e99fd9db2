/* SPDX-License-Identifier: MIT */
/* The table of tokens. */
#include "k6serve/store/store_token.h"

#include "k6serve/store/store_priv.h"

int
store_token_add(struct store *s, const struct store_token *t,
    struct why *why)
{
	static const char insert[] = "INSERT INTO token(name, hash,"
	    " created_ns, owner) VALUES(?, ?, ?, ?)";
	struct store_stmt p = store_prepare(s, insert, why);
	int status;

	if (p.sql == NULL)
		return -1;
	store_bind_text(&p, span_of(t->name));
	store_bind_digest(&p, t->hash);
	store_bind_int(&p, t->created_ns);
	store_bind_text(&p, span_of(t->owner));
	status = store_run_sql(&p, why);
	if (status < 0 && s->engine->is_conflict(s->session))
		return why_set(why, "a token of that name exists");
	return status;
}

int
store_token_remove(struct store *s, const char *name, struct why *why)
{
	static const char delete[] = "DELETE FROM token WHERE name = ?";
	struct store_stmt p = store_prepare(s, delete, why);

	if (p.sql == NULL)
		return -1;
	store_bind_text(&p, span_of(name));
	if (store_run_sql(&p, why) < 0)
		return -1;
	if (store_changes(s) == 0)
		return why_set(why, "no token has that name");
	return 0;
}

int
store_tokens(struct store *s, store_token_each *each, void *ctx,
    struct why *why)
{
	static const char select[] = "SELECT name, hash, created_ns, owner"
	    " FROM token ORDER BY name";
	enum { NAME, HASH, CREATED_NS, OWNER };
	struct store_stmt p = store_prepare(s, select, why);
	struct store_token t;
	int status = 0;

	if (p.sql == NULL)
		return -1;
	while (store_next(&p, &status, why)) {
		t.name = store_get_text(&p, NAME).p;
		t.hash = store_get_digest(&p, HASH);
		t.created_ns = store_get_int(&p, CREATED_NS);
		t.owner = store_get_text(&p, OWNER).p;
		if (t.hash != NULL)
			status = each(ctx, &t);
	}
	return status;
}
