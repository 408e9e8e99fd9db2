#!/bin/bash
# bench.sh [NAME...]: the benchmarks of tests/bench, all or those named.
set -euo pipefail
cd "$(dirname "$0")/bench"
if [ $# -eq 0 ]; then
  for script in [!m]*.sh; do set -- "$@" "${script%.sh}"; done
fi
for name; do
  bash "$name.sh"
  echo
done
