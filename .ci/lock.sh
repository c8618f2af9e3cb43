#!/usr/bin/env bash
# Write conf/locks/*.txt anew from conf/locks/*.in and setup.py. Pins stay where they still fit;
# --upgrade moves them all. Neither index nor host is written, so every machine uses its own.
. "$(dirname "$0")/common.sh"

for wanted in conf/locks/*.in; do
    say "$wanted"
    .ci/uv.sh pip compile --quiet "$@" --python "$(.ci/prerequisites.sh --python)" --python-version 3.11 \
        --python-platform linux --generate-hashes --no-emit-index-url --no-emit-find-links \
        --no-emit-package lstmrec --no-emit-package horovod --custom-compile-command 'make lock' \
        --output-file "${wanted%.in}.txt" "$wanted"
done
