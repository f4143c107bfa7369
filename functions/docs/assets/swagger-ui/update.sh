#!/usr/bin/env bash
# Brings Swagger UI here, compressed as it is served. To take a newer one, change the version and its integrity
# (`npm view swagger-ui-dist@<version> dist.integrity`). Packed, not installed: its dependency does nothing but report installs.
set -euo pipefail
cd "$(dirname "$0")"

version=5.35.0
integrity=sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" "swagger-ui-dist@$version" > /dev/null
archive=$work/swagger-ui-dist-$version.tgz
[ "sha512-$(openssl dgst -sha512 -binary "$archive" | base64 -w0)" = "$integrity" ] || { echo "not the archive expected" >&2; exit 1; }
tar -xzf "$archive" -C "$work"
for file in swagger-ui-bundle.js swagger-ui.css; do
  gzip -9nc "$work/package/$file" > "$file.gz"
done
cp "$work/package/"{LICENSE,NOTICE,swagger-ui-bundle.js.LICENSE.txt} .
