#!/bin/sh
# Goes back to the release before, or to a version of it: deploy/rollback.sh TARGET [--to-revision N] [--yes]
set -eu
target=${1:?usage: deploy/rollback.sh TARGET [OPTIONS]}
shift
cd "$(dirname "$0")/.."
exec ./understudy rollout undo --target "$target" "$@"
