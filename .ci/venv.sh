#!/usr/bin/env bash
# Make a virtual environment hold exactly what the given lock files list, every file checked by its hash.
#   .ci/venv.sh FOLDER LOCK...
. "$(dirname "$0")/common.sh"
venv=$1
shift

if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    .ci/uv.sh venv --quiet --clear --no-project --python "$(.ci/prerequisites.sh --python)" "$venv"
fi
say "$venv: installing the locked packages"
.ci/uv.sh pip sync --quiet --require-hashes --python "$venv/bin/python" "$@"
