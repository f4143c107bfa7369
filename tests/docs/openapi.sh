#!/usr/bin/env bash
# The document of the API is OpenAPI 3.1. Needs Python.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=target/venv-openapi
if [ ! -x $venv/bin/openapi-spec-validator ]; then
  python3 -m venv $venv
  $venv/bin/pip install -q openapi-spec-validator==0.9.0
fi
$venv/bin/openapi-spec-validator --schema 3.1 functions/docs/openapi.json
