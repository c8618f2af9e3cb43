#!/usr/bin/env bash
# uv, told what pip knows of this machine. uv reads no pip settings, so where pip goes through a package
# mirror or a company's own certificates, uv alone would fail. uv's own settings come first.
here=$PWD
. "$(dirname "$0")/common.sh"

of_pip() { sed -n "s/^\(global\|:env:\)\.$1='\(.*\)'$/\2/p" <<<"$pip_settings" | tail -n 1; }
pip_settings=$("$tools/pip" config list 2>/dev/null || true)

index=$(of_pip index-url)
cert=$(of_pip cert)
[ -z "$index" ] || [ -n "${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-}}" ] || export UV_DEFAULT_INDEX=$index
[ -z "$cert" ] || [ -n "${SSL_CERT_FILE:-}" ] || export SSL_CERT_FILE=$cert

uv=$PWD/$tools/uv
cd "$here"
exec "$uv" "$@"
