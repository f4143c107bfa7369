#!/usr/bin/env bash
# What each function in a folder costs before its first event; fails when one is above the ceilings:
#   tests/bench/start.sh <folder> [<most instructions> <most bytes zipped>]
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v valgrind >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends valgrind >/dev/null; }
cargo run -q -p tests --bin bench -- start "$@"
