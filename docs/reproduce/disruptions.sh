#!/usr/bin/env bash
# Every number of docs/disruptions.md, by the command that gives it: some hours on two cores, most of them the hedges.
#   docs/reproduce/disruptions.sh              all parts, one after the other
#   docs/reproduce/disruptions.sh stop cover   only these
# Results go to runs/ of the current folder; PLANNER is the command to use [planner]. What is there already is kept.
set -euo pipefail
instances=$(cd "$(dirname "$0")/../../instances" && pwd)
planner=${PLANNER:-planner}
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(plans clocks squeeze working under_way stop vault cover failing delivery hedge)

ask() {  # ask FOLDER COMMAND...: the answer into runs/FOLDER, its text into runs/FOLDER.txt
  [ -e "runs/$1.txt" ] && return
  echo "== $*"
  mkdir -p runs
  $planner "${@:2}" -o "runs/$1" >"runs/$1.part" && mv "runs/$1.part" "runs/$1.txt"
}

plans() {
  ask base solve "$instances/allied-2040" --gap 0.001
  ask glide solve "$instances/glide-20" --gap 0.005
  ask five solve "$instances/exposed-5" --gap 0.005
}

clocks() {  # months or years
  ask months-6 stress runs/base --year 2030 --months 6
  ask months-12 stress runs/base --year 2030
  ask years-6 stress runs/base --year 2030 --months 6 --clock year
  ask years-12 stress runs/base --year 2030 --clock year
  ask five-years stress runs/base --year 2030 --years 5 --only outage:CHN --no-survival
}

squeeze() {
  ask squeeze-wait stress runs/base --year 2030 --only export_stop:CHN --squeeze 0 --squeeze 0.25 --squeeze 0.6 --wait 6
  ask squeeze stress runs/base --year 2030 --only export_stop:CHN --squeeze 0 --squeeze 0.25 --squeeze 0.6
}

working() {  # what firms hold
  ask working solve "$instances/working-stocks" --gap 0.001
  local months run
  for months in 1 3 6 12; do
    for run in base working; do
      ask "$run-$months" stress "runs/$run" --year 2030 --months "$months" --only export_stop:CHN
    done
  done
  ask working-half stress runs/working --year 2030 --months 6 --only export_stop:CHN --scale working_stocks.weeks=0.5
  ask working-more stress runs/working --year 2030 --months 6 --only export_stop:CHN --scale working_stocks.weeks=1.5
}

under_way() {  # goods at sea
  ask at-sea solve "$instances/goods-at-sea" --gap 0.001
  local months
  for months in 1 3 6 12; do
    ask "at-sea-$months" stress runs/at-sea --year 2030 --months "$months" --only export_stop:CHN --no-survival
  done
  ask at-sea-kept stress runs/at-sea --year 2030 --months 1 --only export_stop:CHN
}

stop() {  # no exports for six months of 2028
  ask stop-held stress runs/base --only export_stop:CHN --year 2028 --months 6
  ask stop-year stress runs/base --only export_stop:CHN --year 2028 --months 6 --clock year
  ask stop-2028 solve "$instances/stop-2028" --gap 0.001
  ask stop-2028-stocks solve "$instances/stop-2028-stocks" --gap 0.001
}

vault() {
  ask vault-2028 solve "$instances/vault-2028" --gap 0.001
}

cover() {
  local how=(cover "$instances/stop-2028-stocks" --against export_stop:CHN --year 2028 --months 1,3,6,12 --level 90% --gap 0.001)
  ask cover "${how[@]}"
  ask cover-year "${how[@]}" --clock year
}

failing() {
  ask failing stress runs/five --failing
}

delivery() {
  ask delivery-base stress runs/base --delivery 64
  ask delivery-glide stress runs/glide --delivery 64
}

hedge() {
  ask hedge-answered hedge "$instances/glide-20" --outcomes 32 --insurance 0
  ask hedge hedge "$instances/glide-20" --outcomes 32 --insurance 0 --gap 0.006 --rebuild-after never
  ask delivery-hedged stress runs/hedge/plan --delivery 64
  ask hedge-five hedge "$instances/exposed-5" --rebuild-after never --outcomes 16 --gap 0.01 --trial 64 --time-limit 120
}

for part in "${parts[@]}"; do
  case $part in
    plans | clocks | squeeze | working | stop | vault | cover | failing | delivery | hedge) "$part" ;;
    *) echo "$part: no part of this script"; exit 2 ;;
  esac
done
