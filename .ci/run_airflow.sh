#!/usr/bin/env bash
# Run the nightly DAG for RUN_DATE for real, by `airflow dags test`, to a filled `recommendations` table.
# Where the lake has no model for that day yet, the training DAG goes first. Airflow starts from nothing
# each time: its home is var/airflow, its connection and variables are the AIRFLOW_... lines below.
. "$(dirname "$0")/common.sh"

root=$PWD
run_date=${RUN_DATE:-1998-04-22}
conf=${CONF:-conf/base.yaml}
home=$root/var/airflow

fail() {
    say "run_airflow: $*"
    exit 1
}

for program in .venv/bin/spark-submit .venv-airflow/bin/airflow .venv-analyst/bin/python; do
    [ -x "$program" ] || fail "$program is missing; 'make run-airflow' sets it up"
done
[ -f "$conf" ] || fail "CONF=$conf is not a file"
[ "$(date -u -d "$run_date" +%F 2>/dev/null)" = "$run_date" ] || fail "RUN_DATE=$run_date is not a date, YYYY-MM-DD"
lake=$(.venv/bin/python - "$conf" <<'PY'
import sys
from pathlib import Path

from lstmrec import config
from lstmrec.errors import LstmrecError

try:
    print(config.load(Path(sys.argv[1])).lake.root)
except LstmrecError as mistake:
    sys.exit(f"run_airflow: {mistake}")
PY
)

# Airflow finds spark-submit on the PATH; its own folder stands first, so that python is its own.
export PATH="$root/.venv-airflow/bin:$root/.venv/bin:$PATH"
export SPARK_CONF_DIR=$root/conf # the same Spark settings as in make run
unset PYTHONPATH SPARK_HOME PYSPARK_DRIVER_PYTHON

export AIRFLOW_HOME=$home
export AIRFLOW__CORE__DAGS_FOLDER=$root/airflow_dags
export AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__CORE__DEFAULT_TIMEZONE=utc
export AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY=5 # seconds; somebody waits for this run
export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=sqlite:///$home/airflow.db
export AIRFLOW__LOGGING__BASE_LOG_FOLDER=$home/logs
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False

export AIRFLOW_CONN_SPARK_LSTMREC='{"conn_type": "spark", "host": "local[2]"}'
export AIRFLOW_VAR_LSTMREC_HOME=$root
AIRFLOW_VAR_LSTMREC_CONF=$(realpath "$conf")
export AIRFLOW_VAR_LSTMREC_CONF

rm -rf "$home"
mkdir -p "$home"

# count TABLE CONDITION: how many of its rows hold; 0 where there is no such table.
count() {
    .venv-analyst/bin/python - "$lake/$1" "$2" <<'PY'
import sys

from deltalake import DeltaTable, QueryBuilder

path, condition = sys.argv[1:]
if not DeltaTable.is_deltatable(path):
    raise SystemExit(print(0))
query = f"SELECT count(*) AS n FROM t WHERE {condition}"
print(QueryBuilder().register("t", DeltaTable(path)).execute(query).read_all()["n"][0].as_py())
PY
}

# last_words LOG: what the job that failed said last; the end of the log where it was no job.
last_words() {
    local said
    said=$(awk '/^Last spark-submit output:/ {said = ""; on = 1; next}
        /^[0-9-]+T[0-9:.]+Z / {on = 0}
        on {said = said "  " $0 "\n"}
        END {printf "%s", said}' "$1")
    if [ -n "$said" ]; then
        say "$(sed -n 's|.*Cannot execute: .*/jobs/\([a-z_]*\)\.py .*|\1|p' "$1" | tail -n 1) failed each time; it said last:"
        say "$said"
    else
        tail -n 40 "$1" >&2
    fi
}

# airflow_to LOG ARGUMENT...: run Airflow; all it says goes to the log, the tasks as they start also here.
airflow_to() {
    .venv-airflow/bin/airflow "${@:2}" 2>&1 | tee "$1" |
        sed --unbuffered --quiet 's/.*\[DAG TEST\] starting task_id=\([a-z_]*\).*/  \1/p' >&2 && return
    last_words "$1"
    fail "'airflow ${*:2}' failed; its whole log is ${1#"$root/"}"
}

run_dag() {
    local started=$SECONDS
    say "$1: running for $run_date, log in var/airflow/$1.log"
    airflow_to "$home/$1.log" dags test "$1" "$run_date"
    say "$1: done in $((SECONDS - started)) s"
}

airflow_to "$home/migrate.log" db migrate
models=$(count model_runs "run_date <= DATE '$run_date' AND stage = 'current'")
[ "$models" -gt 0 ] || run_dag training
run_dag nightly_scoring

lists=$(count recommendations "run_date = DATE '$run_date'")
[ "$lists" -gt 0 ] || fail "$lake/recommendations has no row for $run_date"
say "$lake/recommendations: $lists rows for $run_date"
