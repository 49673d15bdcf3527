# `make demo` and `make test` do all their own set-up. Everything else is for people who change the code.

UV := scripts/uv
export UV_PROJECT_ENVIRONMENT ?= .venv

.PHONY: demo test check reference screenshots bench peer-suites peer-suites-ssh soak mutation sample-year fuzz clean

demo: ## one temporary access from request to proof, on a real PostgreSQL
	@$(UV) run --quiet --frozen sojourn demo $(DEMO)

test: check ## all gates and all tests
	@scripts/test $(PYTEST)

check: ## the gates alone: style, types, imports
	@$(UV) run --quiet --frozen ruff format --check .
	@$(UV) run --quiet --frozen ruff check .
	@$(UV) run --quiet --frozen mypy
	@$(UV) run --quiet --frozen lint-imports --no-cache

reference: ## write what comes from the code: pages of docs/reference, and the calls of the Python client
	@$(UV) run --quiet --frozen python scripts/reference.py
	@$(UV) run --quiet --frozen python scripts/calls.py

screenshots: ## the pictures in docs/pictures: the pages of a real installation in a real browser (Debian, root)
	@$(UV) run --quiet --frozen --with 'pillow>=12' python scripts/screenshots.py $(PICTURES)

bench: ## figures of docs/performance.md, each as a ratio to a direct connection in the same run
	@$(UV) run --quiet --frozen python -m benchmarks $(BENCH)

peer-suites: ## other projects' own tests, directly and through the gateway; SUITES is the folder of their scripts
	@$(UV) run --quiet --frozen python -m benchmarks.peers $(SUITES) $(PEERS)

peer-suites-ssh: ## SSH programs of others, to a host directly and through the gateway, with forwarding and without; SUITES as above
	@$(UV) run --quiet --frozen python -m benchmarks.ssh_peers $(SUITES) $(PEERS)

soak: ## the long run of what CI does in short: 1,000 kills of the scribe under load, 1,000 lives of the whole workflow, 5,000 grants, 3,000 SSH connections
	@SOJOURN_KILL_ROUNDS=1000 $(UV) run --quiet --frozen pytest tests/scribe -k kill $(PYTEST)
	@SOJOURN_RACE_ROUNDS=1000 $(UV) run --quiet --frozen pytest tests/scribe/test_decisions.py $(PYTEST)
	@SOJOURN_GRANT_CYCLES=5000 $(UV) run --quiet --frozen pytest tests/targets -k many_cycles $(PYTEST)
	@$(UV) run --quiet --frozen python -m benchmarks --only ssh-steady
	@SOJOURN_SIM_SEEDS=200 SOJOURN_SIM_EXAMPLES=1000 $(UV) run --quiet --frozen pytest tests/sim --hypothesis-profile explore $(PYTEST)

mutation: ## change the rules in domain/ in every small way, and see which change no test notices; hours, not part of CI
	@nice $(UV) run --quiet --frozen --with 'mutmut>=3.8' mutmut run $(MUTANTS)
	@$(UV) run --quiet --frozen --with 'mutmut>=3.8' mutmut results

sample-year: ## a year of a company of 300, 20,000 grants and 2,000,000 actions, and the reports that must find what is wrong
	@$(UV) run --quiet --frozen python -m benchmarks.sample_year $(YEAR)

fuzz: ## coverage-guided fuzzing of every parser, a minute each; FUZZ="entry --seconds 3600" for one and longer
	@$(UV) run --quiet --frozen python -m fuzz $(FUZZ)

clean:
	rm -rf mutants .venv .uv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist sojourn-demo
