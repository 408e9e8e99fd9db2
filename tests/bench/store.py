#!/usr/bin/env python3
"""store.py FILE BODY...: what one would write in an afternoon: each gzip body
of samples of protocol 1 is unpacked, read, and its samples stored as rows of a
SQLite file, one transaction for each body."""
import gzip, json, sqlite3, sys

db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA journal_mode = WAL")
db.execute("CREATE TABLE sample(time, metric, tags, value)")


def rows(sample):
    data = sample["data"]
    tags = json.dumps(data.get("tags", {}))
    for name, value in data.get("values", {
            sample["metric"]: data.get("value")}).items():
        if isinstance(value, dict):
            value = value.get("avg", value.get("count"))
        yield int(data["time"]), name, tags, value


for path in sys.argv[2:]:
    with gzip.open(path) as f:
        for sample in json.load(f):
            db.executemany("INSERT INTO sample VALUES(?,?,?,?)", rows(sample))
    db.commit()
