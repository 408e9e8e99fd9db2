/* SPDX-License-Identifier: MIT */
/* Those who feed one run side by side. */
#include "k6serve/store/store_priv.h"

enum store_result
store_instance_put(struct store *s, const struct store_instance *i,
    struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_INSTANCE_PUT, why);

	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, i->run);
	store_bind_text(sql, 2, i->name);
	(void)sqlite3_bind_int(sql, 3, i->run_status);
	(void)sqlite3_bind_int(sql, 4, i->result_status);
	store_bind_text(sql, 5, i->results);
	(void)sqlite3_bind_int64(sql, 6, i->seen_ns);
	return store_run_sql(s, sql, why) < 0 ? store_failure(s) : STORE_DONE;
}

int
store_instances(struct store *s, int64_t run, store_instance_each *each,
    void *ctx, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_INSTANCES, why);
	struct store_instance i = { .run = run };
	int status = 0;

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, run);
	while (store_next(s, sql, &status, why)) {
		i.name = store_text(sql, 0);
		i.run_status = sqlite3_column_int(sql, 1);
		i.result_status = sqlite3_column_int(sql, 2);
		i.results = store_text(sql, 3);
		i.seen_ns = sqlite3_column_int64(sql, 4);
		status = each(ctx, &i);
	}
	return status;
}
