#!/usr/bin/env bash
# Every number of docs/disruptions.md, by the command that gives it: some hours on two cores, most of them the hedges.
#   docs/reproduce/disruptions.sh              all parts, one after the other
#   docs/reproduce/disruptions.sh stop failing only these
source "$(dirname "$0")/ask.sh"

plans() {
  solve allied-2040
  solve glide-20 0.002
  solve exposed-5 0.002
}

clocks() {  # months or years
  ask months-6 stress runs/allied-2040 --year 2030 --months 6
  ask months-12 stress runs/allied-2040 --year 2030
  ask years-6 stress runs/allied-2040 --year 2030 --months 6 --clock year
  ask years-12 stress runs/allied-2040 --year 2030 --clock year
  ask five-years stress runs/allied-2040 --year 2030 --years 5 --only outage:CHN --no-survival
}

squeeze() {
  ask squeeze-wait stress runs/allied-2040 --year 2030 --only export_stop:CHN --squeeze 0 --squeeze 0.25 --squeeze 0.6 --wait 6
  ask squeeze stress runs/allied-2040 --year 2030 --only export_stop:CHN --squeeze 0 --squeeze 0.25 --squeeze 0.6
}

working() {  # what firms hold
  solve working-stocks
  local months run
  for months in 1 3 6 12; do
    for run in allied-2040 working-stocks; do
      ask "$run-$months" stress "runs/$run" --year 2030 --months "$months" --only export_stop:CHN
    done
  done
  ask working-half stress runs/working-stocks --year 2030 --months 6 --only export_stop:CHN --scale working_stocks.weeks=0.5
  ask working-more stress runs/working-stocks --year 2030 --months 6 --only export_stop:CHN --scale working_stocks.weeks=1.5
}

under_way() {  # goods at sea
  solve goods-at-sea
  local months
  for months in 1 3 6 12; do
    ask "at-sea-$months" stress runs/goods-at-sea --year 2030 --months "$months" --only export_stop:CHN --no-survival
  done
  ask at-sea-kept stress runs/goods-at-sea --year 2030 --months 1 --only export_stop:CHN
}

stop() {  # no exports for six months of 2028
  ask stop-held stress runs/allied-2040 --only export_stop:CHN --year 2028 --months 6
  ask stop-year stress runs/allied-2040 --only export_stop:CHN --year 2028 --months 6 --clock year
  solve stop-2028
  solve stop-2028-stocks 0.002
}

japan() {  # one buyer, with his limits and without
  solve japan-auto-2035 0.005
  ask japan-free solve "$instances/japan-auto-2035" --gap 0.005 --set "caps.limit_end= where country=JPN" --set "caps.limit=1 where country=JPN"
}

failing() {
  ask failing stress runs/exposed-5 --failing
}

delivery() {
  ask delivery-base stress runs/allied-2040 --delivery 64 --rebuild-after never
  ask delivery-together stress runs/allied-2040 --delivery 64 --rebuild-after never --set delivery_risk.apart=no
  ask delivery-glide stress runs/glide-20 --delivery 64 --rebuild-after never
  ask answered stress runs/allied-2040 --delivery 16
  ask answered-together stress runs/allied-2040 --delivery 16 --set delivery_risk.apart=no
  ask anew replay runs/allied-2040 --samples 16
}

hedge() {
  ask hedge-answered hedge "$instances/glide-20" --outcomes 32 --insurance 0 --replications 0
  ask hedge hedge "$instances/glide-20" --outcomes 32 --insurance 0 --replications 0 --gap 0.006 --rebuild-after never
  [ -e runs/hedged ] || cp -r runs/hedge-answered/plan runs/hedged
  [ -e runs/hedged-held ] || cp -r runs/hedge/plan runs/hedged-held
  ask hedge-anew replay runs/glide-20 runs/hedged runs/hedged-held --samples 4
  ask hedge-five hedge "$instances/exposed-5" --rebuild-after never --outcomes 16 --gap 0.01 --trial 64 --insurance 0 --replications 0
}

answer "plans clocks squeeze working under_way stop japan failing delivery hedge" "$@"
