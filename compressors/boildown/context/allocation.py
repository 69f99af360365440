"""How the budget of a context is shared out."""

from __future__ import annotations

from dataclasses import dataclass, fields

from boildown.errors import UsageError


@dataclass(frozen=True, slots=True)
class Allocation:
    """Shares of what the system's messages and the question leave of the budget; what one does not use, others get.

    summary    what is left of the older messages
    recent     the newest messages, as they are
    retrieved  older ones, and archived ones, that fit the question
    """

    summary: float = 0.2
    recent: float = 0.5
    retrieved: float = 0.3

    def __post_init__(self) -> None:
        shares = (self.summary, self.recent, self.retrieved)
        if not all(0 <= share <= 1 for share in shares) or abs(sum(shares) - 1) > 1e-6:
            said = ",".join(f"{f.name}={getattr(self, f.name):g}" for f in fields(self))
            raise UsageError(
                f"--allocation {said}: shares are from 0 to 1, and these add up to {sum(shares):g}, not 1."
            )


USUAL = Allocation()


def allocation(text: str) -> Allocation:
    """Shares as they are written, `summary=0.2,recent=0.5,retrieved=0.3`: a share that is not named is 0."""
    names = [f.name for f in fields(Allocation)]
    shares = dict.fromkeys(names, 0.0)
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, share = map(str.strip, part.partition("="))
        try:
            if name not in shares:
                raise ValueError
            shares[name] = float(share)
        except ValueError:
            raise UsageError(
                f"--allocation {text!r}: {part!r} is no share. Write {','.join(f'{n}=0.3' for n in names[:1])},... "
                f"with {', '.join(names)}."
            ) from None
    return Allocation(**shares)
