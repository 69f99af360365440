"""Who talks at which length, as a factor of what is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from boildown.transcript import Message

if TYPE_CHECKING:
    from boildown.arrays import Floats, Ints

LENGTH_DISCOUNT = 0.75


def speakers(where: Ints, messages: Sequence[Message], costs: Floats) -> Floats:
    """Each message's factor: 1 for roles that talk as the user does, less the longer a role talks."""
    import numpy as np

    length = np.bincount(where, costs, len(messages))
    roles: dict[str, list[float]] = {}
    for message, tokens in zip(messages, length, strict=True):
        if tokens:
            roles.setdefault(message.role, []).append(float(tokens))
    means = {role: sum(held) / len(held) for role, held in roles.items()}
    usual = means.get("user") or min(means.values(), default=1.0)
    factor = {role: max(mean / usual, 1.0) ** -LENGTH_DISCOUNT for role, mean in means.items()}
    return np.array([factor.get(m.role, 1.0) for m in messages])
