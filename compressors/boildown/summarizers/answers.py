"""Answers that models gave before: a file each, named by all that was asked, so that a second run makes no call."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from boildown import private
from boildown.errors import UsageError
from boildown.summarizers.account import Account
from boildown.summarizers.calls import Outcome, Request, Usage
from boildown.summarizers.said import Said


def folder() -> Path:
    """Where answers are kept: `boildown/answers` in the user's cache directory, as the XDG specification has it."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if os.path.isabs(given) else Path.home() / ".cache") / "boildown" / "answers"


Fetch = Callable[[list[Request]], Mapping[Request, Outcome]]
"""Asks for what was not answered before"""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of the models behind one endpoint: another endpoint's model of that name is another model.

    Files are the user's alone to read, for they quote conversations. They may be deleted at any time.
    """

    folder: Path
    endpoint: str = ""

    def get(self, request: Request) -> Outcome | None:
        """What was answered to just this request, of use or not, if it is there and whole."""
        said = self.of(self.key(request))
        return None if said is None else said.outcome(request, cached=True)

    def of(self, name: str) -> Said | None:
        """What was said to the request of this key."""
        try:
            found = json.loads(self._path(name).read_bytes())
            usage = Usage(**{k: int(v) for k, v in found["usage"].items()})
            return Said(str(found["text"]), usage, str(found["stop"]) if "stop" in found else None)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def asked(self, requests: Sequence[Request], account: Account, fetch: Fetch) -> list[Outcome]:
        """The outcome of each request, in their order: those that are here, and of the others what `fetch` makes.

        Raises UsageError where answers could not be kept.
        """
        known = {r: outcome for r in dict.fromkeys(requests) if (outcome := self.get(r)) is not None}
        found: dict[Request, Outcome] = {r: account.add_cached(outcome) for r, outcome in known.items()}
        missing = [request for request in dict.fromkeys(requests) if request not in found]
        if missing:
            self.check()
            found |= fetch(missing)
        return [found[request] for request in requests]

    def put(self, request: Request, said: Said) -> None:
        """Keep what was said. Raises UsageError where it cannot be written."""
        self.put_of(self.key(request), request.model, said)

    def key(self, request: Request) -> str:
        """What names the answer to a request."""
        return key(request, self.endpoint)

    def put_of(self, name: str, model: str, said: Said) -> None:
        """Keep what `model` said to the request of this key. Raises UsageError where it cannot be written."""
        kept = {"model": model, "text": said.text, "usage": asdict(said.usage)}
        if said.reason is not None:
            kept["stop"] = said.reason
        # Not orjson: an answer may hold halves of characters, which it refuses.
        data = json.dumps(kept).encode()
        try:
            write(self._path(name), data)
        except OSError as error:
            raise unwritable(self.folder, error) from None

    def check(self) -> None:
        """Raise UsageError where answers could not be kept, before any is paid for."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise unwritable(self.folder, error) from None

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / f"{name[2:]}.json"


def write(path: Path, data: bytes) -> None:
    """Write a file and the directory that it is in, which are the user's alone. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    private.write(path, data)


def key(request: Request, endpoint: str) -> str:
    """The SHA-256 of all that decides an answer; a prompt is its own version."""
    thoughts = (request.thinking,) if request.thinking else ()
    asked = (endpoint, request.model, request.system, request.context, request.prompt, request.max_tokens, *thoughts)
    return hashlib.sha256("\0".join(map(repr, asked)).encode()).hexdigest()


def unwritable(folder: Path, error: OSError) -> UsageError:
    """What a user is told where nothing can be kept."""
    why = error.strerror or error
    return UsageError(f"{folder}: answers cannot be kept there: {why}. Make room, or let XDG_CACHE_HOME name a place.")
