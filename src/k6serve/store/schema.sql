-- k6serve's database. Times are nanoseconds since 1970, UTC. A database of an
-- older version gets what stands below the mark of the next one.

-- version 1

CREATE TABLE token (
	name TEXT PRIMARY KEY,
	hash BLOB NOT NULL UNIQUE,	-- SHA-256; the token itself is not kept
	created_ns INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE run (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	create_key TEXT UNIQUE,		-- idempotency key of its creation
	name TEXT NOT NULL,
	project INTEGER NOT NULL,
	vus INTEGER NOT NULL,
	planned_s INTEGER NOT NULL,
	thresholds TEXT NOT NULL,	-- JSON: metric -> [source]
	results TEXT NOT NULL,		-- JSON: metric -> {source: has failed}
	run_status INTEGER NOT NULL,
	result_status INTEGER NOT NULL,
	is_late INTEGER NOT NULL,	-- data came after a time-out
	created_ns INTEGER NOT NULL,
	seen_ns INTEGER NOT NULL,	-- when data last came in
	ended_ns INTEGER NOT NULL,	-- when it was finished; 0: not yet
	first_ns INTEGER NOT NULL,	-- no sample is earlier; 0: no sample
	last_ns INTEGER NOT NULL,	-- none is later
	step_s INTEGER NOT NULL,	-- longest aggregation period, 1 or more
	requests INTEGER NOT NULL,	-- of the books
	points INTEGER NOT NULL,
	version INTEGER NOT NULL	-- goes up with each change
);

-- Batches that are stored: a repeated one has no second effect.
CREATE TABLE batch (
	run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	key TEXT NOT NULL,
	digest BLOB NOT NULL,
	PRIMARY KEY (run, key)
) WITHOUT ROWID;

CREATE TABLE tagset (
	id INTEGER PRIMARY KEY,
	run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	json TEXT NOT NULL,
	UNIQUE (run, json)
);

-- A metric with one tag set, or (tagset 0) with all of them together, and
-- the sum of its values over the whole run.
CREATE TABLE series (
	id INTEGER PRIMARY KEY,
	run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	metric TEXT NOT NULL,
	type INTEGER NOT NULL,
	tagset INTEGER NOT NULL,
	count INTEGER NOT NULL,
	nonzero INTEGER NOT NULL,
	sum REAL NOT NULL,
	min REAL NOT NULL,
	max REAL NOT NULL,
	last REAL NOT NULL,
	last_ns INTEGER NOT NULL,
	hist BLOB,
	UNIQUE (run, metric, tagset, type)
);
CREATE INDEX whole ON series (run, metric) WHERE tagset = 0;

-- The same for each second that has values.
CREATE TABLE point (
	series INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
	second INTEGER NOT NULL,
	count INTEGER NOT NULL,
	nonzero INTEGER NOT NULL,
	sum REAL NOT NULL,
	min REAL NOT NULL,
	max REAL NOT NULL,
	last REAL NOT NULL,
	last_ns INTEGER NOT NULL,
	hist BLOB,
	PRIMARY KEY (series, second)
) WITHOUT ROWID;

-- version 2
ALTER TABLE run ADD COLUMN note TEXT NOT NULL DEFAULT '';
-- User-Agent of the call that made it
ALTER TABLE run ADD COLUMN agent TEXT NOT NULL DEFAULT '';

-- The slowest requests of a run.
CREATE TABLE slow (
	id INTEGER PRIMARY KEY,
	run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	time_ns INTEGER NOT NULL,
	duration_ns INTEGER NOT NULL,
	blocked_ns INTEGER NOT NULL,
	connecting_ns INTEGER NOT NULL,
	tls_handshaking_ns INTEGER NOT NULL,
	sending_ns INTEGER NOT NULL,
	waiting_ns INTEGER NOT NULL,
	receiving_ns INTEGER NOT NULL,
	failed INTEGER NOT NULL,	-- 0, 1; -1: not told
	tags TEXT NOT NULL		-- JSON
);
CREATE INDEX slowest ON slow (run, duration_ns);

-- version 3
-- The owner of a token, and of each run that was made with it. A run of '' was
-- made without a token, and is everybody's.
ALTER TABLE token ADD COLUMN owner TEXT NOT NULL DEFAULT '';
UPDATE token SET owner = name;
ALTER TABLE run ADD COLUMN owner TEXT NOT NULL DEFAULT '';
CREATE INDEX open ON run (seen_ns) WHERE run_status = 2;

-- version 4

-- The pushers of a run, and the state that each one reported last.
CREATE TABLE instance (
	run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	run_status INTEGER NOT NULL,	-- 2: it has not told its end
	result_status INTEGER NOT NULL,
	results TEXT NOT NULL,		-- JSON: metric -> {source: has failed}
	seen_ns INTEGER NOT NULL,
	PRIMARY KEY (run, name)
) WITHOUT ROWID;

-- version 5

-- What k6's newer API calls a load test: a name in a project, of which runs
-- are started.
CREATE TABLE load_test (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	owner TEXT NOT NULL,
	project INTEGER NOT NULL,
	name TEXT NOT NULL,
	created_ns INTEGER NOT NULL,
	UNIQUE (project, name, owner)
);

-- The run of such a start, and the token that feeds and ends it alone.
CREATE TABLE started (
	run INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,
	load_test INTEGER NOT NULL REFERENCES load_test(id),
	hash BLOB NOT NULL	-- SHA-256; the token itself is not kept
);

-- version 6

-- The sum in millionths, where its double does not tell it exactly.
ALTER TABLE series ADD COLUMN exact INTEGER;
ALTER TABLE point ADD COLUMN exact INTEGER;

-- version 7

-- When the run was, as its sender told; 0: it did not.
ALTER TABLE run ADD COLUMN start_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN end_ns INTEGER NOT NULL DEFAULT 0;
-- The first sample is not later, the last one not earlier than that: first_ns
-- and last_ns are the outer ends of buckets.
ALTER TABLE run ADD COLUMN inner_first_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN inner_last_ns INTEGER NOT NULL DEFAULT 0;
UPDATE run SET inner_first_ns = first_ns, inner_last_ns = last_ns;

-- version 8

-- 1: the run's thresholds are judged here, over all that feed it; else what is
-- judged here is a second opinion.
ALTER TABLE run ADD COLUMN is_judged INTEGER NOT NULL DEFAULT 0;
-- How many will feed it, as the call told that made it; 0: it did not.
ALTER TABLE run ADD COLUMN instances INTEGER NOT NULL DEFAULT 0;
-- The run's version when its thresholds were judged last.
ALTER TABLE run ADD COLUMN judged_version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX unjudged ON run (id)
	WHERE thresholds != '{}' AND judged_version < version;

-- What each threshold came to, as judged here.
CREATE TABLE verdict (
	run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	metric TEXT NOT NULL,
	source TEXT NOT NULL,
	value REAL,			-- NULL: not known
	failed INTEGER,			-- likewise
	crossed_ns INTEGER NOT NULL,	-- of the data; 0: never
	PRIMARY KEY (run, metric, source)
) WITHOUT ROWID;

-- version 9

-- Runs whose end is to be told by --on-finish, until it was.
CREATE TABLE hook (
	run INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,
	id TEXT NOT NULL,	-- of the delivery
	told INTEGER NOT NULL	-- the run_status that was told; 0: none
);

-- version 10

-- Which database this is, in one row: the number of a run is one of it, and may
-- be that of another run in another.
CREATE TABLE identity (
	id TEXT NOT NULL	-- random, hexadecimal
);
INSERT INTO identity VALUES (lower(hex(randomblob(16))));

-- version 11

-- How many seconds a point of the run stands for, at most, since it was rolled
-- up.
ALTER TABLE run ADD COLUMN point_s INTEGER NOT NULL DEFAULT 1;

-- version 12

-- 1: what other runs of its name and owner are compared with.
ALTER TABLE run ADD COLUMN is_baseline INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX baseline ON run (name, owner) WHERE is_baseline = 1;

-- version 13

-- The columns are the same. A last_ns of a point that is less than an hour is
-- counted from the point's second on, past 02:00 of 1970; a hist that is not
-- NULL and has no bytes has all values in the bucket of min.

-- version 14

-- Points of seconds before these stand for 10 s, and for 60 s; 0: none does.
-- What comes later for such a second is added there.
ALTER TABLE run ADD COLUMN tens_to INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN minutes_to INTEGER NOT NULL DEFAULT 0;
-- From one second to before another the points are being joined, series by
-- series; both 0: none are.
ALTER TABLE run ADD COLUMN roll_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN roll_to INTEGER NOT NULL DEFAULT 0;
UPDATE run SET tens_to = (last_ns / 60000000000 + 1) * 60 WHERE point_s >= 10;
UPDATE run SET minutes_to = tens_to WHERE point_s >= 60;
ALTER TABLE run DROP COLUMN point_s;

-- version 15

-- The push that sent the batch, by the id of its instance, and the requests in
-- it; '': it did not say, as all did before this version.
ALTER TABLE batch ADD COLUMN push TEXT NOT NULL DEFAULT '';
ALTER TABLE batch ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;
