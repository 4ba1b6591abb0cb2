# One command each; all but help and clean first see to it that what they need is installed.
PY := .venv/bin/python

# Without compiled modules each of the hundreds of programs that the tests start would compile all that it imports anew,
# and each worker all tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help prepare demo pictures serve quick test browser router lint windows test-windows bench soak fuzz clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile

prepare: ## install what is missing: Debian packages, and .venv
	@.ci/prepare

demo: prepare ## a server and three clients talk with recorded voices; shows who heard whom (WEB=1: one is a browser)
	@$(if $(WEB),.ci/prepare browser)
	@$(PY) -m demo $(if $(WEB),--browser)

pictures: prepare ## the pictures of the documentation, of real calls: docs/pictures
	@.ci/prepare browser
	@$(PY) -m demo.screenshot
	@$(PY) -m demo.browsershot

serve: ## start a server for your friends and print what they must type; NEW=1: with a new password, PORT=4000
	@.ci/prepare serve
	@$(PY) -m demo.serve

join: ## talk in a call: asks for the link that the host sent
	@.ci/prepare serve
	@.venv/bin/voicechat-client

quick: ## every check and every test that needs no more than this machine
	@.ci/prepare sound web opus
	@$(MAKE) --no-print-directory lint
	$(PY) -m pytest -n 4 --dist loadgroup

# A lane is a target that runs its folder of tests (tests/test_lanes.py holds that none is forgotten). CI runs these, and
# then those that stand alone (.ci/run).
test: quick browser router ## every check and every test

browser: ## friends in real browsers and one at a terminal talk through a real server
	@.ci/prepare browser
	$(PY) -m pytest tests/browser

router: ## a port is opened by a real router's program, and by ours in every mood; needs root, for networks of its own
	@.ci/prepare router
	$(PY) -m pytest tests/router

lint: prepare ## style, types and layers
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/mypy --platform win32 --cache-dir .mypy_cache/win32 voicechat/client
	.venv/bin/lint-imports --no-logo
	@.ci/prepare web
	node_modules/.bin/tsc -p voicechat/web

windows: ## build dist/voicechat-windows-x64.zip (docs/windows.md)
	@.ci/prepare windows
	@$(PY) packaging/windows/build.py

dist: ## build all that goes out into dist/: source, wheels, the Windows zip, SHA256SUMS
	@.ci/prepare windows dist
	@PYTHONPATH=packaging/windows $(PY) packaging/release/release.py

test-dist: ## build that twice in clones, and compare; install from it without a compiler
	@.ci/prepare windows dist sound
	$(PY) -m pytest tests/release

test-windows: ## build it, and run it under Wine; the tests of the core run by its Python, too
	@.ci/prepare sound windows wine
	$(PY) -m pytest tests/windows

newcomer: ## a bare Debian runs the README's lines to the first word heard; WRITE=1: writes the figures there
	@.ci/prepare newcomer
	@PYTHONPATH=.:packaging/windows:packaging/release $(PY) packaging/newcomer/newcomer.py $(if $(WRITE),write)

lowest: prepare ## the tests that only compute, with the oldest packages that setup.cfg allows
	@$(PY) packaging/release/lowest.py

bench: prepare ## measure; prints figures, asserts nothing
	@.ci/prepare browser opus
	@$(PY) -m bench

soak: ## the tests with their long amounts, and whether they notice a program that is broken on purpose
	@.ci/prepare sound opus
	VOICECHAT_SOAK=1 $(PY) -m pytest tests
	$(PY) -m tests.mutations

fuzz: ## throw garbage at every parser until stopped
	@.ci/prepare fuzz
	@$(PY) -m tests.fuzz

clean: ## remove what the commands wrote, except .venv and what was fetched (.cache)
	rm -rf build dist out *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -f twistd.pid twistd.log* twisted/plugins/dropin.cache
	find . -path ./.venv -prune -o -name __pycache__ -type d -print | xargs rm -rf
