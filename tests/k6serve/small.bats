#!/usr/bin/env bats
# shellcheck disable=SC2154 # url, err come from the helpers
# Small numbers: shares, seconds and the like have percentiles as good as those
# of response times.

load ../helpers

teardown() { stop_server || true; }

# small: Metric line and 300 points of a trend, of 0.01 to 0.3, most of them
# small, with two tag sets.
small() {
  python3 - <<'END'
print('{"type":"Metric","data":{"name":"shift","type":"trend","contains":'
      '"default","thresholds":["p(95)<0.2"],"submetrics":null},'
      '"metric":"shift"}')
for i in range(300):
    value = 0.01 + 0.29 * ((i * 7919 % 300) / 299) ** 3
    print('{"metric":"shift","type":"Point","data":{"time":'
          f'"2026-01-01T00:00:{i // 30:02d}.{i % 30:03d}Z","value":{value!r},'
          f'"tags":{{"page":"{"ab"[i % 2]}"}}}}}}')
END
}

@test "percentiles of values of 0.01 to 0.3 are within 0.8 % by protocol 1" {
  start_server
  small >"$BATS_TEST_TMPDIR/in"
  k6agg -p 3s "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/folded"
  for file in in folded; do
    K6_CLOUD_API_VERSION=1 run -99 k6push -q "$BATS_TEST_TMPDIR/$file"
    run=$(api runs '.[0].id')
    api "runs/$run/metrics" '.[] | select(.metric == "shift")' \
      >"$BATS_TEST_TMPDIR/shown"
    python3 - "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/shown" <<'END'
import json, sys
values = sorted(json.loads(line)["data"]["value"] for line in open(sys.argv[1])
                if '"Point"' in line)
shown = json.load(open(sys.argv[2]))
for name, p in (("p50", .5), ("p90", .9), ("p95", .95), ("p99", .99)):
    place = p * (len(values) - 1)
    low, high = values[int(place)], values[min(int(place) + 1, 299)]
    exact = low + (high - low) * (place % 1)
    print(name, exact, shown[name])
    assert abs(shown[name] - exact) <= 0.008 * exact
END
    # The server judges it as it is.
    [ "$(api "runs/$run" '.thresholds[0].failed')" = true ]
  done
}
