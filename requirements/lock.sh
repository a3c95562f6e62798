#!/bin/sh
# Rewrites the hash-locked files from the *.in files. Needs uv (pip install uv).
set -eu
cd "$(dirname "$0")"
lock() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header "$@"; }
lock dev.in -o dev.txt
lock -c dev.txt platform.in -o platform.txt
lock -c dev.txt tox.in -o tox.txt
lock delegate.in -o delegate.txt
