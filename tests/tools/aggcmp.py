"""aggcmp.py OLD NEW INPUT...: what two builds of k6agg write differently.

Runs both programs on each INPUT (a file, or a folder and all files below it)
with each of SETTINGS, and compares standard output, standard error and the
exit status byte for byte, but for the time of an End line if it is that of the
machine, as no point had one. Two differences are counted, not shown: an End line
that has what was dropped, and a number whose last digit differs (a sum that
the older one added up as doubles). Exits 1 if anything else differs.
"""
import json
import os
import re
import subprocess
import sys
import time

SETTINGS = [
    [],
    ["--strict"],
    ["-p", "3s"],
    ["-p", "1s", "-w", "0s"],
    ["-p", "3s", "-w", "24h"],
    ["-p", "3s", "--min-samples", "1"],
    ["-p", "3s", "--min-samples", "5", "--calc-interval", "100ms"],
    ["-p", "10s", "--skip-outlier-detection", "--min-samples", "1"],
    ["-p", "3s", "--min-samples", "2", "--algo-threshold", "3"],
    ["-p", "3s", "--min-samples", "2", "--iqr-radius", "0.4",
     "--iqr-coef-lower", "0", "--iqr-coef-upper", "0"],
    ["-p", "3s", "--max-series", "2"],
    ["-p", "3s", "--strict"],
    ["-m"],
    ["-m", "-p", "3s", "--min-samples", "5"],
    ["--summary"],
    ["--json"],
    ["--json", "-p", "3s"],
    ["--json", "--max-series", "3"],
    ["--keep", "http_req*"],
    ["--drop", "vus", "--drop", "http_req_blocked"],
    ["--drop", "status=404"],
    ["--drop-tag", "url", "--group", "s/[0-9]+/N/g"],
    ["-p", "3s", "--min-samples", "5", "--drop", "http_reqs"],
    ["-p", "3s", "--min-samples", "5", "--drop", "status=200"],
    ["-p", "3s", "--min-samples", "5", "--group", "s/[0-9]+/N/g",
     "--drop-tag", "url"],
    ["-m", "-p", "3s", "--min-samples", "5", "--keep", "http_req*"],
    ["--json", "--keep", "status=200"],
]


def files_of(names):
    for name in names:
        if not os.path.isdir(name):
            yield name
        for folder, _, files in sorted(os.walk(name)):
            for file in sorted(files):
                if ".ndjson" in file or file.endswith((".json", ".json.gz")):
                    yield os.path.join(folder, file)


def run(program, words):
    done = subprocess.run([program] + words, stdin=subprocess.DEVNULL,
                          capture_output=True, check=False)
    now = time.strftime('{"type":"End","data":{"time":"%Y-%m-%dT', time.gmtime())
    text = re.sub(re.escape(now.encode()) + b'[^"]*"', b'{"type":"End"',
                  done.stdout)
    return text.splitlines(True), done.stderr, done.returncode


def is_end_with_dropped(line):
    return line.startswith(b'{"type":"End"') and b'"dropped":' in line


def is_near(a, b):
    """Equal, but for the last digit of numbers."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(is_near(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(is_near, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-12 * max(abs(a), abs(b))
    return a == b


def is_rounded(old, new):
    try:
        return is_near(json.loads(old, parse_int=float),
                       json.loads(new, parse_int=float))
    except ValueError:
        return False


def compare(old, new, words, counts):
    """What differs, as text, or None."""
    (a, a_err, a_status), (b, b_err, b_status) = (run(old, words),
                                                 run(new, words))
    counts["runs"] += 1
    if (a_err, a_status) != (b_err, b_status):
        return "status %d, %d\n%s%s" % (a_status, b_status,
                                        a_err.decode(errors="replace"),
                                        b_err.decode(errors="replace"))
    if a == b:
        return None
    # End lines that one of them has alone, or has otherwise.
    for i, line in enumerate(b):
        if is_end_with_dropped(line) and (i >= len(a) or a[i] != line):
            counts["End lines with dropped"] += 1
            if i < len(a) and a[i].startswith(b'{"type":"End"'):
                a[i] = line
            else:
                a.insert(i, line)
    if len(a) != len(b):
        return "%d lines, %d lines" % (len(a), len(b))
    for i, (x, y) in enumerate(zip(a, b)):
        if x == y:
            continue
        if not is_rounded(x, y):
            return "line %d\n- %.400r\n+ %.400r" % (i + 1, x, y)
        counts["lines with a rounded number"] += 1
    return None


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    old, new = sys.argv[1:3]
    counts = dict.fromkeys(("runs", "End lines with dropped",
                            "lines with a rounded number", "different"), 0)
    for file in files_of(sys.argv[3:]):
        for setting in SETTINGS:
            words = setting + [file]
            what = compare(old, new, words, counts)
            if what is not None:
                counts["different"] += 1
                print("k6agg %s: %s" % (" ".join(words), what))
    print(", ".join("%s: %d" % item for item in counts.items()))
    sys.exit(counts["different"] > 0 or counts["runs"] == 0)


main()
