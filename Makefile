# Everything a newcomer types. Each environment is redone when its lock changes, and only then.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

RUN_DATE ?= 1998-04-22
CONF ?= conf/base.yaml
EVENTS ?= 10000000
AIRFLOW_PORT ?= 8080
ITEMS ?= 12101
WIDTH ?= 64
USERS ?= 1000000

TOOLS := .venv-tools/.filled
MAIN := .venv/.filled
AIRFLOW := .venv-airflow/.filled
ANALYST := .venv-analyst/.filled
SAMPLE := var/raw/ml-100k/_SUCCESS

# Spark's Python workers take whatever python3 comes first, and spark-submit any SPARK_HOME: name both.
IN_MAIN := env -u PYTHONPATH \
	PATH="$(CURDIR)/.venv/bin:$$PATH" \
	SPARK_HOME="$(CURDIR)/.venv/lib/python3.11/site-packages/pyspark" \
	PYSPARK_PYTHON="$(CURDIR)/.venv/bin/python" \
	PYSPARK_DRIVER_PYTHON="$(CURDIR)/.venv/bin/python" \
	SPARK_CONF_DIR="$(CURDIR)/conf" \
	TF_CPP_MIN_LOG_LEVEL=2

##@ Use
.PHONY: help
help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nVariables: RUN_DATE=%s CONF=%s PYTHON=(found) LSTMREC_CACHE=(~/.cache/lstmrec)\n' \
		'$(RUN_DATE)' '$(CONF)'

.PHONY: run
run: $(MAIN) $(SAMPLE) ## the whole road on the sample log: raw clicks to top-N lists
	@$(IN_MAIN) .venv/bin/spark-submit --master 'local[2]' \
		jobs/run_road.py --conf '$(CONF)' --run-date '$(RUN_DATE)'

.PHONY: airflow
airflow: $(MAIN) $(AIRFLOW) ## Airflow on loopback with the DAGs, paused, for CONF, until ctrl-C (AIRFLOW_PORT=8080)
	@CONF='$(CONF)' AIRFLOW_PORT='$(AIRFLOW_PORT)' .ci/airflow.sh

.PHONY: tune
tune: $(MAIN) ## settings by Optuna on the lake of CONF, as it was left for RUN_DATE; writes a file for CONF
	@$(IN_MAIN) .venv/bin/spark-submit --master 'local[2]' \
		jobs/tune_model.py --conf '$(CONF)' --run-date '$(RUN_DATE)'

.PHONY: run-airflow
run-airflow: $(MAIN) $(AIRFLOW) $(ANALYST) ## three nights of a small log in a real Airflow, with what goes wrong at night
	@env -u PYTHONPATH .venv-airflow/bin/python tests/airflow_dags/three_nights.py \
		--folder var/nights --port '$(AIRFLOW_PORT)'

##@ Check
.PHONY: test
test: $(MAIN) $(AIRFLOW) $(ANALYST) lint ## everything: linters, types, all tests
	@.ci/chromium.sh
	@env -u PYTHONPATH .venv-airflow/bin/python -m pytest tests/airflow_dags --confcutdir tests/airflow_dags
	@$(IN_MAIN) .venv/bin/pytest tests --ignore tests/airflow_dags -m 'not deep'

.PHONY: check
check: $(MAIN) lint ## the quick half of it: linters, types, the tests not marked slow
	@$(IN_MAIN) .venv/bin/pytest tests --ignore tests/airflow_dags -m 'not slow'

.PHONY: test-deep
test-deep: $(MAIN) ## many more examples of what holds for every log and every crash; an hour or so
	@$(IN_MAIN) .venv/bin/pytest tests/jobs/test_any_batches.py tests/jobs/test_crash.py \
		tests/jobs/test_publication.py tests/learn/test_training_with_attributes.py --hypothesis-profile deep

.PHONY: airflow-drill
airflow-drill: $(MAIN) $(AIRFLOW) $(ANALYST) ## test what run-airflow shows, and that no secret is in a log
	@env -u PYTHONPATH .venv-airflow/bin/python -m pytest tests/airflow_dags --confcutdir tests/airflow_dags -m deep

.PHONY: bench-sessions
bench-sessions: $(MAIN) $(ANALYST) ## how fast sessions are cut, next to DuckDB, polars and a plain window (EVENTS=10000000)
	@$(IN_MAIN) .venv/bin/python -m tests.benchmarks.sessionize --events '$(EVENTS)' --skew \
		--folder var/bench --out var/bench/sessions.json

.PHONY: bench-night
bench-night: $(MAIN) ## how long a night takes as the history grows to 30 times its size
	@$(IN_MAIN) .venv/bin/python -m tests.benchmarks.nightly_step --out var/bench/night.json

.PHONY: bench-own-sessions
bench-own-sessions: $(MAIN) ## sessions of a real log beside its own (LOG='a.tsv b.tsv': SessionId ItemId Time)
	@$(IN_MAIN) .venv/bin/python -m tests.benchmarks.own_sessions --log $(LOG) --out var/bench/own_sessions.json

.PHONY: bench-score
bench-score: $(MAIN) $(ANALYST) ## how fast lists are ranked, next to faiss, numpy and the bare product (ITEMS=12101 WIDTH=64)
	@$(IN_MAIN) OMP_NUM_THREADS=1 .venv/bin/python -m tests.benchmarks.score --items '$(ITEMS)' --width '$(WIDTH)' \
		--out var/bench/score.json

.PHONY: bench-users
bench-users: $(MAIN) ## how long the scoring job takes as users grow tenfold, up to USERS=1000000
	@$(IN_MAIN) .venv/bin/python -m tests.benchmarks.score_users --users '$(USERS)' --items '$(ITEMS)' \
		--width '$(WIDTH)' --out var/bench/users.json

.PHONY: bench-encoders
bench-encoders: $(MAIN) ## the encoder of the model that serves RUN_DATE, in float32 and in int8 (after make run)
	@$(IN_MAIN) OMP_NUM_THREADS=1 .venv/bin/python -m tests.benchmarks.encoders --conf '$(CONF)' \
		--run-date '$(RUN_DATE)' --out var/bench/encoders.json

.PHONY: bench-train
bench-train: $(MAIN) ## how fast a training learns, by one process and by two, next to large products (ITEMS=12101 WIDTH=64)
	@$(IN_MAIN) .venv/bin/python -m tests.benchmarks.train --items '$(ITEMS)' --width '$(WIDTH)' \
		--out var/bench/train.json

.PHONY: bench-large
bench-large: $(MAIN) ## how fast a training with drawn items learns over a million items, and in how much memory
	@$(IN_MAIN) .venv/bin/python -m tests.benchmarks.train --items 1000000 --loss sampled --width '$(WIDTH)' \
		--rows 20000 --out var/bench/large.json

.PHONY: bench-ranks
bench-ranks: $(MAIN) ## what 1, 2 and 4 training processes reach, and how fast, on TRAIN=TSV (SessionId, ItemId, Time)
	@$(IN_MAIN) .venv/bin/python -m tests.benchmarks.train_by_ranks --train '$(TRAIN)' --out var/bench/ranks.json

.PHONY: bench-peer
bench-peer: $(MAIN) ## how fast a training learns next to the official GRU4Rec (TRAIN=TSV PEER=FOLDER PEER_PYTHON=PYTHON)
	@$(IN_MAIN) .venv/bin/python -m tests.benchmarks.train_beside_peer --train '$(TRAIN)' --peer '$(PEER)' \
		--peer-python '$(PEER_PYTHON)' --out var/bench/peer.json

.PHONY: bench-items
bench-items: $(MAIN) ## next-item quality by leave-one-out on SEQUENCES=FILE (a line a user: id, then items, oldest first; ATTRIBUTES=FILE BASELINES=1)
	@$(IN_MAIN) .venv/bin/python -m tests.benchmarks.leave_one_out --sequences '$(SEQUENCES)' $(if $(BASELINES),--baselines) \
		$(if $(ATTRIBUTES),--attributes '$(ATTRIBUTES)') --out 'var/bench/items-$(basename $(notdir $(SEQUENCES))).json'

.PHONY: bench-clicks
bench-clicks: $(MAIN) ## next-click quality by session on TRAIN=TSV and TEST=TSV (SessionId, ItemId, Time), with item-kNN and V-SkNN
	@$(IN_MAIN) .venv/bin/python -m tests.benchmarks.session_next_item --train '$(TRAIN)' --test '$(TEST)' \
		--out var/bench/clicks.json

.PHONY: bench-time
bench-time: $(MAIN) ## next-item quality by a global split in time of EVENTS_FILE=TSV (SessionId: the user, ItemId, Time), with baselines
	@$(IN_MAIN) .venv/bin/python -m tests.benchmarks.temporal_split --events '$(EVENTS_FILE)' --out var/bench/time.json

.PHONY: lint
lint: $(MAIN)
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

.PHONY: format
format: $(MAIN) ## let ruff format the code and mend what it can
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

.PHONY: hooks
hooks: $(MAIN) ## run ruff and mypy before each commit
	@.venv/bin/pre-commit install

##@ Set up
.PHONY: setup
setup: $(MAIN) $(AIRFLOW) $(ANALYST) ## the three environments, with Horovod and Delta's jars

.PHONY: data
data: $(SAMPLE) ## MovieLens-100K, written out as a web log in var/raw/ml-100k

.PHONY: lock
lock: $(TOOLS) ## resolve conf/locks/*.in anew (UPGRADE=--upgrade moves every pin)
	@.ci/lock.sh $(UPGRADE)

.PHONY: clean
clean: ## remove the environments and all caches here; var/ and LSTMREC_CACHE stay
	rm -rf .venv .venv-tools .venv-airflow .venv-analyst build dist *.egg-info
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache spark-warehouse metastore_db derby.log
	find . -name __pycache__ -prune -exec rm -rf {} +

# Below, `| prerequisites` runs the check before anything is made, and never makes anything out of date.
.PHONY: prerequisites
prerequisites:
	@.ci/prerequisites.sh

$(TOOLS): conf/locks/build.txt | prerequisites
	@"$$(.ci/prerequisites.sh --python)" -m venv --clear .venv-tools
	@.venv-tools/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

$(MAIN): conf/locks/main.txt conf/locks/horovod.txt conf/locks/jars.txt setup.py \
		.ci/main_venv.sh .ci/horovod.sh .ci/delta_jars.sh $(TOOLS) | prerequisites
	@.ci/main_venv.sh
	@touch $@

$(AIRFLOW): conf/locks/airflow.txt $(TOOLS) | prerequisites
	@.ci/venv.sh .venv-airflow $<
	@touch $@

$(ANALYST): conf/locks/analyst.txt $(TOOLS) | prerequisites
	@.ci/venv.sh .venv-analyst $<
	@touch $@

$(SAMPLE): conf/locks/data.txt lstmrec/samples/movielens.py | $(MAIN)
	@wheel=$$(.ci/sample_wheel.sh); \
		$(IN_MAIN) .venv/bin/python -m lstmrec.samples.movielens --wheel "$$wheel" --out $(@D)
