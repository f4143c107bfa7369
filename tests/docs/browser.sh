#!/usr/bin/env bash
# The documentation's page in Chromium, against a fresh stack; an argument names the stack's program. Screenshots lie under
# target/docs. Needs Python; installs Debian's Chromium unless it is there.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! { command -v chromium && command -v chromedriver; } >/dev/null; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium chromium-driver >/dev/null
fi
venv=target/venv-browser
if [ ! -x $venv/bin/python ]; then
  python3 -m venv $venv
  $venv/bin/pip install -q selenium==4.44.0
fi
program=${1:-target/debug/local}
[ $# -gt 0 ] || cargo build -q -p local
mkdir -p target/docs

coproc STACK { VOKI_LISTEN=127.0.0.1:0 VOKI_DATA=memory RUST_LOG=error exec "$program"; }
trap 'kill $STACK_PID; wait' EXIT
# The first line says where it is.
read -r -u "${STACK[0]}" line
$venv/bin/python tests/docs/browser.py "${line##* }" target/docs
