#!/usr/bin/env bash
# Run Airflow on this machine alone until ctrl-C: scheduler, dag-processor, api-server and triggerer, from an
# empty metadata database in AIRFLOW_HOME. CONF is the jobs' configuration.
# Not `airflow standalone`: its log servers listen on all interfaces, and here nothing does.
. "$(dirname "$0")/common.sh"

root=$PWD
conf=${CONF:-conf/base.yaml}
port=${AIRFLOW_PORT:-8080}
home=${AIRFLOW_HOME:-$root/var/airflow}

fail() {
    say "airflow: $*"
    exit 1
}

for program in .venv/bin/spark-submit .venv-airflow/bin/airflow; do
    [ -x "$program" ] || fail "$program is missing; 'make airflow' sets it up"
done
[ -f "$conf" ] || fail "CONF=$conf is not a file"

# Airflow finds spark-submit on the PATH; its own folder stands first, so that python is its own.
export PATH="$root/.venv-airflow/bin:$root/.venv/bin:$PATH"
export SPARK_CONF_DIR=$root/conf # the same Spark settings as in make run
unset PYTHONPATH SPARK_HOME PYSPARK_DRIVER_PYTHON

export AIRFLOW_HOME=$home
export AIRFLOW__API__HOST=127.0.0.1 AIRFLOW__API__PORT=$port AIRFLOW__API__WORKERS=1
export AIRFLOW__API__BASE_URL=http://127.0.0.1:$port
export AIRFLOW__CORE__DAGS_FOLDER=$root/airflow_dags
export AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY=${AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY:-20} # seconds; somebody waits
export AIRFLOW__CORE__DEFAULT_TIMEZONE=utc
export AIRFLOW__CORE__EXECUTION_API_SERVER_URL=http://127.0.0.1:$port/execution/
export AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__CORE__PARALLELISM=2
export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=sqlite:///$home/airflow.db
export AIRFLOW__LOGGING__BASE_LOG_FOLDER=$home/logs
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False

export AIRFLOW_CONN_SPARK_LSTMREC=${AIRFLOW_CONN_SPARK_LSTMREC:-'{"conn_type": "spark", "host": "local[2]"}'}
export AIRFLOW_VAR_LSTMREC_HOME=$root
AIRFLOW_VAR_LSTMREC_CONF=$(realpath "$conf")
export AIRFLOW_VAR_LSTMREC_CONF

rm -rf "$home"
mkdir -p "$home"
logged "$home/migrate.log" airflow db migrate

set -m # each in a process group of its own, so that its tasks and their Spark end with it
components=()
trap 'trap - EXIT; for group in "${components[@]}"; do kill -- "-$group" 2>/dev/null || true; done; wait' EXIT
trap 'exit 130' INT TERM
start() {
    airflow "$@" >"$home/$1.log" 2>&1 &
    components+=($!)
}
start scheduler --skip-serve-logs
start dag-processor
start triggerer --skip-serve-logs
start api-server

say "Airflow: http://127.0.0.1:$port, user admin, password in $home/simple_auth_manager_passwords.json.generated"
say "its logs: $home; ctrl-C ends it"
ended=0
wait -n || ended=$?
fail "one of its processes ended with $ended; the end of its log in $home says why"
