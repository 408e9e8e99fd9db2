#!/usr/bin/env python3
"""mutate.py: break lines of logic at random, one at a time, and see whether a
test fails. A mutant that lives wants a test, or is the same program.

    tests/tools/mutate.py [--seed N] [--n N] [--units] [FILE-OR-FOLDER...]

Works in a copy of what git tracks, below build/mutate; without operands all of
lib/ and src/. Each mutant is built, then the unit test of its module runs, and
if that passes the bats files of its folder (--units: not these). Exit status 1
if one lives.
"""
import argparse
import os
import random
import re
import shutil
import subprocess
import sys

# Which bats files run a folder's code; the longest prefix counts.
BATS = {
    'lib/base': ['tests/contract.bats', 'tests/k6agg/packed.bats'],
    'lib/data': ['tests/k6agg/k6agg.bats', 'tests/k6agg/merge.bats',
                 'tests/k6push/protocol2.bats'],
    'lib/io': ['tests/k6login/k6login.bats', 'tests/k6push/k6push.bats',
               'tests/k6agg/packed.bats'],
    'src/k6agg': ['tests/k6agg/k6agg.bats', 'tests/k6agg/merge.bats'],
    'src/k6agg/select': ['tests/k6agg/select.bats'],
    'src/k6agg/summary': ['tests/k6agg/summary.bats'],
    'src/k6gen': ['tests/k6gen/k6gen.bats', 'tests/k6gen/load.bats'],
    'src/k6gen/http': ['tests/k6gen/k6gen.bats', 'tests/k6gen/requests.bats'],
    'src/k6gen/options': ['tests/k6gen/load.bats', 'tests/k6gen/results.bats'],
    'src/k6gen/report': ['tests/k6gen/results.bats'],
    'src/k6gen/targets': ['tests/k6gen/requests.bats'],
    'src/k6login': ['tests/k6login/k6login.bats'],
    'src/k6push': ['tests/k6push/k6push.bats', 'tests/k6push/journal.bats',
                   'tests/k6push/shared.bats'],
    'src/k6push/wire': ['tests/k6push/k6push.bats',
                        'tests/k6push/protocol2.bats'],
    'src/k6serve': ['tests/k6serve/k6serve.bats', 'tests/k6serve/access.bats',
                    'tests/k6serve/provision.bats'],
    'src/k6serve/http': ['tests/k6serve/k6serve.bats',
                         'tests/k6serve/setup.bats'],
    'src/k6serve/view': ['tests/k6serve/report.bats'],
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


def unit_of(path):
    """The unit test of a file or of the module that it is a part of."""
    folder, stem = os.path.split(path[:-2])
    top = folder.split('/')[1]
    while stem:
        test = f'unit/{top}/test_{stem}'
        if os.path.exists(f'tests/{test}.c'):
            return f'build/{test}'
        stem = stem.rpartition('_')[0]
    return None


def bats_of(path):
    best = max((p for p in BATS if path.startswith(p + '/')), key=len)
    return [f for f in BATS[best] if os.path.exists(f)]


def verdict(path, units_only):
    unit = unit_of(path)
    if unit:
        if not run(['make', '-s', unit], 600):
            return 'does not build'
        if not run([unit], 60):
            return f'killed by {unit}'
    if units_only and unit:
        return 'ALIVE'
    if not run(['make', '-s', 'all'], 900):
        return 'does not build'
    for f in bats_of(path):
        if not run(['bats', f], 1200, K6PIPE_BIN=os.path.abspath('bin')):
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
             (not o.units or unit_of(f))]
    pool = [(f, *c) for f in files for c in candidates(f)]
    print(f'seed {o.seed}: {o.n} of {len(pool)} mutants', flush=True)
    if not run(['make', '-s', 'all', 'unit-build'], 1800):
        sys.exit('the tree does not build')
    rng, made, alive = random.Random(o.seed), 0, 0
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
        print(f'{path}:{number + 1}: {said}\n- {old.strip()}\n+ '
              f'{new.strip() or ";"}', flush=True)
    print(f'killed {made - alive} of {made} (seed {o.seed})')
    sys.exit(alive > 0)


if __name__ == '__main__':
    main()
