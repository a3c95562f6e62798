#!/bin/sh
# Runs the end-to-end suite against a target in its locked environment: deploy/e2e.sh TARGET [OPTIONS of pytest]
set -eu
target=${1:?usage: deploy/e2e.sh TARGET [OPTIONS]}
shift
cd "$(dirname "$0")/.."
exec ./understudy test -e "e2e-$target" -- "$@"
