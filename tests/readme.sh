#!/usr/bin/env bash
# Runs the journey of the README word by word, against a fresh stack, and looks at what came of it.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build -q -p local --example receiver
cargo build -q -p local
data=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$data"' EXIT

VOKI_DATA="$data" cargo run -q -p local >"$data/local.out" 2>"$data/local.err" &
cargo run -q -p local --example receiver >"$data/receiver.out" &
# Each prints a line when it is ready.
timeout 60 grep -qm1 '^Voki API on http://127.0.0.1:3000' <(tail -n +1 -F "$data/local.out" 2>/dev/null) || { cat "$data/local.err"; exit 1; }
timeout 60 grep -qm1 '^waiting' <(tail -n +1 -F "$data/receiver.out" 2>/dev/null)

# The blocks marked `bash journey` are the journey; those marked `bash here` go on with what is on one machine alone.
awk '/^```bash (journey|here)/{on=1;next} /^```/{on=0} on' README.md >"$data/journey.sh"
bash -euo pipefail "$data/journey.sh" | tee "$data/journey.out"

for event in call.created call.assigned call.started call.completed; do
  grep -qx "$event signature ok" "$data/receiver.out" || { echo "no signed $event"; cat "$data/receiver.out"; exit 1; }
done
grep -q ',completed,Billing,Ana Attendant,Carlos Ferreira,carlos@example.com,' "$data/journey.out" || { echo "no row in calls.csv"; exit 1; }
grep -q '"recovery_codes":\["' "$data/journey.out" || { echo "no second factor"; exit 1; }
grep -q '"access_token":.*"email":"bruno@acme.test".*"mfa_enabled":true' "$data/journey.out" || { echo "no login with a code"; exit 1; }
grep -q '^{"mfa_required":true' "$data/journey.out" || { echo "no login with the password that was reset"; exit 1; }
[ "$(grep -c '"name":"João Ângelo da Silva".*"total_count":1' "$data/journey.out")" = 2 ] || { echo "no customer by half a name and by number"; exit 1; }
grep -q '"conflicts":\[{.*"next_free":\["2030-03-11T08:00:00Z"' "$data/journey.out" || { echo "no refusal of a third visit"; exit 1; }
grep -qx '{"data":\[\]}' "$data/journey.out" || { echo "the day is not full"; exit 1; }
[ "$(grep -c 'END:VCALENDAR' "$data/journey.out")" = 2 ] || { echo "no calendar file, or no feed"; exit 1; }
tail -n 1 "$data/journey.out" | grep -q 'Resource not found' || { echo "the feed is still read"; exit 1; }
echo "the journey holds"
