# One-line calls of the `citycard` command and of the tools; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
# How many test processes; one per processor unless said otherwise: make test WORKERS=1
WORKERS ?= auto
# The programs of Debian's PostgreSQL, for the marked subset of the tests
DEBIAN_PG := $(firstword $(wildcard /usr/lib/postgresql/*/bin))
# Further words for the command: make demo ARGS="--language en"
ARGS ?=

.PHONY: help run stop demo people newcomer terminal pages api screenshots test test-debian test-full bench crash docs doctor lint format types check db-check lock clean ready-run ready-dev

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ready-run ## start everything: servers, demo city, web, worker, outside (Ctrl-C ends it)
	@exec $(BIN)/citycard run $(ARGS)

stop: ready-run ## end a run that was started elsewhere
	@$(BIN)/citycard stop $(ARGS)

demo: ready-run ## walk the story against the running program, told step by step
	@$(BIN)/citycard demo $(ARGS)

people: ready-run ## print, as JSON, who one can be in the demo city
	@$(BIN)/citycard people $(ARGS)

newcomer: ready-run ## somebody new to be in the app: number, name, citizen number
	@$(BIN)/citycard people --newcomer

terminal: ready-run ## an enrolment code for a counter of the demo city (/desk/)
	@$(BIN)/citycard terminal enrol $(ARGS)

pages: ready-run ## build the pages that are missing or out of date (run does it by itself)
	@$(BIN)/citycard pages $(ARGS)

api: ready-run ## write the API's types for the pages anew, from the program that runs
	@$(BIN)/citycard api

screenshots: ready-dev ## every page of both apps in both languages and both modes, into docs/screenshots (needs Chromium)
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/pages/taking_screenshots.py tests/pages_desk/taking_screenshots.py $(ARGS)

test: ready-dev ## the everyday tests, on a real PostgreSQL and a real Valkey
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not full" $(ARGS)

test-debian: ready-dev ## what another PostgreSQL could break, on Debian's (apt-get install postgresql-15)
	@test -n "$(DEBIAN_PG)" || { echo "apt-get install -y postgresql-15 (for its programs alone)" >&2; exit 1; }
	@CITYCARD_PG_BIN=$(DEBIAN_PG) $(BIN)/python -m pytest -n $(WORKERS) -m "subset and not full" $(ARGS)

test-full: ready-dev ## every test, and the marked subset again on Debian's PostgreSQL
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)
	@$(MAKE) test-debian

bench: ready-dev ## measure against the frozen limits, in CPU time per operation too
	@$(BIN)/citycard bench $(ARGS)

crash: ready-dev ## kill each part in mid-charge and check the books (short form; ARGS="--long" for 200 cycles)
	@$(BIN)/citycard crash $(ARGS)

docs: ready-dev ## check the documentation against the code
	@$(BIN)/python -m pytest -q tests/docs $(ARGS)

doctor: ## name what this machine still lacks, as one line to type
	@sh command/environment.sh doctor

lint: ready-dev ## style, imports between floors
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

format: ready-dev ## put the code into shape
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

types: ready-dev ## mypy --strict
	@$(BIN)/mypy

check: lint types test ## everything that must hold before a change is handed in

db-check: ready-run ## whether the running database has every migration and nothing else
	@$(BIN)/citycard db check

lock: ## solve the requirements anew, with hashes and without addresses of any index (needs uv)
	@sh command/environment.sh lock

clean: ## remove the environment and caches (the demo city's data in var/ stay)
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

ready-run:
	@sh command/environment.sh run

ready-dev:
	@sh command/environment.sh dev
