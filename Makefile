# Every target makes its own environment: nothing needs to be installed by hand but Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test soak lint types clean

demo: $(INSTALLED)
	rm -rf runs/demo
	$(BIN)/gannet train garments --out runs/demo
	$(BIN)/gannet apply runs/demo --num 100 --seed 0 --out runs/demo/garments.png
	@echo "A hundred garments: $(CURDIR)/runs/demo/garments.png"
	@echo "Open the report: file://$(CURDIR)/runs/demo/report.html"

test: $(INSTALLED)
	$(BIN)/python -m pytest -m "not soak" -n auto --maxprocesses 4

soak: $(INSTALLED)
	$(BIN)/python -m pytest -m "soak or not soak" --timeout 3600

lint: $(INSTALLED)
	$(BIN)/ruff check src tests benchmarks shipping examples
	$(BIN)/ruff format --check src tests benchmarks shipping examples

types: $(INSTALLED)
	$(BIN)/mypy

# spandrel asks for torchvision, which it is used without: there is none for every PyTorch.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Needs Python 3.11 or newer with venv; name it with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt 'torch>=2.6'
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-deps spandrel einops
	touch $(INSTALLED)

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache
