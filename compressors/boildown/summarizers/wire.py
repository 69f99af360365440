"""One call over the wire, with the official SDK: what is sent, and what of the response is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from boildown.errors import BoildownError, ModelError, UsageError
from boildown.summarizers.calls import Answer, Request, Usage
from boildown.summarizers.failures import NO_KEY, OTHER, place, stopped, translated

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import Message, TextBlockParam

TIMEOUT = 600.0
RETRIES = 2


@dataclass(frozen=True, slots=True)
class Said:
    """What came back, of use or not: it is paid for either way."""

    text: str
    usage: Usage
    reason: str | None

    def answer(self, request: Request) -> Answer:
        """Raises AnswerError where the model refused, said nothing or was cut off."""
        error = stopped(self.reason, request.model, request.max_tokens, self.text)
        if error is not None:
            raise error
        return Answer(self.text, self.usage)


class Wire:
    """An open connection to an endpoint."""

    def __init__(self, sdk: AsyncAnthropic, url: str) -> None:
        self._sdk = sdk
        self._url = url
        # Anthropic's newer models take no temperature; without one, a server of one's own draws at random.
        host = urlsplit(url).hostname or "anthropic.com"
        self._temperature = not f".{host}".endswith(".anthropic.com")

    async def said(self, request: Request) -> Said:
        """Raises ModelError where the call fails for good, and UsageError where any other would fail as well."""
        import anthropic

        try:
            message = await self._sent(request)
        except (anthropic.AnthropicError, ValueError) as error:  # ValueError: JSON that is none
            raise self._told(error, request) from None
        except TypeError as error:  # what the SDK raises where it finds no key
            if "authentication" not in str(error):
                raise
            raise UsageError(NO_KEY.format(where=place(self._url))) from None
        if not isinstance(getattr(message, "content", None), list):  # what is not JSON comes as a string
            raise ModelError(OTHER.format(where=place(self._url)))
        return Said(_text(message), _usage(message), message.stop_reason)

    async def _sent(self, request: Request) -> Message:
        import anthropic

        with_temperature = self._temperature  # another call under way may find out meanwhile
        try:
            return await self._create(request, with_temperature)
        except anthropic.BadRequestError as error:
            if not with_temperature or "temperature" not in str(error):
                raise
        self._temperature = False
        return await self._create(request, False)

    async def _create(self, request: Request, with_temperature: bool) -> Message:
        return await self._sdk.messages.create(
            model=request.model,
            max_tokens=request.max_tokens,
            system=[_block(request.system, cached=True)],
            messages=[{"role": "user", "content": _blocks(request)}],
            extra_body={"temperature": 0} if with_temperature else None,
        )

    def _told(self, error: Exception, request: Request) -> BoildownError:
        secrets = tuple(filter(None, (self._sdk.api_key, self._sdk.auth_token)))
        return translated(error, request.model, self._url, secrets)


@asynccontextmanager
async def opened(url: str, timeout: float = TIMEOUT, retries: int = RETRIES) -> AsyncIterator[Wire]:
    """A connection to `url`, Anthropic's own where that is "", with the key that the SDK finds."""
    import anthropic

    from boildown.summarizers.waits import patient

    try:
        sdk = anthropic.AsyncAnthropic(
            base_url=url or None,
            timeout=anthropic.Timeout(timeout, connect=min(timeout, 5.0)),
            max_retries=retries,
            middleware=[patient],
        )
    except (anthropic.AnthropicError, ValueError) as error:
        raise translated(error, "", url) from None
    async with sdk:
        yield Wire(sdk, url)


def _block(text: str, cached: bool) -> TextBlockParam:
    sound = text.encode("utf-8", "replace").decode()  # JSON takes no lone surrogates
    block: TextBlockParam = {"type": "text", "text": sound}
    if cached:
        block["cache_control"] = {"type": "ephemeral"}
    return block


def _blocks(request: Request) -> list[TextBlockParam]:
    ahead = [_block(request.context, cached=True)] if request.context else []
    return [*ahead, _block(request.prompt, cached=False)]


def _text(message: Message) -> str:
    """What was said, thoughts left out."""
    return "".join(block.text or "" for block in message.content if block.type == "text")


def _usage(message: Message) -> Usage:
    """What is charged; a server that does not say charges nothing."""
    told: Any = message.usage

    def tokens(name: str) -> int:
        return int(getattr(told, name, 0) or 0)

    return Usage(
        tokens("input_tokens"),
        tokens("output_tokens"),
        tokens("cache_read_input_tokens"),
        tokens("cache_creation_input_tokens"),
    )
