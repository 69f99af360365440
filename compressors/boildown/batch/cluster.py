"""Dask clusters: one of processes on this machine, or one that is there already and has an address."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from boildown.batch.pool import ONE_THREAD, without_interrupt
from boildown.errors import UsageError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

PATIENCE = 10.0
"""Seconds for a scheduler to answer, and then for a first worker to be there"""
LOST = {"distributed.deploy.lost-worker-timeout": "10000 days"}
"""Dask looks 15 seconds after a worker's death whether it is back, and gives it up for good if it died again then"""
ALIKE = ("boildown", "distributed", "numpy", "scikit-learn", "sentencex", "tiktoken")
"""Packages that have to be of one version on all machines, or they do not understand each other or outputs differ"""


def cluster(count: int, address: str = "") -> AbstractContextManager[Client]:
    """A client of the cluster at `address`, or of one with `count` processes that ends with this. Raises UsageError."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise UsageError(
            "--engine dask: that needs dask.distributed. Install it with: pip install 'boildown[dask]'."
        ) from None
    for handler in logging.getLogger("distributed").handlers:  # What matters in it is told by us.
        handler.setLevel(logging.CRITICAL + 1)
    return _remote(address) if address else _local(count)


@contextmanager
def _local(count: int) -> Iterator[Client]:
    """A cluster that gives an item's death back at once: who asked tries it again, alone."""
    import dask
    from distributed import Client, LocalCluster

    with TemporaryDirectory(prefix="boildown-", ignore_cleanup_errors=True) as folder, dask.config.set(LOST):
        with without_interrupt():
            workers = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                memory_limit=0,
                local_directory=folder,
                silence_logs=logging.CRITICAL,
                scheduler_kwargs={"allowed_failures": 0},
                env=dict.fromkeys(ONE_THREAD, "1"),
            )
            client = Client(workers, set_as_default=False)
        try:
            yield client
        finally:
            with without_interrupt():
                _end(client, workers)


def _end(client: Client, workers: LocalCluster) -> None:
    """End the cluster without waiting for what its workers do."""
    with suppress(TimeoutError):
        client.close(timeout=1)
    for nanny in workers.workers.values():
        nanny.auto_restart = False
        if nanny.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(nanny.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    with suppress(TimeoutError):  # What is left leaves with this process.
        workers.close(timeout=PATIENCE)


@contextmanager
def _remote(address: str) -> Iterator[Client]:
    from distributed import Client
    from distributed.security import Security

    security = Security()
    try:
        asyncio.run(asyncio.wait_for(_meet(address, **security.get_connection_args("client")), PATIENCE))
        with warnings.catch_warnings(action="ignore"):  # Versions are compared below.
            client = Client(address, timeout=PATIENCE, set_as_default=False, security=security)
    except Exception as error:  # What is no scheduler can answer anything.
        raise UsageError(
            f"--scheduler {address}: no scheduler answers there: {_said(error)}. Start one with 'dask scheduler', and "
            "give the address that it prints, such as tcp://10.0.0.1:8786."
        ) from None
    try:
        _check(client, address)
        yield client
    finally:
        with suppress(TimeoutError):
            client.close(timeout=1)


async def _meet(address: str, **arguments: Any) -> None:
    """Raise what `connect` raises where nobody answers.

    A client that fails does so in a thread that stays, and when it is collected while another one starts, both wait
    for one lock for ever.
    """
    from distributed.comm import connect

    comm = await connect(address, timeout=PATIENCE, **arguments)
    comm.abort()


def _said(error: Exception) -> str:
    told = " ".join(str(error).split()).rstrip(".")
    return told or (f"nothing in {PATIENCE:g} s" if isinstance(error, TimeoutError) else type(error).__name__)


def _check(client: Client, address: str) -> None:
    """Raise UsageError where there is nobody to work, or not by the same versions as here."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise UsageError(
            f"--scheduler {address}: it has no workers. Start some: dask worker {address} --nthreads 1."
        ) from None
    found = client.get_versions(packages=list(ALIKE))
    here = found["client"]["packages"]
    others = {"the scheduler": found["scheduler"], **{f"the worker {k}": v for k, v in found["workers"].items()}}
    for who, its in others.items():
        names = ("distributed",) if who == "the scheduler" else ("python", *ALIKE)
        _compare(address, who, names, its["packages"], here)


def _compare(
    address: str, who: str, names: tuple[str, ...], its: Mapping[str, str | None], here: Mapping[str, str | None]
) -> None:
    for name in names:
        theirs, ours = _version(name, its.get(name)), _version(name, here.get(name))
        if theirs != ours:
            raise UsageError(
                f"--scheduler {address}: {who} has {name} {theirs or 'not at all'}, this machine has "
                f"{ours or 'it not'}. Outputs would not be the same everywhere: install the same version."
            )


def _version(name: str, found: str | None) -> str:
    """A version as far as it matters: of Python what pickles and libraries depend on."""
    return ".".join((found or "").split(".")[:2]) if name == "python" else found or ""
