"""A cluster that cannot be used is told of, with the next step, before anything is done."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress
from typing import Any

import pytest

from boildown.batch import cluster as clusters
from boildown.batch.cluster import cluster
from boildown.errors import UsageError


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'boildown\[dask\]'"):
        cluster(1)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "127.0.0.1:9", "nonsense://x", "tcp://", "no such place"])
def test_a_scheduler_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    monkeypatch.setattr(clusters, "PATIENCE", 0.3)
    with pytest.raises(UsageError, match=r"--scheduler .*: no scheduler answers there: .*dask scheduler"):
        cluster(1, address).__enter__()
    assert not any("IO loop" in thread.name for thread in threading.enumerate())


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 64])
def test_a_server_that_is_no_scheduler_is_an_error(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    monkeypatch.setattr(clusters, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answers, args=(server, answer), daemon=True).start()
        with pytest.raises(UsageError, match="no scheduler answers there"):
            cluster(1, f"tcp://127.0.0.1:{server.getsockname()[1]}").__enter__()


def _answers(server: socket.socket, answer: bytes) -> None:
    held = []
    with suppress(OSError):
        while True:
            caller = server.accept()[0]
            held.append(caller)
            if answer:
                caller.sendall(answer)


class Told:
    """A client of a cluster with these versions; none where it has no workers."""

    def __init__(self, **workers: dict[str, str | None]) -> None:
        here = {"python": "3.11.4.final.0", **dict.fromkeys(clusters.ALIKE, "1.2")}
        self.found: dict[str, Any] = {
            "client": {"packages": here},
            "scheduler": {"packages": {**here, "numpy": None, "boildown": None}},
            "workers": {name: {"packages": {**here, **other}} for name, other in workers.items()},
        }

    def wait_for_workers(self, count: int, timeout: float) -> None:
        if not self.found["workers"]:
            raise TimeoutError

    def get_versions(self, packages: list[str]) -> dict[str, Any]:
        return self.found


def test_workers_of_the_same_versions_will_do_whatever_the_scheduler_lacks() -> None:
    clusters._check(Told(a={}, b={"python": "3.11.9.final.0", "lz4": "4"}), "tcp://x")


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (Told(), "it has no workers. Start some: dask worker tcp://x --nthreads 1."),
        (Told(a={}, b={"boildown": "1.1"}), "the worker b has boildown 1.1, this machine has 1.2"),
        (Told(a={"boildown": None}), "the worker a has boildown not at all, this machine has 1.2"),
        (Told(a={"numpy": "1.0"}), "Outputs would not be the same everywhere: install the same version."),
        (Told(a={"python": "3.12.1.final.0"}), "the worker a has python 3.12, this machine has 3.11"),
    ],
)
def test_a_cluster_that_would_not_do_the_same_is_refused(client: Told, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        clusters._check(client, "tcp://x")
    assert said in str(refused.value)
