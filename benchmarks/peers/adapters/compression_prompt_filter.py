"""compression-prompt: words scored by statistics; what it protects goes only where no share fits otherwise."""

from functools import partial

from compression_prompt import Compressor, CompressorConfig, StatisticalFilterConfig
from harness import Message, by_share, first_that_fits, plain, serve, whole


def compress(protect: bool, messages: list[Message], share: float) -> list[Message]:
    config = CompressorConfig(target_ratio=share, min_input_tokens=0, min_input_bytes=0)
    scores = StatisticalFilterConfig(compression_ratio=share, enable_protection_masks=protect)
    return whole(Compressor(config, scores).compress(plain(messages)).compressed)


serve(first_that_fits(by_share(partial(compress, True)), by_share(partial(compress, False))))
