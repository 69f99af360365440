"""Rules on Codex's rollouts besides the pairing of calls and outputs."""

from __future__ import annotations

from collections.abc import Iterator

from boildown.formats import media
from boildown.formats.codex import response_item
from boildown.validity.session import Found, Session

OUTPUTS = {
    "function_call": "function_call_output",
    "local_shell_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
}


def missing_header(session: Session) -> Iterator[Found]:
    """A rollout begins with the session's metadata, from which Codex takes the id that it resumes.

    https://github.com/openai/codex/blob/main/codex-rs/rollout/src/recorder.rs ("failed to parse thread ID from
    rollout file").
    """
    first = next((n for n, value in enumerate(session.values) if value is not None), None)
    if first is None:
        return
    value = session.values[first]
    known = isinstance(value, dict) and value.get("type") == "session_meta"
    if not known and not (isinstance(value, dict) and media.is_rollout_header(value)):
        yield Found(first, "", "the rollout does not begin with the session's metadata")


def mismatched_outputs(session: Session) -> Iterator[Found]:
    """An output is of its call's kind: Codex looks for the outputs of functions and of custom tools apart.

    https://github.com/openai/codex/blob/main/codex-rs/core/src/context_manager/normalize.rs
    (`ensure_call_outputs_present`, `remove_orphan_outputs`).
    """
    kinds: dict[str, str] = {}
    for record, value in enumerate(session.values):
        held = response_item(value) or {}
        call, kind = str(held.get("call_id") or ""), str(held.get("type", ""))
        if kind in OUTPUTS and call:
            kinds[call] = kind
        elif kind in OUTPUTS.values() and OUTPUTS.get(kinds.get(call, ""), kind) != kind:
            yield Found(record, call, f"a {kind} answers the {kinds[call]} {call}")
