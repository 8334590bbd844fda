# make refresh, make test: each target does its own set-up, with python3 (3.11 to 3.13) and venv alone.
# make setup: .venv made again, also where it is damaged. make test-full: what make test leaves out.
# Everything else, also with arguments: .venv/bin/citysync --help (make COMMAND is a door to it).
PYTHON ?= python3
PY := .venv/bin/python
SYNC := .venv/bin/uv pip sync -q --no-config --require-hashes
# a run that shall use Spark, and tests where there is Java, find its environment made
SPARK := $(if $(filter spark,$(ENGINE)),.venv-spark/.installed)
JAVA := $(if $(shell command -v java),.venv-spark/.installed)
# another Python's packages would take the place of what is locked
unexport PYTHONPATH PYTHONHOME
$(if $(wildcard requirements/base.txt),,$(error citysync: exit 2: expected the checkout as working directory, found $(CURDIR); use make -C CHECKOUT))
.DEFAULT_GOAL := help
SQL_FOLDERS := warehouse/models warehouse/macros warehouse/tests
SQL := $(shell find $(SQL_FOLDERS) -name '*.sql')
.PHONY: setup test test-full test-long test-browser test-spark spark lint site bench bench-quality FORCE

setup:
	@rm -f .venv/.installed && $(MAKE) --no-print-directory .venv/.installed

# compiled Python is kept in .venv, also where an image says PYTHONDONTWRITEBYTECODE: a command would
# compile its libraries anew
.venv/.installed: requirements/base.txt requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo 'citysync: exit 2: expected Python 3.11 to 3.13; name one: PYTHON=python3.12'; exit 2; }
	@rm -f $@ && $(PYTHON) -m venv --clear .venv
	@$(PY) -m pip install -q --no-compile --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(SYNC) --no-build --python $(PY) $^
	@cd .venv/lib/python3*/site-packages && ln -sfn ../../../../estimation citysync && printf '%s\n' \
		../../../.. 'import sys; sys.pycache_prefix = sys.prefix + "/pycache"; sys.dont_write_bytecode = False' > citysync.pth
	@printf '%s\n' '#!/bin/sh' 'unset PYTHONPATH PYTHONHOME; export PYTHONSAFEPATH=1' 'exec "$$(dirname "$$(readlink -f "$$0")")/python" -m orchestration.command "$$@"' > .venv/bin/citysync
	@chmod +x .venv/bin/citysync && touch $@

.venv/.dev: requirements/dev.txt .venv/.installed
	@$(SYNC) --no-build --python $(PY) $< requirements/uv.txt && touch $@

# pyspark alone has no wheel: spark-build.txt names what builds it
.venv-%/.installed: requirements/%.txt .venv/.installed
	@rm -f $@ && $(PYTHON) -m venv --clear --without-pip .venv-$*
	@$(SYNC) $(if $(filter spark,$*),--build-constraints requirements/spark-build.txt,--no-build) \
		--python .venv-$*/bin/python $< && touch $@

lint: .venv/.dev .venv/.sql
	@$(PY) -m ruff check --no-cache . && $(PY) -m ruff format --no-cache --check .
	@.venv/bin/lint-imports --no-cache
	@$(PY) -m mypy --no-error-summary

# a minute of processor time: done again where SQL or its rules changed
.venv/.sql: .sqlfluff $(SQL) .venv/.dev
	@$(PY) -m sqlfluff lint --processes 2 -q $(SQL_FOLDERS) && touch $@

# loops are compiled beside lint, which uses half of the machine; the tests then find them. Two
# workers fill two processors: threads of BLAS would only wait for each other
test: .venv/.dev
	@$(PY) -m estimation compile >/dev/null & $(MAKE) --no-print-directory lint && wait
	@OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# what needs Java or Chromium is skipped, and said, where there is none; test-long: tests/long
test-full test-long test-browser test-spark spark: .venv/.dev $(JAVA)
	@CITYSYNC_FULL=1 $(PY) -m pytest -rs $(patsubst %,tests/%,$(filter-out full,$(@:test-%=%)))

site: .venv-site/.installed
	@NO_MKDOCS_2_WARNING=1 .venv-site/bin/mkdocs build --strict -q --clean -d "$${CITYSYNC_HOME:-data}/site"

bench: .venv/.dev
	@$(PY) -m benchmarks $(if $(LARGE),--large=$(LARGE))

bench-quality: .venv/.dev
	@$(PY) -m benchmarks.quality --docs docs/evidence/quality-injection.md \
		$(if $(LANDING),--landing="$(LANDING)")

help: .venv/.installed
	@.venv/bin/citysync --help

%: .venv/.installed $(SPARK) FORCE
	@CITYSYNC_MAKE=1 .venv/bin/citysync $@
Makefile .sqlfluff: ;
requirements/%.txt %.sql: ;
