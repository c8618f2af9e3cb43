# Sourced by the other scripts: stop at the first error, work from the root, know the download cache.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${LSTMREC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lstmrec}
cache=$(realpath --canonicalize-missing "$cache")
tools=.venv-tools/bin

say() { printf '%s\n' "$*" >&2; }

sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }

# intact FOLDER: true if the folder has just what its SHA256SUMS lists, unharmed.
intact() { [ -f "$1/SHA256SUMS" ] && (cd "$1" && sha256sum --check --status SHA256SUMS); }

# keep FOLDER AS: bring a finished folder into the cache, where it appears in one step, whole or not at all.
# Of two that finish at once the first one stays.
keep() {
    local new="$2.new.$$"
    mkdir -p "$(dirname "$2")"
    intact "$2" || rm -rf "$2"
    cp -r "$1" "$new"
    mv --no-target-directory "$new" "$2" 2>/dev/null || {
        rm -rf "$new"
        intact "$2"
    }
}

# logged LOG COMMAND...: run quietly; show what it said only if it fails.
logged() {
    if ! "${@:2}" >"$1" 2>&1; then
        tail -n 60 "$1" >&2
        return 1
    fi
}
