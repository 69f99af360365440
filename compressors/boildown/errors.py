"""Every error that boildown raises on purpose, in one tree.

BoildownError              something the user can act on; the message says what, where and what next
├── UsageError             an option, a pipeline or a stage option is wrong              exit 2
├── InputError             a file cannot be read as a conversation                       exit 2
│   └── NoConversationError it is sound, and no conversation that boildown knows        exit 2
└── NotMetError            all was read and understood, but the demand cannot be met     exit 1
    ├── BudgetError        the pinned part alone is larger than the budget               exit 1
    ├── ArchiveError       an archive cannot be read or written, or has lost something   exit 1
    ├── LostError          one object of an archive is missing or damaged                exit 1
    ├── BusyError          the file is being written by another process                  exit 1
    ├── CostError          the next call of a model could pass --max-cost                exit 1
    └── ModelError         a model's endpoint does not answer                            exit 1
        ├── UnreachableError  no connection to it can be made                            exit 1
        ├── AnswerError    it answered, with nothing that can be used                    exit 1
        └── CountError     it does not count tokens                                      exit 1
"""

from __future__ import annotations


class BoildownError(Exception):
    """A failure with a message for people: what is wrong, where, and the next step."""

    exit_code = 2


class UsageError(BoildownError):
    """The request itself is wrong."""


class InputError(BoildownError):
    """The input is not a conversation that boildown can read."""


class NoConversationError(InputError):
    """The input holds nothing, or nothing that is in one of the formats."""


class NotMetError(BoildownError):
    """The request is clear and the input is sound, but the result would break the demand."""

    exit_code = 1


class BudgetError(NotMetError):
    """The budget is smaller than what must be kept.

    Attributes: `needed` and `budget`, both in tokens, and `what` is needed.
    """

    def __init__(self, needed: int, budget: int, what: str) -> None:
        super().__init__(
            f"the budget of {budget:,} tokens is {needed - budget:,} short: {what} takes {needed:,}. "
            f"Ask for at least {needed:,}, or pin less (--keep-first, --keep-recent, --pin, --no-pin-system)."
        )
        self.needed = needed
        self.budget = budget
        self.what = what


class ArchiveError(NotMetError):
    """An archive cannot do what is asked of it."""


class LostError(NotMetError):
    """An object is not in the archive, or not as it was put there.

    Attributes: `name`, its hash, and `why`.
    """

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"the record {name[:12]} is {why} in the archive. Restore the archive from a copy.")
        self.name = name
        self.why = why


class BusyError(NotMetError):
    """The file is being written by another process, so that mending it would lose what that writes."""


class CostError(NotMetError):
    """The next call of a model could cost more than what is left of --max-cost."""


class ModelError(NotMetError):
    """A call of a model failed for good: the endpoint is not reached, is overloaded, or does not speak the API."""


class UnreachableError(ModelError):
    """No connection to the model's endpoint could be made."""


class AnswerError(ModelError):
    """The model answered with nothing that can be used: it refused, said nothing, or was cut off.

    Attribute: `text`, what it said.
    """

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message)
        self.text = text


class CountError(ModelError):
    """The provider does not count: there is no key, no such endpoint, or no answer."""
