#!/bin/sh
# Builds, verifies and releases what this checkout describes: deploy/deploy.sh TARGET [OPTIONS of understudy deploy]
set -eu
target=${1:?usage: deploy/deploy.sh TARGET [OPTIONS]}
shift
cd "$(dirname "$0")/.."
exec ./understudy deploy --target "$target" "$@"
