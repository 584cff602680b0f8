#!/bin/sh
# The test: verifyd run -- sh test.sh
set -eu
cd "$(dirname "$0")"
to=+34612345678

./sign-in begin $to
code=$(verifyd inbox --to $to --wait 10s)
./sign-in finish $to "$code"
echo "ok: the code that was sent signs in"

./sign-in begin $to
code=$(verifyd inbox --to $to --wait 10s)
verifyd clock advance 10m >/dev/null
if ./sign-in finish $to "$code" 2>/dev/null; then
	echo "a code is good after ten minutes" >&2
	exit 1
fi
echo "ok: a code is good for ten minutes"
