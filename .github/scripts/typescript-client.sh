#!/bin/bash
# The OpenAPI document linted by Redocly and Spectral, and a TypeScript client generated from it that
# plays a shopper's journey on a running shop.
#
#     .github/scripts/typescript-client.sh [URL]
#
# URL is http://127.0.0.1:8080 unless it is named. Needs Node 20.19 or newer with npm. What it installs
# is locked in tests/clients/typescript/package-lock.json.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"

url="${1:-http://127.0.0.1:8080}"
[[ $url =~ ^https?://[^/]+$ ]] || refuse "$url is no address of a shop, as http://127.0.0.1:8080 is."
command -v npm >/dev/null || refuse "npm is needed; it comes with Node."

document="$PWD/docs/openapi.yaml"
cd tests/clients/typescript
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
npm ci --ignore-scripts --no-audit --no-fund
npx redocly lint "$document" --config redocly.yaml
npx spectral lint "$document" --ruleset .spectral.yaml --fail-severity hint
npx openapi-typescript "$document" --output generated/schema.ts
npx tsc
node dist/journey.js "$url"
