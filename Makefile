# One word for each thing that people do with the lake. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(or $(shell command -v python3.11 || command -v python3),python3)
BIN := .venv/bin
INSTALL = @command -v $(PYTHON) >/dev/null || { \
	echo "Python 3.11 is needed: apt-get install python3 python3-venv / 需要 Python 3.11，请先安装"; exit 1; }; \
	$(PYTHON) infra/install.py
COMPILE = "$$($(PYTHON) infra/install.py --uv)" pip compile -q --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11

.PHONY: help setup setup-dev demo up down status test test-unit lint format docs bench soak lock editor clean

help: ## Show these words / 显示帮助
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: ## Install what the lake needs, outside the checkout / 安装依赖
	$(INSTALL)

setup-dev:
	$(INSTALL) --dev

demo: setup ## Start everything and show one round of the quality loop / 启动并演示
	@$(BIN)/lake demo

up: setup ## Start S3, Spark and Airflow on this machine / 启动服务
	@$(BIN)/lake up

down: setup ## Stop them; the data stays / 停止服务（保留数据）
	@$(BIN)/lake down

status: setup ## How the services are / 服务状态
	@$(BIN)/lake status

test: lint ## Linters and all tests / 检查并运行全部测试
	@$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

test-unit: setup-dev ## The quick tests, without services / 仅单元测试
	@$(BIN)/python -m pytest tests/unit

lint: setup-dev ## Style, types and import rules / 代码检查
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup-dev ## Let ruff lay out the code / 格式化代码
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format .

docs: setup-dev ## Write the reference tables of the pages anew / 更新文档中的参考表
	@$(BIN)/lake contracts docs

bench: setup-dev ## Measure and print a table / 性能测试
	@$(BIN)/python -m tests.bench --keep docs/benchmarks.tsv

soak: setup-dev ## Kill processes at random while readings arrive, and compare / 随机中断测试
	@$(BIN)/python -m tests.soak

lock: ## Newest versions that infra/*.in allow, jars that infra/ivy.xml asks for / 更新依赖锁
	$(COMPILE) --upgrade infra/requirements-uv.in -o infra/requirements-uv.txt
	$(COMPILE) --upgrade infra/requirements.in -o infra/requirements.txt
	$(COMPILE) --upgrade infra/requirements-dev.in -o infra/requirements-dev.txt
	@test -x $(BIN)/python || $(PYTHON) infra/install.py --dev
	$(BIN)/python -c "from jobs.embedded.jars import lock; lock()"

editor: ## Bundle the SQL page's editor anew; needs Node.js / 重新打包查询页编辑器（需要 Node.js）
	cd infra/editor && npm ci --ignore-scripts --no-audit --no-fund && npm run build

clean: ## Stop the services, remove .venv and tool caches; the data stays / 清理（保留数据）
	@if [ -x $(BIN)/lake ]; then $(BIN)/lake down; fi
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
