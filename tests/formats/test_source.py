"""Bytes and JSON: encodings, what orjson refuses, spans, spacing, and errors that name their place."""

from __future__ import annotations

import codecs
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.errors import InputError
from boildown.formats import detect
from boildown.formats.layout import Frame, Piece, conversations, row
from boildown.formats.source import Encoding, as_text, broken, dump, encoding, lines, members, parse, sample
from boildown.transcript import Source, Transcript

WORDS = '[{"role": "user", "content": "会議 ¥4,820 👩‍👧 naïve"}]'
VALUES = st.none() | st.text() | st.integers() | st.lists(st.text(max_size=3) | st.booleans(), max_size=3)


@pytest.mark.parametrize(
    ("bom", "codec"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
    ],
)
def test_a_file_in_any_encoding_is_read_as_utf_8_and_goes_back_as_it_was(bom: bytes, codec: str) -> None:
    data = bom + WORDS.encode(codec)
    found = encoding(data)
    assert found == Encoding(codec, bom)
    assert found.decode(data).decode() == WORDS
    assert found.bom + found.encode(found.decode(data)) == data


def test_a_lone_surrogate_in_utf_16_goes_back_as_it_was() -> None:
    data = codecs.BOM_UTF16_LE + '"\ud83d"'.encode("utf-16-le", "surrogatepass")
    found = encoding(data)
    assert found.bom + found.encode(found.decode(data)) == data


@pytest.mark.parametrize(
    "record", [b'{"a":"caf\xe9"}', b'{"a":"bad \\ud83d end"}', b'{"a":"\xed\xa0\xbd"}', b'{"a":NaN}']
)
def test_what_orjson_refuses_is_parsed_and_written_back(record: bytes) -> None:
    assert dump(parse(record), record) == record


@given(st.binary())
def test_bytes_that_are_no_utf_8_go_through_a_string(noise: bytes) -> None:
    clean = bytes(b for b in noise if b not in b'"\\' and b >= 32)
    record = b'{"a":"' + clean + b'"}'
    assert dump(parse(record), record) == record


@pytest.mark.parametrize(
    "like",
    [
        b'{"a": 1, "b": [1, 2], "c": "x, y: z"}',
        b'{"a":1,"b":[1,2],"c":"x, y: z"}',
        b'{"a": "\\u4f1a"}',
        '{"a": "会"}'.encode(),
        b'{"a":"\\u4f1a"}',
        b'{"a":["x","y"]}',
        b'{"a": ["x", "y"]}',
    ],
)
def test_a_dump_has_the_spacing_and_the_escapes_of_its_model(like: bytes) -> None:
    assert dump(json.loads(like), like) == like


@pytest.mark.parametrize(
    ("value", "text"), [("as it is", "as it is"), (None, ""), ({"a": [1]}, '{"a":[1]}'), ("\udce9", "\udce9"), (0, "0")]
)
def test_a_value_as_text_is_what_a_model_would_read(value: object, text: str) -> None:
    assert as_text(value) == text
    assert as_text(["\udce9"]) == '["\udce9"]'


@given(st.binary())
def test_the_lines_of_a_file_are_the_file(data: bytes) -> None:
    assert b"".join(lines(data)) == data


@given(st.dictionaries(st.text(), VALUES, max_size=6), st.sampled_from([None, 2]))
def test_a_member_span_is_its_value(value: dict[str, object], indent: int | None) -> None:
    text = "  " + json.dumps(value, indent=indent, ensure_ascii=False)
    found = list(members(text))
    assert [(m.key, m.value) for m in found] == list(value.items())
    assert [json.loads(text[m.start : m.end]) for m in found] == list(value.values())


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 1]))
def test_a_row_joins_to_the_text_that_it_came_from(value: list[object], indent: int | None) -> None:
    text = '{"a": 1, "b": ' + json.dumps(value, indent=indent) + "}\n"
    found = row(text, text.index("["))
    assert list(found.values) == value
    assert found.frame.join(list(enumerate(found.records))) == text.encode()


def test_a_row_without_some_of_its_elements_is_still_an_array() -> None:
    found = row("[1,\n 2,\n 3, 4]")
    left = [(0, found.records[0]), (-1, b"9"), (3, found.records[3])]
    assert json.loads(found.frame.join(left)) == [1, 9, 4]
    assert found.frame.join(left[2:]) == b"[4]"
    assert found.frame.join([]) == b"[]"


def test_lines_keep_their_ends_and_new_ones_get_one() -> None:
    frame = Frame(new=b"\n")
    assert frame.join([(0, b"a\r\n"), (-1, b"b"), (1, b"c")]) == b"a\r\nb\nc"
    assert frame.join([(1, b"c"), (-1, b"b")]) == b"c\nb\n"


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ('[1,\n {"a" 2}]', "line 2, column 7", "Expecting ':'"),
        ("[1,\n 2 3]", "line 2, column 4", "Expecting ',' or ']'"),
        ('[1,\n "abc', "line 2, column 2", "the file was cut off"),
        ('[1,\n {"a":', "line 2, column 7", "the file was cut off"),
    ],
)
def test_broken_json_is_named_by_line_and_column(text: str, column: str, what: str) -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        list(members(text))
    message = str(broken("chat.json", text.encode(), caught.value))
    assert message.startswith(f"chat.json: {column}: ")
    assert what in message
    assert "nothing was written" in message


@pytest.mark.parametrize(
    ("data", "kind", "count"),
    [
        (b'{"a": 1}\n{"a": 2}\n', "lines", 2),
        (b'{"a": 1}\n{bad\n\n{"a": 2}\n', "lines", 2),
        (b'{"a": 1}', "lines", 1),
        (b'{\n "a": 1\n}', "object", 1),
        (b'[{"a": 1}, {"a": 2}]', "array", 2),
        (b'[\n{"a": 1}\n]\n', "array", 1),
        (b" \n[]", "array", 0),
    ],
)
def test_a_sample_tells_lines_from_arrays_and_objects(data: bytes, kind: str, count: int) -> None:
    found = sample(data)
    assert (found.kind, len(found.items)) == (kind, count)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "chat.txt: the file is empty"),
        (b" \n\n", "chat.txt: the file is empty"),
        (b"Hello there", "chat.txt: it begins with 'Hello there', which is no JSON"),
        (b"[" * 100_000, "chat.txt: the JSON is nested too deeply"),
        (b'{"a": 1, "b": 2}', "chat.txt: it holds JSON lines with the keys a, b, which is none of the formats"),
        (b"[1, 2]", "chat.txt: it holds a JSON array without objects, which is none of the formats"),
    ],
)
def test_a_file_in_no_format_is_named_with_what_it_holds(data: bytes, what: str) -> None:
    with pytest.raises(InputError) as caught:
        detect(data, "chat.txt")
    assert str(caught.value).startswith(what)


def _keyed(piece: Piece) -> Transcript:
    if not isinstance(piece.value, dict) or "k" not in piece.value:
        raise ValueError("no k")
    return Transcript((), Source("x", (), (), piece.before, piece.after), title=str(piece.value["k"]))


@pytest.mark.parametrize(
    "data",
    [
        b' \n{\n "k": 1}\n\n',
        b'[ {"k": 1} ,\n{"j": 2}, {"k": 3}\n]\n',
        b'\n{"k": 1}\r\n\n{"j": 2}\n{oops\n{"k": 3}',
    ],
)
def test_the_conversations_of_a_file_and_what_stands_between_them_are_the_file(data: bytes) -> None:
    found = [t.source for t in conversations(data, "x", _keyed) if t.source]
    whole = b""
    for source in found:
        whole += source.before + (b"" if source.notes else b"#") + source.after
    assert whole == data.replace(b'{"k": 1}', b"#").replace(b'{\n "k": 1}', b"#").replace(b'{"k": 3}', b"#")


def test_a_conversation_that_cannot_be_read_is_noted_by_its_place() -> None:
    array = conversations(b'[{"k": 1}, {"j": 2}]', "x", _keyed)
    byline = conversations(b'{"k": 1}\n\n{"j": 2}\n', "x", _keyed)
    for found, where in ((array, "conversation 2"), (byline, "line 3")):
        assert [n.where for t in found if t.source for n in t.source.notes] == [where]
