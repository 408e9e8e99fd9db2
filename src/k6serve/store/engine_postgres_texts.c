/* SPDX-License-Identifier: MIT */
/* Has the statements that are SQL of PostgreSQL's own. */
#ifdef K6PIPE_LIBPQ

#include "k6serve/store/engine_postgres_priv.h"

#define SINK_OF(t) t ".count, " t ".nonzero, " t ".sum, " t ".min, " \
	t ".max, " t ".last, " t ".last_ns, " t ".hist, " t ".exact"

const char *const postgres_texts[ENGINE_TEXTS] = {
	[ENGINE_BEGIN] = "BEGIN",
	[ENGINE_BEGIN_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ,"
	    " READ ONLY",
	[ENGINE_RUN_WAS] = "SELECT last_value >= ?1 AND is_called AND"
	    " NOT EXISTS (SELECT 1 FROM run WHERE id = ?1)"
	    " FROM run_id_seq",
	[ENGINE_FIND_TAGSET] = "SELECT id FROM tagset WHERE run = ?1"
	    " AND md5(json) = md5(?2) AND json = ?2",
	[ENGINE_TAG_BYTES] = "SELECT CAST(coalesce(sum("
	    "octet_length(json)), 0) AS bigint)"
	    " FROM tagset WHERE run = ?1",
	[ENGINE_SIZE] = "SELECT CAST(sum(pg_total_relation_size("
	    "c.oid)) AS bigint) FROM pg_class c JOIN pg_namespace n"
	    " ON n.oid = c.relnamespace"
	    " WHERE n.nspname = 'k6serve' AND c.relkind = 'r'",
	/* A row that is locked is skipped, not waited for. An end in
	 * the far future was set before the clock was set back. */
	[ENGINE_LEASE_HOLD] = "UPDATE lease SET holder = ?2,"
	    " fence = CASE WHEN holder = ?2 AND until >"
	    " clock_timestamp() THEN fence ELSE fence + 1 END,"
	    " until = clock_timestamp() + ?3 * interval '1 ms'"
	    " WHERE name = (SELECT name FROM lease WHERE name = ?1"
	    " AND (holder = ?2 OR until NOT BETWEEN clock_timestamp()"
	    " AND clock_timestamp() + 2 * ?3 * interval '1 ms')"
	    " FOR UPDATE SKIP LOCKED) RETURNING fence",
	/* a server that is paused now loses its session after 3 s */
	[ENGINE_LEASE_CHECK] = "SELECT set_config("
	    "'idle_in_transaction_session_timeout', '3000', true)"
	    " FROM lease WHERE name = ?1 AND holder = ?2"
	    " AND fence = ?3 FOR SHARE",
	[ENGINE_MARK] = "INSERT INTO mark(session, mark, at)"
	    " VALUES(?1, ?2, now()) ON CONFLICT(session) DO UPDATE"
	    " SET mark = excluded.mark, at = excluded.at",
	[ENGINE_MARKED] = "SELECT mark FROM mark WHERE session = ?1",
	[ENGINE_MARKS_TRIM] = "DELETE FROM mark"
	    " WHERE at < now() - interval '1 day'",
	[ENGINE_FIND_TAGSETS] = "SELECT u.at, t.id FROM unnest("
	    "?2::text[]) WITH ORDINALITY u(json, at) JOIN tagset t"
	    " ON t.run = ?1 AND md5(t.json) = md5(u.json)"
	    " AND t.json = u.json",
	[ENGINE_FIND_SERIES] = "SELECT u.at, s.id, " SINK_OF("s")
	    " FROM unnest(?2::text[], ?3::bigint[], ?4::bigint[])"
	    " WITH ORDINALITY u(metric, type, tagset, at)"
	    " JOIN series s ON s.run = ?1 AND s.metric = u.metric"
	    " AND s.type = u.type AND s.tagset = u.tagset",
	[ENGINE_NEW_TAGSETS] = "SELECT nextval('tagset_id_seq')"
	    " FROM generate_series(1, ?1)",
	[ENGINE_NEW_SERIES] = "SELECT nextval('series_id_seq')"
	    " FROM generate_series(1, ?1)",
	/* Places and points are read in this order, of which the last part is
	 * not asked for: to sort once more takes longer than to read. */
	[ENGINE_WALK_POINTS] = "SELECT u.at, p.* FROM unnest(?1::bigint[])"
	    " WITH ORDINALITY u(series, at) CROSS JOIN LATERAL"
	    " (SELECT second, " SINK_OF("point") " FROM point"
	    " WHERE series = u.series AND second > CASE WHEN u.at = 1"
	    " THEN ?2 ELSE CAST('-9223372036854775808' AS bigint) END"
	    " ORDER BY second) p ORDER BY u.at LIMIT ?3",
	[ENGINE_FIND_POINTS] = "SELECT u.at, " SINK_OF("p")
	    " FROM unnest(?1::bigint[], ?2::bigint[])"
	    " WITH ORDINALITY u(series, second, at) JOIN point p"
	    " ON p.series = u.series AND p.second = u.second",
	[ENGINE_DELETE_POINTS] = "DELETE FROM point p"
	    " USING unnest(?1::bigint[], ?2::bigint[]) u(series,"
	    " second) WHERE p.series = u.series"
	    " AND p.second = u.second",
	[ENGINE_UPDATE_SERIES] = "UPDATE series SET count = u.count,"
	    " nonzero = u.nonzero, sum = u.sum, min = u.min,"
	    " max = u.max, last = u.last, last_ns = u.last_ns,"
	    " hist = u.hist, exact = u.exact FROM unnest("
	    "?1::bigint[], ?2::bigint[], ?3::bigint[],"
	    " ?4::float8[], ?5::float8[], ?6::float8[], ?7::float8[],"
	    " ?8::bigint[], ?9::bytea[], ?10::bigint[])"
	    " u(id, count, nonzero, sum, min, max, last, last_ns,"
	    " hist, exact) WHERE series.id = u.id",
	[ENGINE_STEPS] = "SELECT u.at, g.* FROM unnest(?3::bigint[])"
	    " WITH ORDINALITY u(series, at)"
	    " JOIN series s ON s.id = u.series AND s.run = ?1"
	    " CROSS JOIN LATERAL (SELECT second -"
	    " (second % ?5 + ?5) % ?5,"
	    " sum(sum) FILTER (WHERE abs(sum) < 1e290),"
	    " sum(sum / 18446744073709551616)"
	    " FILTER (WHERE NOT abs(sum) < 1e290),"
	    " CAST(sum(count) AS bigint) FROM (SELECT second, sum,"
	    " count FROM point WHERE series = u.series"
	    " AND second >= ?4 ORDER BY second) p GROUP BY 1) g"
	    " WHERE EXISTS (SELECT 1 FROM run WHERE id = ?1 AND"
	    " (?2 IS NULL OR owner = '' OR owner = ?2))",
	[ENGINE_LEASE_DROP] = "UPDATE lease SET until = '-infinity'"
	    " WHERE name = ?1 AND holder = ?2",
	[ENGINE_LAST_RUN] = "SELECT CASE WHEN is_called"
	    " THEN last_value ELSE 0 END FROM run_id_seq",
	[ENGINE_RAISE_RUN] = "SELECT setval('run_id_seq', ?1)"
	    " FROM run_id_seq WHERE NOT is_called OR last_value < ?1",
	[ENGINE_RAISE_LOAD_TEST] = "SELECT setval('load_test_id_seq',"
	    " ?1) FROM load_test_id_seq"
	    " WHERE NOT is_called OR last_value < ?1",
	[ENGINE_COPY] = "SET application_name = 'k6serve copy'",
	[ENGINE_ANALYZE] = "ANALYZE point, series, tagset",
};

#else

/* A file of C must not be empty. */
extern const int engine_postgres_texts_is_left_out;

#endif
