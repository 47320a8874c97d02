#!/usr/bin/env bash
# Every number of docs/findings.md, by the command that gives it; findings.py beside it writes the page's tables from these.
#   docs/reproduce/findings.sh                 all parts, one after the other
#   docs/reproduce/findings.sh curve policies  only these
source "$(dirname "$0")/ask.sh"

least() {
  solve allied-2040
  ask explain explain runs/allied-2040 --projects 0
}

curve() {
  ask curve frontier "$instances/allied-2040" --from-year 2032 --gap 0.002 --points 9
}

prices() {  # which projects pay at which Chinese price of Nd-Pr oxide, and what the others lack there
  local price
  for price in 50 60 71 80 92 100 105 110 115 120 125 130 135 140 145 150 160 175 200; do
    ask "at-$price" solve "$instances/ndpr-price" --gap 0.0005 --set "market_prices.price_usd_per_t=${price}000 where market=ndpr-index"
  done
  for price in 71 92 110 150; do
    ask "lacks-$price" explain "runs/at-$price" --projects 0
  done
}

sensitivity() {  # which assumption moves it
  ask evidence evidence "$instances/allied-2040" --run runs/allied-2040
  ask sensitivity sensitivity "$instances/../studies/allied-2040.toml"
}

served() {  # how clean, if nobody may be short; the page has 2030 as it was after eight minutes, by Ctrl-C
  local year
  for year in 2028 2030; do
    ask "served-$year" frontier "$instances/all-served" --from-year "$year" --points 2 --gap 0.02
  done
}

cost() {  # the same limits with China at its cost, as it is, and at the price of mid 2026
  local name limit
  for name in china-at-cost allied-2040 china-at-price; do
    solve "$name"
    for limit in 50 20; do
      ask "$name-$limit" solve "$instances/$name" --gap 0.002 --cap "exposed_share=$limit%@2032"
    done
  done
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
  local name names=(crma-benchmarks substitution returning-magnets licence-2026 forge section-232-tariff made-in-usa low-demand crma
    japan-50 dfars section-232-floor section-122-ended embedded-demand)
  for name in "${names[@]}"; do
    solve "$name"
  done
  ask policies compare runs/allied-2040 "${names[@]/#/runs/}"
}

glide() {  # a limit that tightens, end to end or stage by stage
  solve glide-20 0.002
  solve stage-caps-only 0.002
  ask explain-glide explain runs/glide-20 --projects 0
}

buyers() {  # venture money, and American defence
  ask venture compare "$instances/venture-2025" --set "options.private_musd= where startup=yes" --gap 0.001
  solve us-defence-2027 0.005
}

questions() {  # of docs/what-if.md
  ask more-demand compare runs/allied-2040 --scale demand=1.3
  ask no-tariffs compare runs/allied-2040 --set tariffs.rate=0
  ask no-lynas compare runs/allied-2040 --without owner="Lynas Rare Earths"
  ask no-vulcan compare runs/allied-2040 --without owner="Vulcan Elements"
}

others() {  # two more chains, and the world of 2024
  ask smco compare "$instances/smco-2035" --set "sectors.clean_from_year="
  ask gallium frontier "$instances/gallium-2035" --from-year 2030 --points 6
  local line
  for line in wagerup clarksville; do
    ask "gallium-$line" break-even "$instances/gallium-2035" --option "$line-line" --price crude
  done
  ask world-2024 solve "$instances/world-2024"
}

answer "least curve prices sensitivity served cost share policies glide buyers questions others" "$@"
