"""`boildown batch` on S3's own protocol, as a server on this machine speaks it: moto's, where it is installed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from batch_files import conversation
from boildown.batch import places, run
from boildown.batch.threads import threads

s3fs = pytest.importorskip("s3fs", reason="needs s3fs")
server = pytest.importorskip("moto.server", reason="needs moto[server]")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Iterator[Any]:
    """A bucket with four chats, one of them packed."""
    served = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    names = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "me", "AWS_DEFAULT_REGION": "us-east-1"}
    names |= {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(run, "processes", threads)
    places._storage.cache_clear()
    s3fs.S3FileSystem.clear_instance_cache()
    found = s3fs.S3FileSystem(use_listings_cache=False)
    found.mkdir("bucket")
    for n in range(3):
        found.pipe_file(f"bucket/chats/a/{n}.jsonl", conversation(n))
    found.pipe_file("bucket/chats/3.jsonl.gz", gzip.compress(conversation(3)))
    yield found
    served.stop()
    places._storage.cache_clear()
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_bucket_is_read_and_written_and_a_second_run_does_what_changed(ask, store, tmp_path) -> None:
    command = ("batch", "s3://bucket/chats", "-o", "s3://bucket/small", "--ratio", "2")
    assert "4 files: 4 done" in ask(*command).err
    assert "4 files: 4 unchanged" in ask(*command).err
    (tmp_path / "1.jsonl").write_bytes(conversation(1))
    same = ask("compress", tmp_path / "1.jsonl", "--ratio", "2", "--quiet").out
    assert store.cat("bucket/small/a/1.jsonl") == same
    store.pipe_file("bucket/chats/a/0.jsonl", conversation(9))
    store.pipe_file("bucket/small/3.jsonl", b"edited")
    assert "4 files: 2 done, 2 unchanged" in ask(*command).err
