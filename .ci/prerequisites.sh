#!/usr/bin/env bash
# Name all missing prerequisites at once, each with the Debian package that brings it; install nothing.
# With --python: print the Python 3.11 to use. PYTHON overrides the search, JAVA_HOME and CXX are respected.
# Uses bash alone, since on the machine it judges nothing else can be taken for granted.
set -uo pipefail

is_311() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3}; do
        if is_311 "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

lines=()
packages=()
lack() { # lack WHAT PACKAGE...
    local line
    printf -v line '  %-52s Debian package: %s' "$1" "${*:2}"
    lines+=("$line")
    packages+=("${@:2}")
}

check_python() {
    local python version
    if python=$(find_python); then
        "$python" -c 'import ensurepip, venv' 2>/dev/null || lack "the venv module (with ensurepip) of $python" python3.11-venv
        return
    fi
    version=$("${PYTHON:-python3}" -c 'import platform; print(platform.python_version())' 2>/dev/null)
    lack "Python 3.11${version:+ (${PYTHON:-python3} is $version)}" python3.11 python3.11-venv
}

check_jdk() {
    local java=java said version=''
    [ -n "${JAVA_HOME:-}" ] && java="$JAVA_HOME/bin/java"
    said=$("$java" -version 2>&1)
    [[ $said =~ version\ \"([^\"]+)\" ]] && version=${BASH_REMATCH[1]}
    case ${version%%[.-]*} in
        17 | 21) ;;
        *) lack "JDK 17 or 21${version:+ ($java is $version)}${JAVA_HOME:+ (JAVA_HOME=$JAVA_HOME)}" openjdk-17-jdk-headless ;;
    esac
}

check_tool() { # check_tool COMMAND PACKAGE
    "$1" --version >/dev/null 2>&1 || lack "$1" "$2"
}

if [ "${1:-}" = --python ]; then
    python=$(find_python) && exec "$python" -c 'import sys; print(sys.executable)'
    exit 1
fi

check_python
check_jdk
check_tool "${CXX:-g++}" g++
check_tool cmake cmake
check_tool make make

if [ ${#lines[@]} -gt 0 ]; then
    {
        echo "Missing on this machine; nothing has been installed or changed:"
        printf '%s\n' "${lines[@]}"
        echo "On Debian, as root: apt-get install ${packages[*]}"
    } >&2
    exit 1
fi
