# Two commands do all the set-up: `make run` and `make test`. Everything they make lies in .venv/ and data/.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
DATA ?= data
CONSTRAINTS := .ci/constraints.txt
# Also holds for what building a package needs. Relative: pip takes a space for the end of a path.
export PIP_CONSTRAINT := $(CONSTRAINTS)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Else pip tells at length how it will build two packages in the future.
export PIP_USE_PEP517 := 1

# Root installs the service, everybody else a command of their own; FOR=me or FOR=service says which.
FOR ?= $(if $(filter 0,$(shell id -u)),service,me)
# Whether what `make run` has collected is taken along: ask, yes or no.
TAKE ?= ask
# Of the system that is installed into; a folder, to try it.
ROOT ?= /
# It leaves no bytecode in a checkout that may be somebody else's.
INSTALLATION = $(PYTHON) -B -m ingest.installation --environment $(VENV) --data "$(DATA)"


.PHONY: python run install uninstall test browser pictures readme-pictures demo week status second-opinion lint types bench compare fuzz guided mutants grafana words names constraints clean help
.DEFAULT_GOAL := help

help:  ## say what can be made
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

run: $(VENV)/run  ## install, and run the daemon in data/
	@exec $(BIN)/hartslag --data $(DATA) run

week: $(VENV)/run  ## show this week's minutes
	@$(BIN)/hartslag --data $(DATA) week

status: $(VENV)/run  ## show what is collected and what waits
	@$(BIN)/hartslag --data $(DATA) status

install: $(if $(filter me,$(FOR)),$(VENV)/run,python)  ## with sudo: have it start with this computer; without: let you write `hartslag` in any folder
	@$(INSTALLATION) install $(if $(filter service,$(FOR)),--service --root "$(ROOT)" --take $(TAKE))

uninstall: python  ## take that away again; data stay
	@$(INSTALLATION) uninstall $(if $(filter service,$(FOR)),--service --root "$(ROOT)")

test: $(VENV)/test  ## install what tests need, and run them all but those in a browser
	$(BIN)/pytest -n auto --dist worksteal -m "not browser"

browser: $(VENV)/test  ## draw a selection of dashboards, and all pages of the report, in Chromium, and look for what is wrong
	@# Two workers, a browser each; what one household needs is made once, by the worker that has all of its pictures.
	$(BIN)/pytest -n 2 --dist loadscope tests/grafana/test_browser.py tests/report/test_browser.py

pictures: $(VENV)/test  ## draw all dashboards in all states, stores, windows and themes, into build/pictures
	@# LOOKS="--language nl --only week phone" draws a part of them.
	@$(BIN)/python -m tests.support.pictures $(LOOKS)

readme-pictures: $(VENV)/test  ## draw the pictures of README and docs/ again, from the made-up household
	@$(BIN)/python -m tests.support.readme_pictures

demo: $(VENV)/run  ## make up a household in demo/, to try everything on
	@# Where there is one already it says how to look at it: nothing went wrong.
	@$(BIN)/hartslag demo || [ -e demo/hartslag.toml ]

second-opinion: $(VENV)/second-opinion  ## the tests that ask other programs for their opinion: half a gigabyte
	$(BIN)/pytest tests/zones

lint: $(VENV)/lint  ## look for mistakes and for untidiness
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/lint  ## check the types, strictly
	$(BIN)/mypy

compare: $(VENV)/run  ## hold this tree against COMMIT: whatever a user can do must give the same bytes
	$(BIN)/python -m tests.bench.side_by_side $(COMMIT)

bench: $(VENV)/bench  ## measure against other programs, as ratios
	$(BIN)/python -m tests.bench

fuzz: $(VENV)/bench  ## a million broken FIT files
	$(BIN)/python -W error -m tests.fuzz.fit --runs 1000000

guided: $(VENV)/bench  ## let atheris look for what breaks the reader, five minutes long
	@$(BIN)/pip install --quiet -e '.[fuzz]'
	$(BIN)/python -m tests.fuzz.fit --guided -max_len=4096 -max_total_time=300

mutants: $(VENV)/second-opinion  ## change the code a little, thousands of times, and list what no test notices: hours
	@$(BIN)/pip install --quiet -e '.[mutants]'
	$(BIN)/mutmut run
	$(BIN)/mutmut results

grafana: $(VENV)/run  ## renew the dashboards in config/grafana from their specification
	@$(BIN)/python -m ingest.grafana

words: $(VENV)/run  ## collect all texts into the catalogues of languages, and compile these
	@mkdir -p build
	@$(BIN)/pybabel -q extract -F pyproject.toml -k N_ -k NN_:1,2 --add-location=file --sort-by-file --project=hartslag -o build/hartslag.pot ingest
	@$(BIN)/pybabel -q update -i build/hartslag.pot -D hartslag -d ingest/locale --no-fuzzy-matching --ignore-obsolete -w 110
	@# Who made it, when and with what would change with each run; the dates stay, as Babel puts today where they are missing.
	@sed -i -E -e '/^"(Project|Report|Last|Language-Team|Generated)/d' -e 's/^"(POT-Creation|PO-Revision)-Date: .*\\n/"\1-Date: 2026-01-01 00:00+0000\\n/' ingest/locale/*/LC_MESSAGES/hartslag.po
	@$(BIN)/pybabel -q compile -D hartslag -d ingest/locale

names: $(VENV)/run  ## renew what makers, watches and sports are called, out of the newest fit-tool
	rm -rf build/fit-tool
	$(BIN)/pip install -q --no-deps --target build/fit-tool fit-tool
	$(BIN)/python .ci/profile-names build/fit-tool

constraints:  ## write down the newest versions that fit
	rm -rf $(VENV)/fresh
	$(PYTHON) -m venv $(VENV)/fresh
	env -u PIP_CONSTRAINT $(VENV)/fresh/bin/pip install -q --upgrade -e '.[fast,tests,lint,second-opinion,mutants,bench,fuzz]' setuptools wheel hatchling editables
	env -u PIP_CONSTRAINT $(VENV)/fresh/bin/pip install -q --no-deps pyhrv
	$(VENV)/fresh/bin/pip freeze --all --exclude-editable | grep -v '^pip==' > $(CONSTRAINTS)
	rm -rf $(VENV)/fresh

clean:  ## remove what was installed; data/ stays
	rm -rf $(VENV)

# --- the virtual environment, once per change of what it holds ---

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is missing. Install it with:  sudo apt install python3 python3-venv"; exit 1; }

$(VENV)/run: pyproject.toml $(CONSTRAINTS) | python
	@$(INSTALLATION) packages
	@touch $@

$(VENV)/test: $(VENV)/run
	@echo "Installing what the tests need ..."
	@$(BIN)/pip install --quiet -e '.[tests]'
	@touch $@

$(VENV)/second-opinion: $(VENV)/test
	@$(BIN)/pip install --quiet -e '.[tests,second-opinion]'
	@# Only for the intervals and the published report in it; what it depends on is never run.
	@$(BIN)/pip install --quiet --no-deps pyhrv
	@touch $@

$(VENV)/lint: $(VENV)/test
	@$(BIN)/pip install --quiet -e '.[tests,lint]'
	@touch $@

$(VENV)/bench: $(VENV)/test
	@$(BIN)/pip install --quiet -e '.[tests,bench]'
	@# garmin-fit-sdk brings its tests along, as a package that would hide ours.
	@rm -rf $(VENV)/lib/python3*/site-packages/tests
	@# GarminDB pins all that it needs, to other versions than ours: it has a place of its own.
	@$(PYTHON) -m venv $(VENV)/garmindb
	@env -u PIP_CONSTRAINT $(VENV)/garmindb/bin/pip install --quiet garmindb==3.7.0
	@touch $@
