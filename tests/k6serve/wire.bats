#!/usr/bin/env bats
# shellcheck disable=SC2154 # code and url come from the helpers
# What real k6 sent, case by case, is stored to the last sample, once. A case by
# itself: bats wire.bats -f v1_timeout.

load ../helpers
load serve

# One server for all: each case is a run of its own.
setup_file() {
  BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR start_server
  export url server
}

teardown_file() {
  kill "$server"
}

# stored CASE REQUESTS POINTS STATE: that is what the run has in the end. Whose
# numbers these are: the requests are those that k6 counted itself (of k6_*:
# in its JSON output, else in what it sent, each key once), and where nothing
# was refused, so are the points of protocol 1.
stored() {
  local result
  read -r run sent < <(python3 "$tools/replay.py" "$url" \
    "$fixtures"/wire*/"$1"/transcript*.json)
  echo "run $run, $sent requests sent"
  [ "$(api "runs/$run" '"\(.totals.http_reqs) \(.points) \(.state)"')" = \
    "$2 $3 $4" ]
  [[ $1 == k6_* ]] || [ "${sent%.0}" = "$2" ]
  result=$(echo "$fixtures"/wire*/"$1"/result.json)
  jq -e --arg case "$1" --argjson reqs "$2" --argjson points "$3" '
    .http_reqs_generated == null or
    .http_reqs_generated != .http_reqs_accepted or
    (.http_reqs_generated == $reqs and
      (($case | startswith("v1_") | not) or .samples_accepted == $points))' \
    "$result"
}

@test "v1_400_create_fields" { stored v1_400_create_fields 0 0 Running; }
@test "v1_401_json_create" { stored v1_401_json_create 0 0 Running; }
@test "v1_401_json_metrics" { stored v1_401_json_metrics 558 7543 Finished; }
@test "v1_401_nojson_create" { stored v1_401_nojson_create 0 0 Running; }
@test "v1_401_nojson_metrics" { stored v1_401_nojson_metrics 552 7462 Finished; }
@test "v1_403_4" { stored v1_403_4 218 2933 Finished; }
@test "v1_403_4_stop" { stored v1_403_4_stop 222 2987 'Aborted by System'; }
@test "v1_403_nojson_create" { stored v1_403_nojson_create 0 0 Running; }
@test "v1_403_other" { stored v1_403_other 564 7624 Finished; }
@test "v1_429x3" { stored v1_429x3 564 7624 Finished; }
@test "v1_500_create" { stored v1_500_create 0 0 Running; }
@test "v1_500forever" { stored v1_500forever 570 7705 Finished; }
@test "v1_500x2" { stored v1_500x2 570 7705 Finished; }
@test "v1_500x3" { stored v1_500x3 566 7651 Finished; }
@test "v1_create_500x2" { stored v1_create_500x2 576 7786 Finished; }
@test "v1_create_no_ref" { stored v1_create_no_ref 0 0 Running; }
@test "v1_down10" { stored v1_down10 798 10801 Finished; }
@test "v1_down10_agg" { stored v1_down10_agg 1336 15616 Finished; }
@test "v1_down_until_end" { stored v1_down_until_end 120 1608 Running; }
@test "v1_env_only_version" { stored v1_env_only_version 572 7732 Finished; }
@test "v1_finish_500" { stored v1_finish_500 576 7786 Finished; }
@test "v1_host_trailing_slash" { stored v1_host_trailing_slash 582 7867 Finished; }
@test "v1_metadata_tags" { stored v1_metadata_tags 3691 38812 Finished; }
@test "v1_no_token" { stored v1_no_token 576 7786 Finished; }
@test "v1_noagg" { stored v1_noagg 582 7867 Finished; }
@test "v1_nocompress" { stored v1_nocompress 570 7705 Finished; }
@test "v1_override" { stored v1_override 1128 15248 Finished; }
@test "v1_override_urls" { stored v1_override_urls 572 7732 Finished; }
@test "v1_override_webapp" { stored v1_override_webapp 576 7786 Finished; }
@test "v1_pushrefid" { stored v1_pushrefid 576 7786 Running; }
@test "v1_scriptabort" { stored v1_scriptabort 116 1558 'Aborted by User'; }
@test "v1_sigint" { stored v1_sigint 102 1371 'Aborted by User'; }
@test "v1_sigterm" { stored v1_sigterm 84 1128 'Aborted by User'; }
@test "v1_slow2s" { stored v1_slow2s 564 7624 Finished; }
@test "v1_thresholdabort" { stored v1_thresholdabort 234 3157 'Aborted by Threshold'; }
@test "v1_thresholds" { stored v1_thresholds 348 4704 Finished; }
@test "v1_timeout" { stored v1_timeout 574 7759 Finished; }
@test "v1_url_details_env" { stored v1_url_details_env 576 7786 Finished; }
@test "v1_url_trailing_slash" { stored v1_url_trailing_slash 578 7813 Running; }
@test "v1_url_webapp_empty" { stored v1_url_webapp_empty 576 7786 Finished; }
@test "v2" { stored v2 1134 11957 Finished; }
@test "v2_401_json_metrics" { stored v2_401_json_metrics 582 6157 Finished; }
@test "v2_401_nojson_metrics" { stored v2_401_nojson_metrics 582 6157 Finished; }
@test "v2_403_4" { stored v2_403_4 190 2007 Finished; }
@test "v2_403_4_stop" { stored v2_403_4_stop 204 2153 'Aborted by System'; }
@test "v2_429x3" { stored v2_429x3 586 6199 Finished; }
@test "v2_500x2" { stored v2_500x2 568 5986 Finished; }
@test "v2_500x3" { stored v2_500x3 564 5968 Finished; }
@test "v2_batch5_500x3" { stored v2_batch5_500x3 6 25 Finished; }
@test "v2_down10" { stored v2_down10 696 7362 Finished; }
@test "v2_down10_defaults" { stored v2_down10_defaults 1675 17652 Finished; }
@test "v2_nocompress" { stored v2_nocompress 570 6007 Finished; }
@test "v2_override_token" { stored v2_override_token 580 6118 Finished; }
@test "v2_pushrefid" { stored v2_pushrefid 560 5902 Running; }
@test "v2_short" { stored v2_short 570 6007 Finished; }
@test "v2_sigint" { stored v2_sigint 394 4152 'Aborted by User'; }
@test "v2_subsecond_period" { stored v2_subsecond_period 0 0 Running; }
@test "v2_thresholds" { stored v2_thresholds 338 3567 Finished; }
@test "v2_timeout" { stored v2_timeout 582 6157 Finished; }
@test "k6_0.48_v1_setup" { stored k6_0.48_v1_setup 24 329 Finished; }
@test "k6_1.7.1_cloud_thresholds_fail" { stored k6_1.7.1_cloud_thresholds_fail 400 3814 Finished; }
@test "k6_2.2_cloud_browser" { stored k6_2.2_cloud_browser 0 42 Finished; }
@test "k6_2.2_cloud_setup_metadata" { stored k6_2.2_cloud_setup_metadata 24 228 Finished; }
@test "k6_2.2_cloud_setup_throws" { stored k6_2.2_cloud_setup_throws 1 11 'Aborted by Script Error'; }
@test "k6_2.2_cloud_setup_timeout" { stored k6_2.2_cloud_setup_timeout 1 13 'Aborted by Limit'; }
@test "k6_2.2_cloud_short" { stored k6_2.2_cloud_short 1 14 Finished; }
@test "k6_2.2_cloud_sigint" { stored k6_2.2_cloud_sigint 707 7086 'Aborted by User'; }
@test "k6_2.2_cloud_test_abort" { stored k6_2.2_cloud_test_abort 302 2729 'Aborted by User'; }
@test "k6_2.2_cloud_threshold_abort" { stored k6_2.2_cloud_threshold_abort 316 2855 'Aborted by Threshold'; }
@test "k6_2.2_cloud_thresholds_fail" { stored k6_2.2_cloud_thresholds_fail 400 3814 Finished; }
@test "k6_2.2_cloud_websocket" { stored k6_2.2_cloud_websocket 0 114 Finished; }

# Nothing was sent: the server was not there.
silent=v1_down_at_start
# Other requests than those of a run; provision.bats has their like.
others="login k6_2.2_lists k6_2.2_login k6_1.7.1_login k6_2.2_local_hangs
k6_2.2_local_setup_throws k6_2.2_local_short k6_2.2_local_sigint
k6_2.2_local_test_abort k6_2.2_local_thresholds_fail
k6_1.7.1_local_multipart k6_1.7.1_local_multipart_415
k6_2.2_MOCK_upload_run_lists k6_2.2_cloud_run_refused
k6_old_cloud_run_refused"

@test "every recorded case is a test here" {
  n=0
  for case in "$fixtures"/wire/*/ "$fixtures"/wire_k6_2/*/; do
    case=$(basename "$case")
    n=$((n + 1))
    [[ " ${others//$'\n'/ } $silent " == *" $case "* ]] ||
      grep -qF "{ stored $case " "$BATS_TEST_FILENAME"
  done
  [ "$n" -eq 87 ]
}
