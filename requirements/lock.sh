#!/bin/sh
# Rewrites the hash-locked files from the *.in files. Needs uv (pip install uv).
set -eu
cd "$(dirname "$0")"
python=3.11
lock() { uv pip compile --quiet --universal --python-version "$python" --generate-hashes --no-header "$@"; }
lock dev.in -o dev.txt
for part in platform hooks lint types imports test tox; do
    lock -c dev.txt "$part.in" -o "$part.txt"
done
lock delegate.in -o delegate.txt
lock debug.in -o debug.txt
lock parity.in -o parity.txt
lock bench-sam.in -o bench-sam.txt
lock bench-ministack.in -o bench-ministack.txt
python=3.13 # of its image: it does not run on an earlier one
lock localstack.in -o localstack.txt
