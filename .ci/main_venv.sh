#!/usr/bin/env bash
# Fill .venv: the locked packages, Horovod's wheel, Delta's jars, and this package as an editable install.
. "$(dirname "$0")/common.sh"

wheel=$(.ci/horovod.sh cached)
if [ -z "$wheel" ]; then # its build needs TensorFlow, so the rest has to be there first
    .ci/venv.sh .venv conf/locks/main.txt
    wheel=$(.ci/horovod.sh build)
fi
# Horovod goes into one sync with the rest: a sync throws out whatever it is not told of.
with_horovod=$(mktemp)
trap 'rm -f "$with_horovod"' EXIT
echo "horovod @ file://${wheel// /%20} --hash=sha256:$(sha256_of "$wheel")" | cat conf/locks/main.txt - >"$with_horovod"
.ci/venv.sh .venv "$with_horovod"
.ci/delta_jars.sh
.ci/uv.sh pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation \
    --config-settings editable_mode=compat --editable .
