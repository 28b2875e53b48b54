# Two commands on a fresh machine: `make demo` and `make test`. Both make .venv first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed-from-lock

.PHONY: demo test test-kafka check audit kafka chaos chain bench dashboards nightly lock clean

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "yocho needs Python 3.11 or newer; set PYTHON=python3.12, say"; exit 1; }
	@echo "== set-up: .venv from requirements.lock (once, about a minute)"
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: on Debian install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP)
	@$(BIN)/yocho demo $(if $(SECONDS),--seconds $(SECONDS))

# what starts brokers and workers goes first and by file; it waits more than it works, but many at once miss sessions
test: $(STAMP) check
	$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder --durations=10 tests/end_to_end
	$(BIN)/pytest -q -n 2 --durations=10 --ignore=tests/end_to_end

# the end-to-end tests on Apache Kafka instead of the embedded broker
KAFKA_TESTS ?= tests/end_to_end

test-kafka: $(STAMP) kafka
	YOCHO_TEST_BROKER=kafka $(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder $(KAFKA_TESTS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# known vulnerabilities of what is locked, where the advisory service can be asked
audit: $(STAMP)
	@$(BIN)/python deploy/audit.py requirements.lock

nightly: $(STAMP)
	HYPOTHESIS_PROFILE=nightly $(BIN)/pytest -q -m ""

# Apache Kafka from its Maven artifacts, into .kafka/libs: a real broker without Docker
KAFKA_JARS := .kafka/libs/.fetched

kafka: $(KAFKA_JARS)

$(KAFKA_JARS): deploy/kafka/pom.xml
	@command -v mvn >/dev/null && command -v java >/dev/null || { echo "Apache Kafka needs JDK 17 and Maven here: on Debian install openjdk-17-jre-headless and maven, or use docker compose up"; exit 1; }
	@echo "== Apache Kafka from its Maven artifacts (once, about ten seconds)"
	@rm -rf .kafka/libs
	@mvn --batch-mode --quiet --file deploy/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/.kafka/libs
	@touch $@

# faults and bad input at full length, an hour and more; CI does the short ones among the end-to-end tests
chaos: $(STAMP) kafka
	$(BIN)/python -m tests.chaos
	$(BIN)/python -m tests.chaos.bad_input
	$(BIN)/python -m tests.chaos.fuzz_decoder

# from a killed worker and a dead feed to the pager with the rules as they are, and the README's pictures: half an hour
chain: $(STAMP) kafka
	YOCHO_TEST_BROKER=kafka $(BIN)/python -m tests.chain

bench: $(STAMP)
	$(BIN)/python -m tests.benchmarks

# what Grafana shows, from deploy/dashboards
dashboards: $(STAMP)
	$(BIN)/python -m deploy.dashboards

lock: $(STAMP)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev \
	  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock' \
	  pyproject.toml -o requirements.lock
	echo hatchling | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock' \
	  --extra rocksdb --extra tracing --constraint requirements.lock pyproject.toml - -o deploy/requirements.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
