#!/usr/bin/env python3
"""mutate.py: break lines of logic at random, one at a time, and see whether a
test fails. A mutant that lives wants a test, or is the same program.

    tests/tools/mutate.py [--seed N] [--n N] [--units] [FILE-OR-FOLDER...]

Works in a copy of what git tracks, below build/mutate; without operands all of
lib/ and src/. Each mutant is built, then the unit tests of its module run, and
if they pass the bats files of its folder (--units: not these). At the end
those that killed one must pass on the tree as it is. Exit status 1 if a mutant
lives.
"""
import argparse
import glob
import os
import random
import re
import shutil
import subprocess
import sys

# Which bats files run the code of a folder, or of the files that begin so; the
# longest beginning counts.
BATS = {
    'lib/base': 'contract k6agg/packed',
    'lib/base/opt': 'contract',
    'lib/base/total': 'k6agg/merge k6agg/summary',
    'lib/data': 'k6agg/k6agg k6agg/merge k6push/protocol2',
    'lib/data/compare': 'k6agg/diff k6serve/diff',
    'lib/data/course': 'k6agg/diff k6serve/diff',
    'lib/data/evidence': 'k6agg/diff k6serve/diff',
    'lib/data/foreign': 'k6agg/foreign',
    'lib/data/judge': 'k6agg/gate k6push/thresholds k6serve/verdict',
    'lib/data/measure': 'k6agg/diff k6serve/diff',
    'lib/data/native': 'k6push/rw',
    'lib/data/remote': 'k6push/rw',
    'lib/data/settings': 'contract k6push/k6push',
    'lib/data/threshold': 'k6agg/gate k6gen/results k6push/thresholds',
    'lib/io': 'k6login/k6login k6push/k6push k6agg/packed',
    'lib/io/snap': 'k6push/rw',
    'src/k6agg': 'k6agg/k6agg k6agg/merge k6agg/live',
    'src/k6agg/diff': 'k6agg/diff',
    'src/k6agg/select': 'k6agg/select',
    'src/k6agg/summary': 'k6agg/summary k6agg/gate',
    'src/k6gen': 'k6gen/k6gen k6gen/load k6gen/results',
    'src/k6gen/http': 'k6gen/k6gen k6gen/requests k6gen/http2 '
                      'k6gen/conformance',
    'src/k6gen/options': 'k6gen/load k6gen/results k6gen/requests',
    'src/k6gen/report': 'k6gen/results',
    'src/k6gen/targets': 'k6gen/requests',
    'src/k6login': 'k6login/k6login',
    'src/k6push': 'k6push/k6push k6push/journal k6push/shared k6push/lost',
    'src/k6push/halved': 'k6push/lost k6push/journal',
    'src/k6push/journal': 'k6push/journal k6push/lost k6push/rw',
    'src/k6push/read/re': 'k6push/k6push k6push/rw k6push/journal',
    'src/k6push/read/running': 'k6push/rw',
    'src/k6push/remote': 'k6push/rw',
    'src/k6push/send/outcome_remote': 'k6push/rw',
    'src/k6push/send/receiver': 'k6push/rw',
    'src/k6push/verify': 'k6push/rw',
    'src/k6push/wire': 'k6push/k6push k6push/protocol2 k6push/rw',
    'src/k6serve': 'k6serve/k6serve k6serve/access k6serve/provision',
    'src/k6serve/copy': 'k6serve/copy',
    'src/k6serve/hook': 'k6serve/hook',
    'src/k6serve/http': 'k6serve/k6serve k6serve/setup k6serve/heads '
                        'k6serve/limits k6serve/metrics',
    'src/k6serve/ingest': 'k6serve/k6serve k6serve/provision k6serve/wire',
    'src/k6serve/ingest/told': 'k6serve/verdict',
    'src/k6serve/ingest/verdicts': 'k6serve/verdict',
    'src/k6serve/judge': 'k6serve/verdict',
    'src/k6serve/store': 'k6serve/k6serve k6serve/access k6serve/provision '
                         'k6serve/limits',
    'src/k6serve/store/engine_postgres': 'k6serve/postgres k6serve/lease',
    'src/k6serve/store/store_bulk': 'k6serve/postgres',
    'src/k6serve/store/store_copy': 'k6serve/copy',
    'src/k6serve/store/store_hook': 'k6serve/hook',
    'src/k6serve/store/store_load.': 'k6serve/postgres k6serve/roll_up',
    'src/k6serve/store/store_numbers': 'k6serve/postgres k6serve/copy',
    'src/k6serve/store/store_roll': 'k6serve/roll_up',
    'src/k6serve/store/store_rows': 'k6serve/copy',
    'src/k6serve/store/store_verdict': 'k6serve/verdict',
    'src/k6serve/view': 'k6serve/report k6serve/api k6serve/diff',
    'src/k6serve/view/runs': 'k6serve/api k6serve/verdict k6serve/k6serve',
}

# Pattern, and what stands there instead. One place of one line is changed.
CHANGES = [
    (r' == ', ' != '), (r' != ', ' == '), (r' <= ', ' < '), (r' >= ', ' > '),
    (r' < ', ' <= '), (r' > ', ' >= '), (r' && ', ' || '), (r' \|\| ', ' && '),
    (r' \+ ', ' - '), (r' - ', ' + '), (r' \* ', ' + '), (r' / ', ' * '),
    (r' % ', ' / '), (r' << ', ' >> '), (r' >> ', ' << '), (r' \+= ', ' -= '),
    (r' -= ', ' += '), (r'\+\+', '--'), (r'--', '++'), (r' & ', ' | '),
    (r'\btrue\b', 'false'), (r'\bfalse\b', 'true'),
    (r'\b(if|while) \((?=.*\)( \{)?$)', r'\1 (!'),
    (r'(?<![\w."])(\d+)(?![\w."x])', lambda m: str(int(m[1]) + 1)),
    (r'\breturn -1;', 'return 0;'), (r'\bbreak;', ';'), (r'\bcontinue;', ';'),
]
STATEMENT = re.compile(r'^\t+(\w[\w>.\-\[\]]* ([|+\-&]?=) .*|\w+\(.*\)|'
                       r'\(void\)\w+\(.*\)|[\w>.\-]+(\+\+|--));$')


def candidates(path):
    """All mutants of a file as (line number, old, new)."""
    found, in_comment, in_body = [], False, False
    with open(path, encoding='utf-8') as f:
        lines = f.read().split('\n')
    for number, line in enumerate(lines):
        if line == '{':
            in_body = True
        elif line == '}':
            in_body = False
        text = line.split('/*')[0].rstrip()
        if in_comment:
            in_comment = '*/' not in line
            continue
        in_comment = '/*' in line and '*/' not in line
        if not in_body or not text.startswith('\t') or text.endswith('\\'):
            continue
        strings = [m.span() for m in re.finditer(r'"(\\.|[^"\\])*"', text)]
        for pattern, new in CHANGES:
            for m in re.finditer(pattern, text):
                if any(a <= m.start() < b for a, b in strings):
                    continue
                changed = text[:m.start()] + re.sub(
                    pattern, new, text[m.start():], count=1)
                if '(!' in changed and m[0].startswith(('if', 'while')):
                    # if (!(...)): the last parenthesis of the line closes it.
                    at = changed.rindex(')')
                    changed = changed[:at] + '))' + changed[at + 1:]
                    changed = changed.replace('(!', '(!(', 1)
                found.append((number, text, changed))
        before = lines[number - 1].rstrip()
        if STATEMENT.match(text) and before[-1:] in '{};':
            found.append((number, text, re.sub(r'\S.*', ';', text)))
    return found


def run(words, seconds, **env):
    """True if a command ends with status 0 in time."""
    p = subprocess.Popen(words, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, env={**os.environ, **env},
                         start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        p.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, 9)
        p.communicate()
        return False
    return p.returncode == 0


def units_of(path):
    """The unit tests of the module that a file is a part of: those whose names
    begin with the same word."""
    folder, stem = os.path.split(path[:-2])
    start = f'tests/unit/{folder.split("/")[1]}/test_{stem.split("_")[0]}'
    return ['build/' + t[len('tests/'):-2] for t in
            sorted(glob.glob(start + '.c') + glob.glob(start + '_*.c'))]


def bats_of(path):
    best = max((p for p in BATS if path.startswith(p)), key=len)
    return [f'tests/{stem}.bats' for stem in BATS[best].split()]


def run_bats(f):
    return run(['bats', f], 1200, K6PIPE_BIN=os.path.abspath('bin'))


def check_judges(files):
    """Each bats file that called a mutant killed passes without one."""
    run(['make', '-s', 'all'], 900)
    bad = [f for f in files if not run_bats(f)]
    for f in bad:
        print(f'{f} fails without a break: what it killed does not count')
    return bad


def verdict(path, units_only):
    units = units_of(path)
    for unit in units:
        if not run(['make', '-s', unit], 600):
            return 'does not build'
        if not run([unit], 60):
            return f'killed by {unit}'
    if units_only and units:
        return 'ALIVE'
    if not run(['make', '-s', 'all'], 900):
        return 'does not build'
    for f in bats_of(path):
        if not run_bats(f):
            return f'killed by {f}'
    return 'ALIVE'


def main():
    a = argparse.ArgumentParser()
    a.add_argument('--seed', type=int,
                   default=random.SystemRandom().randrange(1 << 32))
    a.add_argument('--n', type=int, default=30)
    a.add_argument('--units', action='store_true')
    a.add_argument('paths', nargs='*')
    o = a.parse_args()
    tracked = subprocess.check_output(['git', 'ls-files'], text=True).split()
    copy = 'build/mutate'
    for f in tracked:
        os.makedirs(os.path.join(copy, os.path.dirname(f)), exist_ok=True)
        shutil.copy2(f, os.path.join(copy, f))
    os.chdir(copy)
    wanted = tuple(o.paths) or ('lib', 'src')
    files = [f for f in tracked if f.endswith('.c') and
             f.startswith(('lib/', 'src/')) and f.startswith(wanted) and
             (not o.units or units_of(f))]
    pool = [(f, *c) for f in files for c in candidates(f)]
    print(f'seed {o.seed}: {o.n} of {len(pool)} mutants', flush=True)
    if not run(['make', '-s', 'all', 'unit-build'], 1800):
        sys.exit('the tree does not build')
    rng, made, alive, judges = random.Random(o.seed), 0, 0, set()
    while made < o.n and pool:
        path, number, old, new = pool.pop(rng.randrange(len(pool)))
        with open(path, encoding='utf-8') as f:
            whole = f.read()
        lines = whole.split('\n')
        lines[number] = lines[number].replace(old, new, 1)
        with open(path, 'w', encoding='utf-8') as f:
            f.write('\n'.join(lines))
        said = verdict(path, o.units)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(whole)
        if said == 'does not build':
            continue
        made += 1
        alive += said == 'ALIVE'
        if said.endswith('.bats'):
            judges.add(said.split()[-1])
        print(f'{path}:{number + 1}: {said}\n- {old.strip()}\n+ '
              f'{new.strip() or ";"}', flush=True)
    bad = check_judges(sorted(judges))
    print(f'killed {made - alive} of {made} (seed {o.seed})')
    sys.exit(alive > 0 or bool(bad))


if __name__ == '__main__':
    main()
