"""Gemini contents: parts are blocks, calls find their responses, and what the model says in a row is one turn."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from boildown.errors import InputError
from boildown.formats import gemini
from boildown.formats.media import gemini_image_tokens
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import SAMPLES, check_one_format, check_round_trip, check_thinned, files, read, with_text, write

FILES = files("derived/gemini_contents.json", samples=["gemini.json"])


def content(role: str, *parts: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": p} if isinstance(p, str) else p for p in parts]}


def call(name: str, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": {"a": 1}, **more}}


def response(name: str, told: Any, **more: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": name, "response": told, **more}}


def body(*contents: Any, **more: Any) -> bytes:
    return json.dumps({**more, "contents": list(contents)}).encode()


def only(data: bytes) -> Transcript:
    (found,) = read(gemini, data)
    return found


def kept(data: bytes, *ids: str) -> Any:
    transcript = only(data)
    left = transcript.with_messages(m for m in transcript.messages if m.id in ids)
    return json.loads(write(gemini, [left]))["contents"]


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(gemini, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(gemini, path.read_bytes(), turns=True)


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_of_this_format_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "gemini")


@pytest.mark.parametrize(
    "data",
    [
        body(content("user", "Hi"), systemInstruction={"parts": [{"text": "Be brief."}]}),
        body(content("user", "Hi"), system_instruction={"parts": {"text": "Be brief."}}),
        body(content("user", "Hi")) + b"\n" + body(content("user", "Ho")) + b"\n",
        json.dumps([content("user", "Hi"), content("model", "Ho")]).encode(),
        json.dumps(content("user", "Hi")).encode() + b"\n" + json.dumps(content("model", "Ho")).encode(),
        b'{"contents": [{"parts": [{"text": "Hi"}]}]}',
    ],
)
def test_each_shape_is_found_out_and_comes_back_byte_for_byte(data: bytes) -> None:
    check_one_format(data, "gemini")
    check_round_trip(gemini, data)
    assert all(m.blocks for t in read(gemini, data) for m in t.messages)


def test_each_part_becomes_the_block_that_the_model_is_shown() -> None:
    data = body(
        content("user", "Hi", {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://x/y.pdf"}}),
        content(
            "model",
            {"text": "Hm", "thought": True, "thoughtSignature": "sig"},
            {"text": "", "thoughtSignature": "end"},
            {"text": "Yes", "thoughtSignature": "s"},
            {"executableCode": {"language": "PYTHON", "code": "1"}},
        ),
        systemInstruction={"parts": [{"text": "Be brief."}]},
    )
    assert [(m.role, m.blocks) for m in only(data).messages] == [
        ("system", (Text("Be brief.", 0),)),
        ("user", (Text("Hi", 0), Opaque("document", 258, data="gs://x/y.pdf", at=1))),
        (
            "assistant",
            (
                Thinking("Hm", "sig", 0),
                Thinking("", "end", 1),
                Text("Yes", 2),
                Opaque("executableCode", text='{"executableCode":{"language":"PYTHON","code":"1"}}', at=3),
            ),
        ),
    ]


def test_responses_find_their_calls_by_id_by_name_and_by_order() -> None:
    data = body(
        content("user", "Hi"),
        content("model", call("f"), call("g"), call("f"), call("h", id="x")),
        content("user", *(response(n, {"output": n}) for n in "gf"), response("h", {}, id="x"), response("f", {})),
    )
    asked, answered = only(data).messages[1:]
    assert [b.id for b in asked.blocks if isinstance(b, ToolCall)] == ["c1", "c2", "c3", "x"]
    assert [b.call_id for b in answered.blocks if isinstance(b, ToolResult)] == ["c2", "c1", "x", "c3"]
    assert (asked.role, answered.role) == ("assistant", "tool")


@pytest.mark.parametrize(
    ("told", "text", "now"),
    [
        ({"output": "long"}, "long", {"output": "short"}),
        ({"error": "long"}, "long", {"error": "short"}),
        ({"a": 1, "b": "long"}, '{"a":1,"b":"long"}', {"output": "short"}),
        ({"error": {"code": 5, "why": "long"}}, '{"error":{"code":5,"why":"long"}}', {"error": "short"}),
        (None, "", {"output": "short"}),
    ],
)
def test_a_changed_response_says_the_new_text_and_no_old_one(told: Any, text: str, now: Any) -> None:
    data = body(content("user", "Hi"), content("model", call("f")), content("user", response("f", told, id="x")))
    transcript = only(data)
    *before, result = transcript.messages
    (block,) = result.blocks
    assert isinstance(block, ToolResult)
    assert block.text == text
    short = result.with_blocks([ToolResult(block.call_id, "short", at=0)])
    out = write(gemini, [transcript.with_messages([*before, short])])
    assert json.loads(out)["contents"][2]["parts"] == [response("f", now, id="x")]
    assert b"long" not in out


def test_a_changed_text_keeps_other_keys_and_loses_the_signature_of_the_old_one() -> None:
    data = b'{"contents": [{"parts": [{"text": "long", "thoughtSignature": "s", "k": 1}], "role": "user"}], "n": 3}'
    out = write(gemini, [with_text(only(data), "short")])
    assert out == data.replace(b'"long", "thoughtSignature": "s"', b'"short"')


def test_a_call_never_comes_right_behind_other_words_of_the_model() -> None:
    signed = {**call("f"), "thoughtSignature": "sig"}
    data = body(
        content("user", "a"), content("model", "b"), content("user", "c"), content("model", signed),
        content("user", response("f", {"output": "x"})), content("model", "d"),
    )  # fmt: skip
    assert kept(data, "m1", "m2", "m4", "m5", "m6") == [
        content("user", "a"),
        content("model", "b", signed),
        content("user", response("f", {"output": "x"})),
        content("model", "d"),
    ]


def test_contents_of_the_model_that_stood_in_a_row_stay_as_they_are() -> None:
    data = body(content("user", "a"), content("model", "b"), content("model", call("f")), content("user", "c"))
    check_round_trip(gemini, data)
    assert kept(data, "m1", "m2", "m3") == json.loads(data)["contents"][:3]


def test_the_instruction_goes_when_its_message_goes() -> None:
    data = body(content("user", "Hi"), systemInstruction={"parts": [{"text": "Be brief."}]}, k=1)
    transcript = only(data)
    out = write(gemini, [transcript.with_messages(transcript.messages[1:])])
    assert json.loads(out) == {"k": 1, "contents": [content("user", "Hi")]}
    assert write(gemini, [with_text(transcript, "Short.")]) == data.replace(b"Be brief.", b"Short.")


def test_a_changed_line_keeps_its_ending() -> None:
    line = json.dumps(content("user", "long")).encode()
    data = line + b"\r\n" + line.replace(b"long", b"b") + b"\r\n"
    assert write(gemini, [with_text(only(data), "short")]) == data.replace(b"long", b"short")


def test_a_new_message_stands_in_its_place() -> None:
    transcript = only(body(content("user", "a"), content("model", "b"), content("user", "c")))
    new = Message("s1", "user", (Text("In short."),), covers=("m1", "m2"))
    out = json.loads(write(gemini, [transcript.with_messages([new, transcript.messages[2]])]))
    assert out["contents"] == [content("user", "In short."), content("user", "c")]


def test_what_is_no_content_is_carried_and_noted() -> None:
    data = b'{"contents": [{"role": "user", "parts": [{"text": "a"}]}, 7, {"role": "model"}]}'
    transcript = only(data)
    assert transcript.source is not None
    assert [n.where for n in transcript.source.notes] == ["content 2"]
    check_round_trip(gemini, data)


def test_a_body_that_breaks_off_says_where() -> None:
    with pytest.raises(InputError, match=r"line \d+, column \d+: the JSON ends in the middle"):
        read(gemini, (SAMPLES / "gemini.json").read_bytes()[:900])


def png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + width.to_bytes(4) + height.to_bytes(4)
    return base64.b64encode(head).decode()


@pytest.mark.parametrize(
    ("data", "tokens"), [("", 258), (png(384, 384), 258), (png(960, 540), 1548), (png(3000, 1000), 2580)]
)
def test_an_image_costs_its_tiles(data: str, tokens: int) -> None:
    assert gemini_image_tokens(data) == tokens


def test_a_conversation_of_another_format_becomes_a_body_whose_turns_alternate() -> None:
    messages = (
        Message("m1", "system", (Text("Be kind."),)),
        Message("m2", "user", (Text("ls?"), Opaque("image", 85, media_type="image/png", data="AAAA"))),
        Message("m3", "assistant", (Text("Yes."),)),
        Message("m4", "assistant", (ToolCall("c1", "ls", "{}"), ToolCall("c2", "pwd", "[1]"))),
        Message("m5", "tool", (ToolResult("c1", "a.py"),)),
        Message("m6", "tool", (ToolResult("c2", "no", is_error=True),)),
    )
    out = write(gemini, [Transcript(messages)])
    check_one_format(out, "gemini")
    assert json.loads(out) == {
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
        "contents": [
            content("user", "ls?", {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
            content(
                "model",
                "Yes.",
                {"functionCall": {"id": "c1", "name": "ls", "args": {}}},
                {"functionCall": {"id": "c2", "name": "pwd", "args": {"input": [1]}}},
            ),
            content("user", response("ls", {"output": "a.py"}, id="c1"), response("pwd", {"error": "no"}, id="c2")),
        ],
    }
