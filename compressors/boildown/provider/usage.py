"""What a provider charged for a conversation as it grew: spans of messages with the tokens that they took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from boildown.formats.source import Json, parse
from boildown.transcript import Message, Transcript

PROMPT = (
    ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    ("input", "cacheRead", "cacheWrite"),
)
"""What a prompt took, as Anthropic's API and Claude Code name it, and as pi does.

`output_tokens` is no use: Claude Code often writes the value from the beginning of the answer
(https://github.com/anthropics/claude-code/issues/22686), and thoughts that are not kept are in it.
"""


@dataclass(frozen=True, slots=True)
class Span:
    """Messages that came between two prompts, the answer to the first included, and the tokens between these."""

    messages: tuple[Message, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class Charge:
    """One answer's record: its `message.id`, the model, whether a sub-agent's, and the tokens of the prompt."""

    id: str
    model: str
    aside: bool
    prompt: int


def spans(transcript: Transcript) -> Iterator[Span]:
    """The spans between neighbouring answers of one Claude model, each answer's records counted once.

    Left out is where a sub-agent spoke, where the model changed, and where the prompt did not grow: a client's own
    compaction.
    """
    seen: set[str] = set()
    last: tuple[int, Charge] | None = None
    for place, message in enumerate(transcript.messages):
        charge = _charge(message, transcript) if message.role == "assistant" else None
        if charge is None or charge.id in seen:
            continue
        seen.update(filter(None, [charge.id]))
        if charge.aside:
            last = None
            continue
        if last is not None and last[1].model == charge.model and charge.prompt > last[1].prompt:
            yield Span(transcript.messages[last[0] : place], charge.prompt - last[1].prompt)
        last = place, charge


def _charge(message: Message, transcript: Transcript) -> Charge | None:
    """What the records of an answer say of its prompt; they repeat it."""
    records = transcript.source.records if transcript.source else ()
    for index in message.records:
        try:
            record = parse(records[index])
        except (ValueError, IndexError, RecursionError):
            continue
        if not isinstance(record, Mapping):
            continue
        said = record.get("message", record)
        prompt = _prompt(said.get("usage")) if isinstance(said, Mapping) else 0
        if prompt and "claude" in str(said.get("model")):
            return Charge(str(said.get("id") or ""), str(said["model"]), record.get("isSidechain") is True, prompt)
    return None


def _prompt(usage: Json) -> int:
    """The tokens of a prompt, 0 where they are not told."""
    if not isinstance(usage, Mapping):
        return 0
    sums = (sum(n for name in names if isinstance(n := usage.get(name), int)) for names in PROMPT)
    return max(sums)
