# Thin on purpose: everything here is ./sla or one command, so that a machine without make lacks nothing.
.DEFAULT_GOAL := help
.PHONY: help check test chaos bench stub audit

help:   ## this list
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+): .*## /  make \1\t/' | expand -t 16

check:  ## ruff, mypy, import-linter, contracts; known vulnerabilities where the network allows
	@./sla check
	@.venv/bin/python .ci/audit.py

test:   ## all tests, on servers that they bring themselves
	@./sla test

chaos:  ## only what kills processes: the failure matrix
	@./sla setup test
	@.venv/bin/python -m tests.chaos

bench:  ## the measured comparisons, one after the other
	@./sla setup test
	@for script in $(filter-out bench/common.py bench/by_hand.py bench/door_servers.py,$(wildcard bench/*.py)); do \
	  echo "== $$script"; .venv/bin/python $$script || exit 1; done

stub:   ## the providers' stub by hand, at http://127.0.0.1:9000
	@./sla setup test
	@.venv/bin/python -m tests.stub_provider --port 9000

audit:  ## known vulnerabilities of the pinned versions (asks an index on the network)
	@./sla setup check
	@.venv/bin/python -m pip_audit -r constraints.txt --disable-pip --no-deps
