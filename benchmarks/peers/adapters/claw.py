"""claw-compactor: FusionEngine.compress_messages, which takes no budget and no ratio."""

from claw_compactor.fusion.engine import FusionEngine
from harness import Message, fixed, serve


def fuse(messages: list[Message]) -> list[Message]:
    return FusionEngine().compress_messages(messages)["messages"]


serve(fixed(fuse))
