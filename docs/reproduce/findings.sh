#!/usr/bin/env bash
# Every number of docs/findings.md, by the command that gives it. Not yet run from end to end.
#   docs/reproduce/findings.sh                 all parts, one after the other
#   docs/reproduce/findings.sh curve policies  only these
# Results go to runs/ of the current folder; PLANNER is the command to use [planner]. What is there already is kept.
set -euo pipefail
instances=$(cd "$(dirname "$0")/../../instances" && pwd)
planner=${PLANNER:-planner}
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(least curve share policies prices glide buyers projects served evidence others)

ask() {  # ask FOLDER COMMAND...: the answer into runs/FOLDER, its text into runs/FOLDER.txt
  [ -e "runs/$1.txt" ] && return
  echo "== $*"
  mkdir -p runs
  $planner "${@:2}" -o "runs/$1" >"runs/$1.part" && mv "runs/$1.part" "runs/$1.txt"
}

solve() {  # solve INSTANCE: its least-cost plan
  ask "$1" solve "$instances/$1" --gap 0.001
}

least() {
  solve allied-2040
  ask explain explain runs/allied-2040 --projects 0
}

curve() {
  ask curve frontier "$instances/allied-2040" --from-year 2032 --gap 0.002 --points 9
}

share() {  # whose the ore is that China separates: 25 and 60 per cent of it in place of 35
  local factor mine changes
  for factor in 0.7143 1.7143; do
    changes=()
    for mine in china-light-mines china-light-growth china-clays-mines china-clays-growth kachin-clays laos-clays \
      thailand-monazite nigeria-monazite mcre-perak; do
      changes+=(--scale "facilities.capacity_t=$factor where facility=$mine")
    done
    ask "share-$factor" solve "$instances/allied-2040" --gap 0.002 "${changes[@]}"
  done
}

policies() {
  local name
  for name in crma-benchmarks substitution returning-magnets licence-2026 forge section-232-tariff made-in-usa low-demand crma \
    japan-50 dfars section-232-floor section-122-ended embedded-demand vault-2028; do
    solve "$name"
  done
}

prices() {  # China at its cost, and at the price of mid 2026
  local name limit
  for name in china-at-cost china-at-price; do
    solve "$name"
    for limit in 50 20; do
      ask "$name-$limit" solve "$instances/$name" --gap 0.002 --cap "exposed_share=$limit%@2032"
    done
  done
}

glide() {  # a limit that tightens, end to end or stage by stage
  ask glide-20 solve "$instances/glide-20" --gap 0.002
  ask stage-caps-only solve "$instances/stage-caps-only" --gap 0.002
  ask explain-glide explain runs/glide-20 --projects 0
}

buyers() {  # venture money, and American defence
  ask venture compare "$instances/venture-2025" --set "options.private_musd= where startup=yes" --gap 0.001
  ask us-defence-2027 solve "$instances/us-defence-2027" --gap 0.005
}

projects() {  # which projects pay at which Chinese price of Nd-Pr oxide, and from which price on each stands alone
  local option price
  for price in 71 92 110 150; do
    ask "at-$price" solve "$instances/ndpr-price" --gap 0.001 --set "market_prices.price_usd_per_t=${price}000 where market=ndpr-index"
  done
  for option in reelement-marion-loan vulcan-benson-loan phoenix-freedom-metal-loan alta-boulder usa-rare-earth-blacksburg-loan \
    nolans iluka-wimmera donald bahia halleck-creek energy-fuels-white-mesa-2-light-loan noveon-2 js-link-kuantan; do
    ask "price-$option" break-even "$instances/ndpr-price" --option "$option" --price ndpr_oxide \
      --set "options.integer=yes where option=$option" --gap 0.0001 --tolerance 0.01
  done
}

served() {  # how clean, if nobody may be short
  local year
  for year in 2028 2030 2032 2034; do
    ask "served-$year" frontier "$instances/all-served" --from-year "$year" --points 2 --gap 0.02
  done
}

evidence() {
  ask evidence evidence "$instances/allied-2040" --run runs/allied-2040
  ask sensitivity sensitivity "$instances/../studies/allied-2040.toml"
}

others() {  # two more chains, and the world of 2024
  ask smco compare "$instances/smco-2035" --set "sectors.clean_from_year="
  ask gallium solve "$instances/gallium-2035"
  ask world-2024 solve "$instances/world-2024"
}

for part in "${parts[@]}"; do
  case $part in
    least | curve | share | policies | prices | glide | buyers | projects | served | evidence | others) "$part" ;;
    *) echo "$part: no part of this script"; exit 2 ;;
  esac
done
