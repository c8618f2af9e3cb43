#!/usr/bin/env bash
# Horovod's wheel, built once from the locked source with .venv's TensorFlow, kept as long as its inputs last.
#   .ci/horovod.sh key      what the wheel is kept under: a hash of all that goes into it
#   .ci/horovod.sh cached   print the kept wheel's path, or nothing
#   .ci/horovod.sh build    build it unless it is kept; print its path
# For GPUs: export HOROVOD_GPU_OPERATIONS=NCCL (and HOROVOD_NCCL_HOME or the like) before `make setup`.
. "$(dirname "$0")/common.sh"

export HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_MXNET=1
export HOROVOD_WITHOUT_MPI=1 HOROVOD_WITH_GLOO=1

inputs() {
    local compiler libc
    grep -v '^ *#' conf/locks/horovod.txt
    grep -E '^tensorflow(-cpu)?==' conf/locks/main.txt
    "$python" -c 'import sysconfig; print(sysconfig.get_config_var("SOABI"))'
    compiler=$("${CXX:-g++}" --version) && echo "${compiler%%$'\n'*} ${CXXFLAGS:-}"
    libc=$(ldd --version 2>&1 || true) && echo "${libc%%$'\n'*}"
    uname -sm
    env | grep -E '^HOROVOD_(BUILD|CPU|CUDA|GPU|NCCL|ROCM|WITH)' | LC_ALL=C sort
    cat .ci/horovod.sh
}

build() {
    local work
    if [[ $PWD == *' '* ]]; then
        say "Horovod cannot be built below a folder with a space in its name: $PWD"
        return 1
    fi
    work=$(mktemp -d) # not in the cache: Horovod's linker stumbles over a space in its path
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    say "Horovod: building the wheel from source, once (2 to 5 minutes on 2 cores)"
    export MAKEFLAGS=-j$(getconf _NPROCESSORS_ONLN)
    export CMAKE_POLICY_VERSION_MINIMUM=3.5 # CMake 4 refuses the bundled gloo without it
    export TMPDIR=$work/tmp PATH=$PWD/.venv/bin:$PATH
    mkdir "$work/tmp"
    # No pip cache: pip would hand out a wheel it once built against another TensorFlow.
    logged "$work/log" "$tools/pip" --no-cache-dir --python .venv/bin/python wheel --require-hashes --no-deps \
        --no-build-isolation --wheel-dir "$work/wheel" --requirement conf/locks/horovod.txt
    "$python" -m zipfile -l "$work"/wheel/*.whl | grep 'horovod/tensorflow/mpi_lib' >/dev/null ||
        { say "Horovod was built without TensorFlow"; return 1; }
    (cd "$work/wheel" && sha256sum ./*.whl >SHA256SUMS)
    keep "$work/wheel" "$kept"
}

python=$PWD/.venv/bin/python
"$python" -c '' 2>/dev/null || python=$(.ci/prerequisites.sh --python)
key=$(inputs | sha256sum | cut -c 1-16)
kept=$cache/horovod/$key
case ${1:-} in
    key) echo "$key" ;;
    cached) if intact "$kept"; then ls "$kept"/*.whl; fi ;;
    build)
        intact "$kept" || build
        ls "$kept"/*.whl
        ;;
    *)
        say "usage: .ci/horovod.sh key|cached|build"
        exit 2
        ;;
esac
