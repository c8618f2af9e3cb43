#!/usr/bin/env bash
# Chromium for the tests that look at a page: where there is none, root gets Debian's; others are told in one
# line that these tests are skipped, which is no failure. With --path: print the browser, or fail.
# CHROMIUM overrides the search.
set -uo pipefail

find_chromium() {
    local candidate
    for candidate in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
        command -v "$candidate" && return
    done
    return 1
}

install_chromium() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    echo 'installing chromium, for the tests that look at a page' >&2
    {
        timeout 300 apt-get update
        DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install --yes --no-install-recommends chromium
    } >/dev/null 2>&1
}

if [ "${1:-}" = --path ]; then
    find_chromium
    exit
fi
find_chromium >/dev/null || install_chromium ||
    echo 'no Chromium: the tests that look at a page are skipped. On Debian, as root: apt-get install chromium' >&2
