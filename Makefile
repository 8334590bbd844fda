# Every target does its own set-up. Needs only python3 (3.11 to 3.13) with venv, and make.
SHELL := /bin/sh
PYTHON ?= python3
CITYSYNC_HOME ?= data
override VENV := .venv
override PY := $(VENV)/bin/python
override STAMP := $(VENV)/.installed
override DEV := $(VENV)/.installed-dev
override BROWSER := .venv-browser
override SET_UP := orchestration/commands/set_up.py

export CITYSYNC_HOME
# libraries are compiled once, when they are installed; nothing is written beside our own sources
export PYTHONDONTWRITEBYTECODE := 1
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
export DAGSTER_DISABLE_TELEMETRY := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

# What a person gives is data. make would expand a value where it is used and again where it is exported, so `LANDING='$(shell ...)'` would
# run a command: every variable of the command line, and these ones of the environment, become their own text, to which make does nothing more.
# They reach the commands through the environment, so that no character of a path or a query is the shell's either. `override`: what is typed
# takes the place of no part of this.
override INPUTS := CITYSYNC_HOME LANDING Q SRC LARGE PLACES SCALE RUN CSV OUT ADVISORIES ENGINE ANALYSES PYTHON
# make's own, which it would take from anywhere and expand
override VPATH :=
override GPATH :=
override .EXTRA_PREREQS :=
override .LIBPATTERNS :=
override literal = $(eval override $(1) := $$(value $(1)))$(eval export $(1))
override given = $(if $(filter command,$(firstword $(origin $(1)))),$(1),$(if $(filter environment,$(firstword $(origin $(1)))),$(filter $(1),$(INPUTS))))
override name :=
override 0 :=
override 1 :=
$(foreach name,$(INPUTS) $(.VARIABLES),$(if $(findstring $$,$(name)),,$(if $(call given,$(name)),$(call literal,$(name)))))
# other programs' packages and another Python's home would take the place of what is locked
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help setup refresh test test-long test-browser test-spark lint fetch check-source new-source ui sql docs verify rollback reproduce deposit site audit bench spark bench-quality bench-halves simulation-study clean FORCE

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 20

setup: $(STAMP) ## make .venv from the lock file (the other targets call it when needed)

# uv installs a hashed lock in seconds and resolves extras that pip's own --require-hashes stumbles over. What an environment holds decides
# whether it is made again, not the dates of files; one that is whole says so itself, whatever python3 is today.
$(STAMP): requirements.lock FORCE | requirements-installer.lock
	@$(PY) -I -S $(SET_UP) $(VENV) requirements.lock --is-whole 2>/dev/null || $(PYTHON) -I $(SET_UP) $(VENV) requirements.lock --checkout .
	@test -x $(PY) || { echo "citysync setup: exit 2: the Python that was asked for made no $(VENV): say which to take (make setup PYTHON=/usr/bin/python3)"; exit 2; }

# a run that shall use Spark finds its environment made
override ON_SPARK := $(if $(filter spark,$(ENGINE)),.venv-spark/.installed)

refresh: setup $(ON_SPARK) ## read the landing, build, check, estimate, report, publish (LANDING=path; default: simulated; ENGINE=spark)
	@$(PY) -m orchestration refresh $(if $(LANDING),--landing="$$LANDING")

# what tests, lint and benchmarks need beside what a refresh needs; a new environment has no such stamp
$(DEV): requirements-dev.lock $(STAMP)
	@$(VENV)/bin/uv pip install --quiet --no-config --no-deps --compile-bytecode --python $(PY) --require-hashes -r requirements-dev.lock
	@touch $@

# loops are compiled beside lint, which uses half of the machine; the tests then find them
test: setup $(DEV) ## lint, import rules, dbt unit and data tests, Python tests, one small end-to-end run
	@$(PY) -m estimation compile >/dev/null & $(MAKE) --no-print-directory lint && wait
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-long: setup $(DEV) ## fault and load tests in full: readers, kills, full disk (about an hour and a half)
	@CITYSYNC_LONG=1 $(PY) -m pytest tests/long tests/long/full_editions.py

# axe-core comes inside a Python package, taken without its dependencies (a driver that brings a browser of its own)
$(BROWSER)/.installed: tests/browser/requirements.lock $(STAMP)
	@rm -rf $(BROWSER)
	@$(VENV)/bin/uv pip install --quiet --python $(PY) --target $(BROWSER) --no-deps --require-hashes -r tests/browser/requirements.lock
	@touch $@

test-browser: setup $(DEV) $(BROWSER)/.installed ## the pages in headless Chromium, with axe (needs Debian's package chromium)
	@CITYSYNC_AXE=$(BROWSER) $(PY) -m pytest tests/browser

test-spark: setup $(DEV) .venv-spark/.installed ## a whole refresh on a Spark cluster of three processes, a worker killed in the middle (needs Java 17 or 21)
	@$(PY) -m pytest -rs -s tests/cluster

lint: setup $(DEV) ## ruff, sqlfluff and the import rules
	@$(VENV)/bin/ruff check --no-cache .
	@$(VENV)/bin/ruff format --no-cache --check .
	@$(VENV)/bin/sqlfluff lint --processes 2 -q warehouse/models warehouse/macros warehouse/tests
	@$(VENV)/bin/lint-imports --no-cache

check-source: setup ## read and judge one source against the published warehouse, in seconds (SRC=folder)
	@$(PY) -m orchestration check-source --source="$$SRC"

fetch: setup ## official data from their service, for this machine alone (SRC=nbs or world_bank; LANDING=path to write into)
	@$(PY) -m orchestration fetch --source="$$SRC" $(if $(LANDING),--landing="$$LANDING")

new-source: setup ## draft a layout for an unknown source (SRC=folder)
	@$(PY) -m warehouse.ingest.drafting.new_source -- "$$SRC"

ui: setup $(ON_SPARK) ## Dagster UI on 127.0.0.1:3000 (LANDING=path: its runs read these files)
	@$(PY) -m orchestration ui $(if $(LANDING),--landing="$$LANDING")

sql: setup ## read-only SQL prompt on the published warehouse (Q="select 1" prints one result, OUT=file writes it: .csv, .parquet, .xlsx)
	@$(PY) -m orchestration sql $(if $(Q),--query="$$Q") $(if $(OUT)$(CSV),--out="$${OUT:-$$CSV}")

docs: setup ## static documentation of the models and their lineage
	@$(PY) -m orchestration docs

verify: setup ## hash everything published again and name what changed (RUN=id: one that is kept; LANDING=path: against its files)
	@$(PY) -m orchestration verify $(if $(RUN),--run="$$RUN") $(if $(LANDING),--landing="$$LANDING")

rollback: setup ## put the publication before the current one back (RUN=id: that one)
	@$(PY) -m orchestration rollback $(if $(RUN),--run="$$RUN")

reproduce: setup $(ON_SPARK) ## build a publication again and compare its tables (RUN=id, LANDING=path of its files)
	@$(PY) -m orchestration reproduce $(if $(RUN),--run="$$RUN") $(if $(LANDING),--landing="$$LANDING")

deposit: setup ## a replication folder of a publication, for a journal or an archive (RUN=id: one that is kept)
	@$(PY) -m orchestration deposit $(if $(RUN),--run="$$RUN")

# Material prints what its successor is called on every build
site: .venv-site/.installed ## this documentation as pages, with the library's reference, links checked: CITYSYNC_HOME/site/index.html
	@NO_MKDOCS_2_WARNING=1 .venv-site/bin/mkdocs build --strict --quiet --clean -d "$$CITYSYNC_HOME/site"
	@.venv-site/bin/python docs/site/check.py "$$CITYSYNC_HOME/site"

audit: setup ## compare what is installed with the lock file, offline, and list licences (ADVISORIES=path: and known advisories)
	@$(PY) -m orchestration audit $(if $(ADVISORIES),--advisories="$$ADVISORIES")

bench: setup $(DEV) .venv-peers/.installed ## benchmarks and peers, one JSON object a line (LARGE=2850 adds counties: 10 GB of disk)
	@$(PY) -m benchmarks --picture docs/images/scale.svg $(if $(LARGE),--large="$$LARGE")

spark: setup .venv-spark/.installed ## the pair models on Spark, and the largest difference to DuckDB's (PLACES=60; needs Java 17 or 21)
	@command -v java >/dev/null || { echo "no Java: on Debian apt-get install default-jre-headless"; exit 2; }
	@test -f "$$CITYSYNC_HOME/build/citysync.duckdb" || { echo "no build to take city-years from: run make refresh first"; exit 2; }
	@rm -rf "$$CITYSYNC_HOME/spark"
	@$(PY) -m warehouse.spark.inputs "$$CITYSYNC_HOME/build/citysync.duckdb" "$$CITYSYNC_HOME/spark/inputs" --places="$${PLACES:-60}"
	@.venv-spark/bin/python -m warehouse.spark.run "$$CITYSYNC_HOME/spark/inputs" "$$CITYSYNC_HOME/spark/outputs"
	@$(PY) -m warehouse.spark.parity "$$CITYSYNC_HOME/spark/inputs" "$$CITYSYNC_HOME/spark/outputs"

# environments of their own: duckreg does not run on the warehouse's DuckDB, and Spark brings a JVM client
.venv-%/.installed: requirements-%.lock FORCE | setup
	@.venv-$*/bin/python -I -S $(SET_UP) .venv-$* requirements-$*.lock --is-whole 2>/dev/null || $(PYTHON) -I $(SET_UP) .venv-$* requirements-$*.lock --uv $(VENV)/bin/uv

simulation-study: setup ## size, power and coverage of the inference into docs/evidence/simulation-study.md (SCALE=0.05 for a first look)
	@$(PY) -m benchmarks.simulation_study $(if $(SCALE),--scale="$$SCALE")
	@$(PY) -m benchmarks.simulated_landing $(if $(SCALE),--scale="$$SCALE")

bench-quality: setup ## inject defects into clean landings and measure what the rules find (LANDING=path adds delivered files)
	@$(PY) -m benchmarks.quality --docs docs/evidence/quality-injection.md $(if $(LANDING),--landing="$$LANDING")

bench-halves: setup ## thresholds of the quality rules chosen on even years, measured on odd ones (LANDING=path adds delivered files)
	@$(PY) -m benchmarks.quality.halves --docs docs/evidence/quality-injection.md $(if $(LANDING),--landing="$$LANDING")

# the system's Python where there is no environment yet: cleaning needs none
clean: ## remove what a run can make again (never publications or the archive; not beside a refresh)
	@if test -x $(PY); then $(PY) -m orchestration clean; else $(PYTHON) -m orchestration clean; fi
