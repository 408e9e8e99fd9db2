# The parameter sets of k6's goldens.
# shellcheck shell=bash disable=SC2034 # for the tests

sets="code3s doc3s envonly min5 none p1s radius01 skip sortalgo"

# options SET: those of k6agg that make a parameter set of the goldens, which
# were made with one tick at the end: hence the long wait.
options() {
  local none='--algo-threshold 0 --iqr-radius 0 --iqr-coef-lower 0'
  case $1 in
  code3s) echo "-w 1h -p 3s --min-samples 25 --algo-threshold 75" ;;
  doc3s) echo "-w 1h -p 3s --min-samples 100 --algo-threshold 75" ;;
  envonly) echo "-w 1h -p 3s --min-samples 0 $none --iqr-coef-upper 0" ;;
  min5) echo "-w 1h -p 3s --min-samples 5" ;;
  none) echo "-p 0" ;;
  p1s) echo "-w 1h -p 1s --min-samples 100" ;;
  radius01) echo "-w 1h -p 3s --min-samples 5 --iqr-radius .1" ;;
  skip) echo "-w 1h -p 3s --min-samples 5 --skip-outlier-detection" ;;
  sortalgo) echo "-w 1h -p 3s --min-samples 1 --algo-threshold 1000000000" ;;
  esac
}
