"""What every adapter shares: reading a conversation, asking a package for the budget, writing what came back.

An adapter is run as `adapter.py INPUT OUTPUT BUDGET` in its package's own environment, which has tiktoken besides.
More pairs of OUTPUT and BUDGET may follow. Beside each OUTPUT it leaves OUTPUT.timing, a JSON object:

    seconds      processor time of the call whose result was taken, after one warm-up on a few messages
    tokenizing   processor time of encoding the conversation's texts once with tiktoken
    calls        how often the package was asked before the budget was met as nearly as it can be
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tiktoken

Message = dict[str, Any]
"""`role` and `content`; `name` of who speaks; `tool` and `tool_call_id` of a result, `calls` of what asked for it."""

FRAMING = 4
"""Tokens that a message is charged besides its text, as ../../../shared/evals/evals.py counts."""
LIMIT = 20
"""Seconds of processor time that an adapter may take for a case at a ratio, all of its calls together."""
FULL = 0.97
"""The share of the budget from which on no better setting is sought."""
CALLS = 7
SAMPLE = 8
CLOCK = 0.2

_ENCODING = tiktoken.get_encoding("o200k_base")


def tokens(text: str) -> int:
    return len(_ENCODING.encode_ordinary(text))


def cost(messages: Iterable[Message]) -> int:
    """Tokens of `messages` as evals.py counts them: texts, names and framing."""
    said = [f"{shown}\n" if (shown := _shown(m)) else "" for m in messages]
    return tokens("".join(said)[:-1]) + FRAMING * sum(map(bool, said))


def _shown(message: Message) -> str:
    return "\n".join(filter(None, (str(message.get("name") or "").replace("_", " "), message["content"])))


def plain(messages: Iterable[Message]) -> str:
    """The conversation as one text, a paragraph each message, for packages that know no messages."""
    return "\n\n".join(
        f"{m['name'].replace('_', ' ')}: {m['content']}" if m.get("name") else m["content"]
        for m in messages
        if m["content"].strip()
    )


def whole(text: str) -> list[Message]:
    """A text as the one message that it is sent in."""
    return [{"role": "user", "content": text}] if text.strip() else []


# --- reading ---------------------------------------------------------------------------------------------------------


def read(path: Path) -> list[Message]:
    """OpenAI messages as they are; of a session of Claude Code or Codex what a model would be shown."""
    messages: list[Message] = []
    tools: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        record = json.loads(line)
        if isinstance(record.get("payload"), dict):
            messages += _codex(record, tools)
        elif "role" in record and isinstance(record.get("content"), str):
            messages.append(record)
        elif record.get("type") in ("user", "assistant") and isinstance(record.get("message"), dict):
            messages += _claude(record["type"], record["message"].get("content"), tools)
    return [m for m in messages if m["content"].strip()]


def _claude(role: str, content: Any, tools: dict[str, str]) -> list[Message]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    said: list[str] = []
    calls: list[str] = []
    results: list[Message] = []
    for block in blocks:
        if not isinstance(block, dict):
            continue
        if block.get("type") == "tool_result":
            results.append(_result(str(block.get("tool_use_id")), _flat(block.get("content")), tools))
        elif block.get("type") == "tool_use":
            calls.append(_call(block.get("id"), block.get("name"), tools))
            said.append(f"{block.get('name')} {_flat(block.get('input'))}")
        else:
            said.append(str(block.get("text") or block.get("thinking") or ""))
    spoken = {"role": role, "content": "\n".join(filter(None, said)), "calls": calls}
    return [*results, spoken]


def _codex(record: Message, tools: dict[str, str]) -> list[Message]:
    payload = record["payload"]
    if record.get("type") == "compacted":
        return [{"role": "user", "content": _flat(payload.get("message"))}]
    if record.get("type") != "response_item":
        return []
    kind = str(payload.get("type"))
    if kind.endswith("_output"):
        return [_result(str(payload.get("call_id")), _flat(payload.get("output")), tools)]
    if kind.endswith("_call"):
        asked = _flat(_decoded(payload.get("arguments") or payload.get("input") or payload.get("action")))
        call = _call(payload.get("call_id"), payload.get("name"), tools)
        return [{"role": "assistant", "content": f"{tools[call]} {asked}", "calls": [call]}]
    role = "assistant" if kind == "reasoning" or payload.get("role") == "assistant" else "user"
    return [{"role": role, "content": _flat([payload.get("content"), payload.get("summary")])}]


def _call(name: Any, tool: Any, tools: dict[str, str]) -> str:
    tools[str(name)] = str(tool or "shell")
    return str(name)


def _result(call: str, text: str, tools: dict[str, str]) -> Message:
    return {"role": "tool", "content": text, "tool_call_id": call, "tool": tools.get(call, "shell")}


def _decoded(value: Any) -> Any:
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def _flat(value: Any) -> str:
    """All texts in `value`, a line each; types, ids and bytes of images are none."""
    if isinstance(value, list):
        return "\n".join(filter(None, map(_flat, value)))
    if isinstance(value, dict):
        hidden = {"type", "id", "signature", "data", "encrypted_content", "call_id", "tool_use_id"}
        return "\n".join(filter(None, (_flat(item) for key, item in value.items() if key not in hidden)))
    return "" if value is None else str(value)


def write(path: Path, messages: Iterable[Message]) -> None:
    """A message a line: role, text and speaker."""
    kept = [{k: m[k] for k in ("role", "name", "content") if m.get(k)} for m in messages if m["content"]]
    path.write_text("".join(json.dumps(m, ensure_ascii=False) + "\n" for m in kept) or "\n", encoding="utf-8")


# --- asking ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attempt:
    """What a package gave, its tokens, and the processor time that it took."""

    messages: list[Message]
    size: int
    seconds: float


Compress = Callable[[list[Message], float], list[Message]]
"""A package with one number to set: the budget that it is told, or the share that it is to keep."""


def attempt(compress: Compress, messages: list[Message], setting: float) -> Attempt:
    start = time.process_time()
    result = compress(messages, setting)
    seconds = time.process_time() - start
    return Attempt(result, cost(result), seconds)


def better(new: Attempt, old: Attempt | None, budget: int) -> bool:
    """Whether `new` comes nearer below `budget`, or, where none does, is smaller."""
    if old is None:
        return True
    if (new.size <= budget) != (old.size <= budget):
        return new.size <= budget
    return (new.size > old.size) == (new.size <= budget) and new.size != old.size


def search(compress: Compress, messages: list[Message], budget: int, start: float, most: float) -> list[Attempt]:
    """Ask with `start`, then with what the last answers suggest, until one fills the budget; `most` is the largest."""
    made: list[Attempt] = []
    begun, fits, over, setting = time.process_time(), 0.0, most * 1.0001, min(start, most)
    while not made or (len(made) < CALLS and (time.process_time() - begun) * (1 + 1 / len(made)) < LIMIT * 0.8):
        made.append(attempt(compress, messages, setting))
        size = made[-1].size
        if size > budget:
            over = min(over, setting)
        else:
            fits = max(fits, setting)
            if size >= FULL * budget or setting >= most:
                break
        guess = setting * 0.995 * budget / max(size, 1)
        inside = fits + 0.05 * (over - fits) < guess < over - 0.05 * (over - fits)
        setting = min(most, guess if inside else (fits + over) / 2)
    return made


Solve = Callable[[list[Message], int], list[Attempt]]
"""Attempts at a budget; the adapter writes the one nearest below it."""


def first_that_fits(*solves: Solve) -> Solve:
    """An adapter that goes on to the next way of asking only where no output of those before is within the budget."""

    def solve(messages: list[Message], budget: int) -> list[Attempt]:
        made: list[Attempt] = []
        for one in solves:
            made += one(messages, budget)
            if min(given.size for given in made) <= budget:
                break
        return made

    return solve


def by_budget(compress: Compress) -> Solve:
    """An adapter for a package that is told a budget, in tokens of its own counting."""
    return lambda messages, budget: search(compress, messages, budget, budget, 2 * cost(messages))


def by_share(compress: Compress) -> Solve:
    """An adapter for a package that is told which share to keep, 0 to 1."""
    return lambda messages, budget: search(compress, messages, budget, budget / cost(messages), 1.0)


def fixed(compress: Callable[[list[Message]], list[Message]]) -> Solve:
    """An adapter for a package that takes neither budget nor share: what it gives is the same for every budget."""
    known: dict[int, Attempt] = {}

    def solve(messages: list[Message], budget: int) -> list[Attempt]:
        if len(messages) not in known:
            known[len(messages)] = attempt(lambda given, _: compress(given), messages, 0)
        return [known[len(messages)]]

    return solve


def serve(solve: Solve) -> None:
    """Run an adapter: of the attempts that `solve` made, the one nearest below the budget is written."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process, which then has written nothing more
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    messages = read(Path(sys.argv[1]))
    solve(messages[:SAMPLE], cost(messages[:SAMPLE]) // 2)
    encoding = tokenizing([m["content"] for m in messages])
    for target, budget in pairs(sys.argv[2:]):
        signal.setitimer(signal.ITIMER_PROF, LIMIT)
        best, made = None, solve(messages, budget)
        for one in made:
            best = one if better(one, best, budget) else best
        assert best is not None
        write(target, best.messages)
        timed(target, best.seconds, encoding, len(made))


def pairs(arguments: list[str]) -> list[tuple[Path, int]]:
    """The outputs and budgets that an adapter is called with."""
    return [(Path(target), int(budget)) for target, budget in zip(arguments[::2], arguments[1::2], strict=True)]


def timed(target: Path, seconds: float, encoding: float, calls: int) -> None:
    """Leave `target`.timing."""
    Path(f"{target}.timing").write_text(json.dumps({"seconds": seconds, "tokenizing": encoding, "calls": calls}))


def tokenizing(texts: list[str]) -> float:
    """Processor time of encoding `texts` once; repeated, for some clocks only tick every few milliseconds."""
    start, rounds = time.process_time(), 0
    while (passed := time.process_time() - start) < CLOCK or not rounds:
        for text in texts:
            _ENCODING.encode_ordinary(text)
        rounds += 1
    return passed / rounds
