#!/usr/bin/env bash
# Put Delta's jars beside Spark's own in .venv, so that a plain spark-submit knows Delta without the network.
# They are resolved once through their Maven coordinates, checked against conf/locks/jars.txt, and kept.
. "$(dirname "$0")/common.sh"

lock=conf/locks/jars.txt
version=$(sed -n 's/^delta-spark==\([^ ]*\).*/\1/p' conf/locks/main.txt)
coordinates=io.delta:delta-spark_2.13:$version
spark=$(.venv/bin/python -c 'import pathlib, pyspark; print(pathlib.Path(pyspark.__file__).parent)')
kept=$cache/jars/$(sha256_of "$lock" | cut -c 1-16)

resolve() {
    local work jar name
    work=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    mkdir "$work/home" "$work/jars"
    echo pass >"$work/nothing.py"
    say "Delta: resolving $coordinates, once"
    # An empty home, since Spark also looks into ~/.m2, where a half-filled repository makes it give up.
    SPARK_HOME=$spark SPARK_SUBMIT_OPTS="-Duser.home=$work/home" PYSPARK_PYTHON=$PWD/.venv/bin/python \
        logged "$work/log" "$spark/bin/spark-submit" --packages "$coordinates" \
        --conf "spark.jars.ivy=$work/ivy" "$work/nothing.py"
    for jar in "$work"/ivy/jars/*.jar; do
        name=${jar##*/}
        name=${name#*_} # Spark writes organisation_artifact-version.jar
        [ -e "$spark/jars/$name" ] && ! grep -q " $name$" "$lock" || mv "$jar" "$work/jars/$name"
    done
    (cd "$work/jars" && sha256sum -- *.jar >SHA256SUMS)
    if [ "$(cat "$work/jars/SHA256SUMS")" != "$(grep -v '^#' "$lock")" ]; then
        say "the jars of $coordinates are not those of $lock:"
        cat "$work/jars/SHA256SUMS" >&2
        return 1
    fi
    keep "$work/jars" "$kept"
}

intact "$kept" || resolve
rm -f "$spark"/jars/delta-*.jar
cp "$kept"/*.jar "$spark/jars/"
