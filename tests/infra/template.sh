#!/usr/bin/env bash
# Lints the SAM template, as it is written and as SAM expands it, and tries the recipe for its secrets. Needs Python and openssl.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
source tests/venv.sh
venv cfn-lint cfn-lint==1.58.0 aws-sam-translator==1.115.0
venv sam aws-sam-cli==1.170.0
PATH="$root/target/venv-cfn-lint/bin:$root/target/venv-sam/bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0

cfn-lint infra/sam/template.yaml
sam validate --lint --template-file infra/sam/template.yaml

cp infra/sam/template.yaml "$work"
block() { awk -v name="$1" '$0 == "```bash " name {on=1; next} /^```/ {on=0} on' "$root/infra/sam/README.md"; }
cd "$work"
eval "$(block expand | sed "s#/tmp/#$work/#g")"
eval "$(block secrets)"
python - <<'PYTHON'
import base64, yaml
given = yaml.safe_load(open("parameters.yaml"))
unpad = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
assert len(unpad(given["AuthSecret"])) == len(unpad(given["DataSecret"])) == 32 and given["AuthSecret"] != given["DataSecret"]
PYTHON
echo "the template holds"
