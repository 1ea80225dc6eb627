PYTHON ?= python3
BIN    := .venv/bin
# Compiled are the modules that are used, when they are: compiling all of them takes as long as the rest of the install.
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: help install run ui demo test-programs test lint docs bench bench-heads bench-mtl-heads bench-census clean chaos bench-chaos bench-hostile

help:  ## what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 17

# constraints.txt pins every package, so that each machine runs what the tests ran.
$(BIN)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -e . -c constraints.txt
	touch $@

$(BIN)/.installed-test: $(BIN)/.installed
	$(PIP) -e '.[test]' -c constraints.txt
	touch $@

install: $(BIN)/.installed  ## create .venv and install the application

run: install  ## open the demo shop and run one whole night on it
	$(BIN)/fivefold run

ui: install  ## Prefect's pages on http://127.0.0.1:4200 and every night at two, until Ctrl-C
	$(BIN)/fivefold serve

demo: install  ## the same in .fivefold/demo, where the demo shop lives three nights at once, some minutes in all
	$(BIN)/fivefold serve --source demo_shop:small --home .fivefold/demo --nights 3

# Tests start a PostgreSQL server and a browser of their own; where these can be installed they are, elsewhere such tests
# are skipped.
test-programs:
	@test -d /usr/lib/postgresql && \
		for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v $$name; done | grep -q . || \
		! command -v apt-get >/dev/null || test "$$(id -u)" != 0 || \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql chromium; } >/dev/null || true

# The S3 server of the tests has an environment of its own, for its pins clash with others'; 300 MB, skipped offline.
.venv-moto/.installed: tests/object_storage/moto.txt
	test -x .venv-moto/bin/python || $(PYTHON) -m venv .venv-moto
	.venv-moto/bin/pip install --quiet --disable-pip-version-check --no-compile -r $< && touch $@ || true

test:  ## install the test extras and run every test
	@$(MAKE) --no-print-directory --jobs=3 $(BIN)/.installed-test test-programs .venv-moto/.installed
	$(BIN)/python -m pytest -rs --numprocesses=auto --maxprocesses=4 --dist=loadgroup

lint: $(BIN)/.installed-test  ## ruff and mypy
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

docs: install  ## write docs/dictionary.md and docs/settings.md anew, and the README's answers from the last night
	$(BIN)/python -m warehouse.contracts.dictionary
	$(BIN)/python -m flows.settings_page
	$(BIN)/python docs/refresh_readme.py

# Minutes each, with nothing to be given.
BENCHMARKS := balancing ingest validation publish postgres night transfer

bench: $(BIN)/.installed-test  ## the benchmarks that take minutes, a table and a JSON line each; make bench-night runs one
	for name in $(BENCHMARKS); do echo "== $$name"; PYTHONPATH=. $(BIN)/python benchmarks/bench_$$name.py || exit 1; done
	@echo "left out: make bench-load, bench-plan, bench-recovery, bench-mtl-synthetic, bench-heads, bench-mtl-heads (longer),"
	@echo "bench-census DATA=census-income.test.gz (needs that file); docs/benchmarks.md says what they measure"

# ARGS are the benchmark's own arguments, as its --help or its first lines say.
$(BENCHMARKS:%=bench-%) bench-load bench-plan bench-embeddings bench-recovery bench-mtl-synthetic bench-bad-shops bench-same-night bench-engines: bench-%: $(BIN)/.installed-test
	PYTHONPATH=. $(BIN)/python benchmarks/bench_$(subst -,_,$*).py $(ARGS)

# PYTHONPATH: its shop is the one of the tests.
chaos: $(BIN)/.installed-test  ## nights killed again and again, full disks, readers without pause: SECONDS=1800 SEED=1
	PYTHONPATH=. $(BIN)/python benchmarks/bench_chaos.py --seconds $(or $(SECONDS),1800) --seed $(or $(SEED),1) $(ARGS)
	PYTHONPATH=. $(BIN)/python benchmarks/bench_hostile.py --seconds 60 --seed $(or $(SEED),1)

bench-chaos: chaos

bench-hostile: $(BIN)/.installed-test  ## feeds that are broken, huge or bombs, and files that chance has spoilt
	PYTHONPATH=. $(BIN)/python benchmarks/bench_hostile.py --seed $(or $(SEED),1) $(ARGS)

bench-heads: $(BIN)/.installed-test  ## every head beside LightGBM, EASE and naive, goal by goal; fills docs/quality.md
	$(PIP) lightgbm -c constraints.txt
	$(BIN)/python benchmarks/bench_heads.py --write $(ARGS)

bench-mtl-heads: $(BIN)/.installed-test  ## every way of sharing beside each task alone, in hours; fills docs/heads.md
	$(BIN)/python benchmarks/bench_mtl_heads.py --write $(ARGS)

bench-census: $(BIN)/.installed-test  ## our engine beside other libraries on census data: DATA=census-income.test.gz
	@test -f "$(DATA)" || { echo "Remedy: make bench-census DATA=census-income.test.gz, of UCI's Census-Income (KDD)"; exit 2; }
	$(BIN)/python benchmarks/bench_mtl_census.py "$(DATA)" $(ARGS)

clean:  ## remove the environment, caches and build products (keeps .fivefold)
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
