/* SPDX-License-Identifier: MIT */
/* The table of leases, which an engine has if several k6serve may use it. */
#include "k6serve/store/store_lease.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "k6serve/store/store_priv.h"

const char store_lease_chores[] = "chores", store_lease_hooks[] = "hooks";

/* Who holds it: a machine and a process for people, and what tells it from all
 * others. */
static void
name_holder(struct store_lease *l)
{
	char host[64] = "", digits[17];

	if (gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	random_hex(digits, (sizeof(digits) - 1) / 2);
	(void)snprintf(l->holder, sizeof(l->holder), "%s:%ld:%s", host,
	    (long)getpid(), digits);
}

static void
bind_lease(struct store_stmt *p)
{
	const struct store_lease *l = &p->s->lease;

	store_bind_text(p, span_of(l->name));
	store_bind_text(p, span_of(l->holder));
}

int
store_lease_hold(struct store *s, const char *name, struct why *why)
{
	const char *text = s->engine->texts[ENGINE_LEASE_HOLD];
	struct store_stmt p;
	int64_t fence;

	if (text == NULL)
		return 1;
	if (s->lease.name == NULL)
		name_holder(&s->lease);
	s->lease.name = name;
	p = store_prepare(s, text, why);
	if (p.sql == NULL)
		return -1;
	bind_lease(&p);
	store_bind_int(&p, STORE_LEASE_MS);
	fence = store_one_int(&p, why);
	if (fence > 0)
		s->lease.fence = fence;
	return fence > 0 ? 1 : (int)fence;
}

void
store_lease_drop(struct store *s)
{
	struct store_stmt p;
	struct why why;

	if (s->lease.fence == 0)
		return;
	p = store_prepare(s, s->engine->texts[ENGINE_LEASE_DROP], &why);
	if (p.sql == NULL)
		return;
	bind_lease(&p);
	(void)store_run_sql(&p, &why);
}

int64_t
store_lease_fence(const struct store *s)
{
	return s->lease.fence;
}

int
store_lease_check(struct store *s, struct why *why)
{
	const char *text = s->engine->texts[ENGINE_LEASE_CHECK];
	struct store_stmt p;
	int found;

	if (text == NULL)
		return 1;
	if (s->lease.name == NULL)
		return 0;
	p = store_prepare(s, text, why);
	if (p.sql == NULL)
		return -1;
	bind_lease(&p);
	store_bind_int(&p, s->lease.fence);
	found = store_step(&p, why);
	store_reset(&p);
	s->lease.is_lost |= found == 0;
	return found;
}

bool
store_lease_was_lost(struct store *s)
{
	bool was_lost = s->lease.is_lost;

	s->lease.is_lost = false;
	return was_lost;
}

int
store_chore_begin(struct store *s, struct why *why)
{
	s->mark.is_doubtful = false;
	if (store_begin(s, why) < 0)
		return -1;
	s->lease.is_asked = true;
	return 0;
}
