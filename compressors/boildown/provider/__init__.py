"""Counting as the provider counts: by asking it, or by a calibration from what it charged before."""

from __future__ import annotations

PROVIDER = "anthropic"


def model(tokenizer: str) -> str | None:
    """The model whose tokens `tokenizer` means, `anthropic` or `anthropic:MODEL`; None where it is no provider."""
    name, _, given = tokenizer.partition(":")
    if name != PROVIDER:
        return None
    from boildown.summarizers.calls import MODEL

    return given or MODEL
