"""stored.py DB [RUN]: what a run's requests came to, from the database.

Prints "COUNT SUM" of http_req_duration over all runs or one of them.
"""
import sqlite3
import sys

db = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True, timeout=120)
where = " AND run = %d" % int(sys.argv[2]) if len(sys.argv) > 2 else ""
count, total = db.execute(
    "SELECT coalesce(sum(count), 0), coalesce(sum(sum), 0) FROM series"
    " WHERE metric = 'http_req_duration' AND tagset = 0" + where).fetchone()
print(count, round(total))
