#!/usr/bin/env bash
# The start of a function beside stock handlers in Node and Python with the AWS SDKs of their own, in one run:
#   tests/bench/versus.sh <program>
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/venv.sh
venv boto3 boto3==1.43.106
node_modules=target/stock-node/node_modules version=3.1162.0
if ! grep -qs "\"version\": \"$version\"" $node_modules/@aws-sdk/client-dynamodb/package.json; then
  npm install --silent --no-fund --no-audit --prefix target/stock-node "@aws-sdk/client-dynamodb@$version"
fi
cargo run -q -p tests --bin bench -- versus "$1" "$(command -v node) tests/bench/stock.mjs $PWD/target/stock-node/" \
  "target/venv-boto3/bin/python tests/bench/stock.py"
