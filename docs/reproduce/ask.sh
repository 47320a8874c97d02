# Read by the scripts beside it. Results go to runs/ of the current folder; PLANNER is the command to use [planner]. What is
# there already is kept, so that a script that was stopped goes on where it was; to ask anew, remove its file of runs/.
set -euo pipefail
instances=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../instances" && pwd)
planner=${PLANNER:-planner}

ask() {  # ask FOLDER COMMAND...: the answer into runs/FOLDER, its text into runs/FOLDER.txt
  [ -e "runs/$1.txt" ] && return
  echo "== $*"
  mkdir -p runs
  $planner "${@:2}" -o "runs/$1" >"runs/$1.part" && mv "runs/$1.part" "runs/$1.txt"
}

solve() {  # solve INSTANCE [GAP]: its least-cost plan
  ask "$1" solve "$instances/$1" --gap "${2:-0.001}"
}

answer() {  # answer "EVERY PART" [PART...]: the parts that are named, or all of them, one after the other
  local every=$1 part
  shift
  [ $# -gt 0 ] || set -- $every
  for part; do
    [[ " $every " == *" $part "* ]] || { echo "$part: no part of this script; it has $every"; exit 2; }
    "$part"
  done
}
