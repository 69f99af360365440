"""Counting: the same counts as stock tiktoken, offline, whatever the text."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import unicodedata
from base64 import b64encode
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery import sampled
from boildown import tokens
from boildown.errors import UsageError
from boildown.tokens import Counter, Tokenizer, bare_values, encoding, is_estimated, pieces, tokenizer
from boildown.transcript import Block, Framing, Message, Opaque, Text, Thinking, ToolCall, ToolResult

ROOT = Path(__file__).parents[1]
ORIGINALS = ROOT.parent / "shared" / "evals" / "ranks"
NAMES = ("o200k_base", "cl100k_base")
MIXED = (
    "Die Brücke über den Fluß, 12.5 km; it's DON'T and they'LL. \u4f60\u597d\uff0c\u4e16\u754c\u3002 "
    "\u041f\u0440\u0438\u0432\u0435\u0442 \u0939\u093f\u0928\u094d\u0926\u0940 "
    "\u0e44\u0e17\u0e22 \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \U0001f9e0\U0001f468\u200d\U0001f469 "
    "cafe\u0301 \ufeff\u00a0\u3000 a\u2028b\x85c \x1c\x00\n\r\n\n  \t def f(x):\n\t\treturn x/2  # ok\n"
    '//path/to/file.py:12\n/* c */ {"key": [1, 2.50, null]} <|endoftext|> <|fim_prefix|>====----\n\n\n/x\n \n y   '
)

needs_originals = pytest.mark.skipif(not ORIGINALS.exists(), reason="../shared/evals/ranks is not here")
anything = st.text(st.characters(), max_size=200)
seamed = st.lists(
    st.sampled_from([*"\n\r\t /.aZ1'", "\u00a0", "\u0301", "\u4e2d", "'s", "b c", "\n/", "\n\n", ".\n"])
).map("".join)


def has_toktok() -> bool:
    try:
        import_module("toktok")
    except ImportError:
        return False
    return True


needs_toktok = pytest.mark.skipif(not has_toktok(), reason="boildown[fast] is not installed")
engines = pytest.mark.parametrize("fast", [False, pytest.param(True, marks=needs_toktok)])
names = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def in_small_pieces() -> Iterator[None]:
    with patch.object(tokens, "_PIECE", 3):
        yield


def whole(text: str, name: str = "o200k_base") -> int:
    """The count by tiktoken of the text in one go."""
    stock: Tokenizer = tokenizer(name, fast=False)
    assert isinstance(stock, tokens.Tiktoken)
    return len(stock._encoding.encode_ordinary(text))


def python(code: str, **environment: str) -> str:
    path = os.pathsep.join(map(str, (ROOT / "compressors", ROOT / "cli")))
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


# The ranks


@names
def test_the_packed_ranks_are_the_file_whose_hash_tiktoken_publishes(name: str) -> None:
    public = import_module("tiktoken_ext.openai_public")
    with patch.object(public, "load_tiktoken_bpe", lambda url, expected_hash: expected_hash):
        digest = public.ENCODING_CONSTRUCTORS[name]()["mergeable_ranks"]

    ranks = tokens.unpack((ROOT / "compressors/boildown/ranks" / f"{name}.xz").read_bytes())
    lines = b"".join(b"%s %d\n" % (b64encode(token), rank) for token, rank in ranks.items())

    assert digest == hashlib.sha256(lines).hexdigest()


@names
def test_pattern_and_special_tokens_are_those_of_stock_tiktoken(name: str) -> None:
    public = import_module("tiktoken_ext.openai_public")
    with patch.object(public, "load_tiktoken_bpe", lambda url, expected_hash: {}):
        stock = public.ENCODING_CONSTRUCTORS[name]()

    ours = tokens.VOCABULARIES[name]

    assert (stock["pat_str"], stock["special_tokens"]) == (ours.pattern, ours.special)


@needs_originals
@names
def test_ids_are_those_of_stock_tiktoken(name: str) -> None:
    code = f"import tiktoken; print(tiktoken.get_encoding({name!r}).encode_ordinary({MIXED!r}))"

    assert python(code, TIKTOKEN_CACHE_DIR=str(ORIGINALS)).strip() == str(encoding(name).encode_ordinary(MIXED))


@pytest.mark.battery
@needs_originals
def test_rebuilding_the_ranks_gives_the_bytes_in_the_package(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "pack_ranks.py"
    arguments = [str(script), "--originals", str(ORIGINALS), "--output", str(tmp_path)]
    python(f"import runpy, sys; sys.argv = {arguments!r}; runpy.run_path({str(script)!r}, run_name='__main__')")

    for name in NAMES:
        packed = ROOT / "compressors/boildown/ranks" / f"{name}.xz"
        assert packed.read_bytes() == (tmp_path / f"{name}.xz").read_bytes()


def test_rebuilding_refuses_a_file_that_is_not_the_one_published(tmp_path: Path) -> None:
    from hashlib import sha1

    url = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
    (tmp_path / sha1(url.encode()).hexdigest()).write_bytes(b"IQ== 0\n")
    run = subprocess.run(
        [sys.executable, ROOT / "scripts" / "pack_ranks.py", "--originals", tmp_path, "--output", tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT / "compressors")},
        capture_output=True,
        text=True,
    )

    assert run.returncode == 1
    assert "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d" in run.stderr
    assert not list(tmp_path.glob("*.xz"))


@engines
def test_counting_opens_no_connection_and_needs_no_cache(fast: bool, tmp_path: Path) -> None:
    code = (
        "import socket\n"
        "def refuse(*_): raise AssertionError('a connection')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from boildown.tokens import tokenizer\n"
        f"print(tokenizer(fast={fast}).count(['hello world']))"
    )

    assert python(code, TIKTOKEN_CACHE_DIR=str(tmp_path)) == "[2]\n"
    assert list(tmp_path.iterdir()) == []


def test_importing_loads_no_tokenizer() -> None:
    heavy = "{'tiktoken', 'toktok', 'regex', 'requests', 'lzma', 'concurrent.futures', 'importlib.metadata'}"

    assert python(f"import sys, boildown.tokens; print({heavy} & set(sys.modules))") == "set()\n"


# The tokenizer


@names
@engines
def test_a_tokenizer_names_its_vocabulary_and_its_engine(name: str, fast: bool) -> None:
    found = tokenizer(name, fast=fast).name

    assert found.startswith(f"{name} (toktok-rs 0." if fast else f"{name} (tiktoken 0.")


def test_an_unknown_name_is_answered_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"'gpt-4'.*o200k_base, cl100k_base"):
        tokenizer("gpt-4")


def test_without_toktok_it_is_tiktoken_unless_toktok_is_demanded() -> None:
    choose = tokenizer.__wrapped__
    with patch.dict(sys.modules, {"toktok": None}):
        assert isinstance(choose(), tokens.Tiktoken)
        with pytest.raises(UsageError, match=r"pip install 'boildown\[fast\]'"):
            choose(fast=True)


@needs_toktok
def test_toktok_is_taken_where_it_is_installed() -> None:
    assert isinstance(tokenizer(), tokens.Toktok)


@names
@engines
def test_mixed_text_counts_as_in_tiktoken(name: str, fast: bool) -> None:
    texts = ["", "a", MIXED, *MIXED.split(" "), MIXED * 40]

    assert tokenizer(name, fast=fast).count(texts) == [whole(text, name) for text in texts]


@names
@settings(deadline=None)
@given(text=anything)
def test_any_text_counts_as_in_tiktoken(name: str, text: str) -> None:
    assert tokenizer(name, fast=False).count([text, text + "x"]) == [whole(text, name), whole(text + "x", name)]


@needs_toktok
@names
@settings(deadline=None)
@given(text=st.text(st.characters().filter(lambda c: unicodedata.category(c) != "Cn"), max_size=200))
def test_toktok_counts_as_tiktoken_where_unicode_has_assigned_the_characters(name: str, text: str) -> None:
    assert tokenizer(name, fast=True).count([text]) == [whole(text, name)]


@needs_toktok
@names
def test_toktok_counts_as_tiktoken_on_each_letter_of_the_basic_plane(name: str) -> None:
    letters = [c for c in map(chr, range(0x10000)) if unicodedata.category(c)[0] in "LMNPSZ"]
    texts = [f"ab{c}cd {c}{c}\n{c}x {c}1 {c}." for c in letters]

    assert tokenizer(name, fast=True).count(texts) == tokenizer(name, fast=False).count(texts)


@engines
@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("\ud83d", "\ufffd"),
        ("a \udcff b", "a \ufffd b"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\ufeff\ud83d", "\ufeff\ufffd"),
    ],
)
def test_lone_surrogates_count_as_replaced_and_pairs_as_their_character(fast: bool, text: str, same: str) -> None:
    engine = tokenizer(fast=fast)

    assert engine.count(["x", text, "y z"]) == engine.count(["x", same, "y z"])
    assert "".join(engine.split(text)) == same


@names
@engines
@pytest.mark.parametrize("text", ["<|endoftext|>", "<|endofprompt|>", "<|fim_prefix|>"])
def test_the_name_of_a_special_token_is_ordinary_text(name: str, fast: bool, text: str) -> None:
    assert tokenizer(name, fast=fast).count([text])[0] > 3


@names
@engines
@settings(deadline=None, max_examples=50)
@given(text=st.text(max_size=100))
def test_the_split_texts_are_one_a_token_and_join_to_the_text(name: str, fast: bool, text: str) -> None:
    parts = tokenizer(name, fast=fast).split(text)

    assert ("".join(parts), len(parts)) == (text, whole(text, name))


def test_a_character_of_several_tokens_stands_at_the_last_of_them() -> None:
    assert tokenizer().split("hello \U0001f9e0x") == ["hello", " ", "", "\U0001f9e0", "x"]


# Large texts


@names
@settings(deadline=None)
@given(text=seamed)
def test_a_text_counted_in_pieces_counts_as_a_whole(name: str, text: str) -> None:
    with patch.object(tokens, "_PIECE", 3):
        parts = pieces(text)
        counted = tokenizer(name, fast=False).count([text])

    assert "".join(parts) == text
    assert counted == [whole(text, name)]


@pytest.mark.usefixtures("in_small_pieces")
@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("one\ntwo\nsix\n", ["one\n", "two\n", "six\n"]),
        ("to be or not", ["to be", " or not"]),
        ("one\n/two\n\n\nsix", ["one\n/two\n\n\n", "six"]),
        ("abc 12 abc. abc", ["abc 12 abc. abc"]),
    ],
)
def test_a_text_is_parted_only_where_a_token_always_ends(text: str, parts: list[str]) -> None:
    assert pieces(text) == parts


def test_a_large_text_is_counted_in_pieces_that_add_up() -> None:
    text = (MIXED + "\n") * 1000

    assert len(pieces(text)) > 3
    assert not is_estimated(text)
    assert tokenizer(fast=False).count([text]) == [whole(text)]


@pytest.mark.parametrize("workers", [1, 2])
def test_texts_shared_between_threads_keep_their_order(workers: int) -> None:
    texts = [f"{i} " * (i % 90) for i in range(3000)] + ["word " * 200_000, "end"]
    with patch.object(tokens, "_WORKERS", workers):
        assert tokenizer(fast=False).count(texts) == [whole(text) for text in texts]


@names
@engines
@pytest.mark.parametrize("run", sampled([" ", "\t", "\u00a0", " \t", " \n", "\u3000"], every=3))
def test_a_million_blanks_are_counted_and_called_an_estimate(name: str, fast: bool, run: str) -> None:
    text = "x" + (run * 1_000_000)[:1_000_000] + "x"
    counter = Counter(tokenizer(name, fast=fast), Framing())
    fifth, tenth = (whole("x" + (run * 200_000)[:size] + "x", name) for size in (200_000, 100_000))

    [count] = counter.texts([text])

    assert count == pytest.approx(tenth + 9 * (fifth - tenth), abs=20)
    assert counter.estimated == 1


def test_runs_of_blanks_that_tiktoken_can_take_are_not_estimated() -> None:
    counter = Counter(tokenizer(), Framing())
    text = "x" + " " * 99_999 + "x" * 200_000

    assert counter.texts([text]) == [whole(text)]
    assert counter.estimated == 0


@names
@engines
@pytest.mark.parametrize(
    "run", sampled(["a", "A", "=", ".", "/", "'", "\n", "1", "\u4e2d", "\u0301", "\u30fc", "\U0001f600"], every=6)
)
def test_a_million_of_one_character_can_be_counted(name: str, fast: bool, run: str) -> None:
    [count] = tokenizer(name, fast=fast).count([run * 1_000_000])

    # A tenth of the text again, for the count: these runs fall into equal tokens.
    assert count == pytest.approx(10 * whole(run * 100_000, name), rel=0.001)


# Messages


class Letters:
    """A tokenizer with a token a character, that writes down what it was asked."""

    name = "letters"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def count(self, texts: Sequence[str]) -> list[int]:
        self.asked.append(list(texts))
        return [len(text) for text in texts]

    def split(self, text: str) -> list[str]:
        return list(text)


FRAMING = Framing(message=1000, name=200, block=30, reply=50_000)


def message(*blocks: Block, name: str | None = None, role: str = "user") -> Message:
    return Message("m1", role, blocks, name=name)


@pytest.mark.parametrize(
    ("one", "tokens"),
    [
        (message(), 1000),
        (message(Text("12345")), 1005),
        (message(Text("12345"), Text("1")), 1006),
        (message(Text("12345"), name="Ann"), 1208),
        (message(ToolCall("id", "grep", '{"a": 1}')), 1042),
        (message(ToolResult("id", "12345")), 1035),
        (message(ToolResult("id", "12345", (Opaque("image", 7), Opaque("pdf", 2, "123")))), 1047),
        (message(Thinking("12345", signature="0123456789")), 1035),
        (message(Opaque("image", 85)), 1085),
        (message(Opaque("search", 5, "123")), 1008),
    ],
)
def test_a_message_costs_its_framing_and_its_blocks(one: Message, tokens: int) -> None:
    counter = Counter(Letters(), FRAMING)

    assert counter.messages([one]) == [tokens]
    assert counter.total([one]) == tokens + 50_000


def test_kinds_are_counted_by_role() -> None:
    conversation = [
        message(Text("12345"), Opaque("image", 85), name="Ann"),
        message(Thinking("12"), Text("1"), ToolCall("id", "ls", "{}"), role="assistant"),
        message(ToolResult("id", "123", (Opaque("pdf", 7, "1234"),)), role="tool"),
    ]

    assert Counter(Letters(), FRAMING).by_kind(conversation) == {
        ("user", "framing"): 1203,
        ("user", "text"): 5,
        ("user", "image"): 85,
        ("assistant", "framing"): 51_060,
        ("assistant", "thinking"): 2,
        ("assistant", "text"): 1,
        ("assistant", "tool call"): 4,
        ("tool", "framing"): 1030,
        ("tool", "tool result"): 3,
        ("tool", "image"): 7,
        ("tool", "other"): 4,
    }


opaques = st.builds(Opaque, kind=st.just("image"), tokens=st.integers(0, 100), text=anything)
blocks = st.one_of(
    st.builds(Text, anything),
    st.builds(ToolCall, id=st.just("c"), name=anything, arguments=anything),
    st.builds(ToolResult, call_id=st.just("c"), text=anything, media=st.lists(opaques, max_size=2).map(tuple)),
    st.builds(Thinking, anything, signature=anything),
    opaques,
)
conversations = st.lists(
    st.builds(
        Message,
        id=st.just("m"),
        role=st.sampled_from(["user", "assistant", "tool"]),
        blocks=st.lists(blocks, max_size=4).map(tuple),
        name=st.none() | anything,
    ),
    max_size=5,
)
framings = st.builds(Framing, *[st.integers(0, 9)] * 4, values=st.booleans())


@settings(deadline=None)
@given(messages=conversations, framing=framings)
def test_messages_and_kinds_add_up_to_the_total(messages: list[Message], framing: Framing) -> None:
    counter = Counter(tokenizer(), framing)
    total = counter.total(messages)

    assert sum(counter.messages(messages)) + (framing.reply if messages else 0) == total
    assert sum(counter.by_kind(messages).values()) == total
    assert Counter(tokenizer(), framing).total(messages) == total


@settings(deadline=None)
@given(texts=st.lists(anything))
def test_a_text_counts_the_same_alone_in_a_batch_and_again(texts: list[str]) -> None:
    counter = Counter(tokenizer(fast=False), Framing())
    first = counter.texts(texts)

    assert first == counter.texts(texts) == [whole(text) for text in texts]


def test_each_distinct_text_is_encoded_once_and_the_misses_go_in_one_batch() -> None:
    letters = Letters()
    counter = Counter(letters, FRAMING)

    counter.messages([message(Text("a"), Text("b")), message(Text("a"), ToolCall("", "b", "c"))])
    counter.by_kind([message(Text("a")), message(Text("d"), Text(""))])
    counter.texts(["d", "c", ""])

    assert letters.asked == [["a", "b", "c"], ["d"]]


def test_a_message_that_takes_the_place_of_another_is_counted_anew() -> None:
    counter = Counter(Letters(), FRAMING)

    sizes = [counter.messages([message(Text("x" * n))]) for n in range(200)]

    assert sizes == [[1000 + n] for n in range(200)]


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ('{"path": "a.py", "line": 12}', "a.py\n12"),
        ('{"a": [1, {"b": "x\\ny"}, []], "c": null, "d": true}', "1\nx\ny\nnull\ntrue"),
        ('{"a": 1.50, "b": 1e5, "c": NaN, "d": 12345678901234567890}', "1.50\n1e5\nNaN\n12345678901234567890"),
        ('{"a": "first", "a": "second"}', "first\nsecond"),
        (' ["x"]', "x"),
        ("{}", ""),
        ('"a string"', '"a string"'),
        ('{"cut off": ', '{"cut off": '),
        ("ls -l", "ls -l"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_arguments_shown_as_bare_values_lose_their_keys_and_nothing_else(arguments: str, values: str) -> None:
    call = message(ToolCall("id", "", arguments))

    assert bare_values(arguments) == values
    assert Counter(Letters(), Framing(0, 0, 0, values=True)).messages([call]) == [len(values)]
    assert Counter(Letters(), Framing(0, 0, 0)).messages([call]) == [len(arguments)]


def test_what_was_forgotten_is_counted_anew() -> None:
    counter = Counter(tokenizer("o200k_base"), Framing())
    messages = (Message("m1", "user", (Text("Which port is it?"), ToolCall("c", "look", '{"at": 1}'))),)
    before = counter.total(messages)
    counter.forget()
    assert counter.total(messages) == before
