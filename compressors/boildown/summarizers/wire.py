"""One call over the wire, with the official SDK: what is sent, and what of the response is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from boildown.errors import ModelError, UsageError
from boildown.summarizers.calls import Request, Usage
from boildown.summarizers.failures import CUT, NO_KEY, NO_MODEL, ODD_KEY, OTHER, place, translated
from boildown.summarizers.said import Said

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import Message, TextBlockParam, ThinkingConfigParam
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

TIMEOUT = 600.0
RETRIES = 2


class Wire:
    """An open connection to an endpoint."""

    def __init__(self, sdk: AsyncAnthropic, url: str) -> None:
        self.sdk = sdk
        self.url = url
        # Anthropic's newer models take no temperature; without one, a server of one's own draws at random.
        host = urlsplit(url).hostname or "anthropic.com"
        self._temperature = own = not f".{host}".endswith(".anthropic.com")
        # Claude 4.7 and later take adaptive thinking only; 4.5, and servers of one's own that know of it, a budget:
        # https://platform.claude.com/docs/en/build-with-claude/extended-thinking
        self._thinking = ("enabled", "adaptive") if own else ("adaptive", "enabled")
        self._refused: set[tuple[str, str]] = set()

    async def said(self, request: Request) -> Said:
        """Raises ModelError where the call fails for good, and UsageError where any other would fail as well."""
        with self.translating(request.model):
            message = await self._sent(request)
        return said(message, self.url)

    async def counted(self, model: str, turns: Sequence[Any]) -> int:
        """The tokens of a prompt that holds `turns`. Raises as `said` does."""
        with self.translating(model, without=""):
            count = await self.sdk.messages.count_tokens(model=model, messages=turns)
        tokens = getattr(count, "input_tokens", None)
        if not isinstance(tokens, int):
            raise ModelError(OTHER.format(where=place(self.url)))
        return tokens

    @contextmanager
    def translating(self, model: str, without: str = NO_MODEL) -> Iterator[None]:
        """What the SDK raises within comes out as an error for a user; `without`: what there is that needs no key."""
        import anthropic
        import httpx2

        try:
            yield
        except (anthropic.AnthropicError, ValueError) as error:  # ValueError: JSON that is none
            raise translated(error, model, self.url, self.secrets) from None
        except httpx2.HTTPError:  # cut while it was streamed, which the SDK leaves as it is
            raise ModelError(CUT.format(where=place(self.url))) from None
        except TypeError as error:  # what the SDK raises where it finds no key
            if "authentication" not in str(error):
                raise
            raise UsageError(NO_KEY.format(where=place(self.url)) + without) from None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may quote."""
        return tuple(filter(None, (self.sdk.api_key, self.sdk.auth_token)))

    async def _sent(self, request: Request) -> Message:
        """What comes back, asked again without what is refused: another call under way may find that out meanwhile."""
        import anthropic

        while True:
            thinking = self._form(request)
            with_temperature = self._temperature and not thinking
            try:
                return await self._create(request, with_temperature, thinking)
            except anthropic.BadRequestError as error:
                if thinking and "thinking" in str(error):
                    self._refused.add((request.model, thinking))
                elif with_temperature and "temperature" in str(error):
                    self._temperature = False
                else:
                    raise

    def _form(self, request: Request) -> str:
        """How the model is asked to think; "" where it is not to, or was found to refuse it."""
        forms = (form for form in self._thinking if (request.model, form) not in self._refused)
        return next(forms, "") if request.thinking else ""

    async def _create(self, request: Request, with_temperature: bool, thinking: str) -> Message:
        extra = {"temperature": 0} if with_temperature else None
        return await self.sdk.messages.create(**params(request, thinking), extra_body=extra)


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
    for name, key in (("ANTHROPIC_API_KEY", sdk.api_key), ("ANTHROPIC_AUTH_TOKEN", sdk.auth_token)):
        if key and not (key.isprintable() and key == key.strip()):
            raise UsageError(ODD_KEY.format(where=place(url), name=name))
    async with sdk:
        yield Wire(sdk, url)


def params(request: Request, thinking: str = "") -> MessageCreateParamsNonStreaming:
    """What is sent of a request, alone or in a batch; `thinking` is the form in which the model is asked to think."""
    sent: MessageCreateParamsNonStreaming = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "system": [_block(request.system, cached=True)],
        "messages": [{"role": "user", "content": _blocks(request)}],
    }
    if thinking:
        sent["thinking"] = _thoughts(thinking, request.thinking)
    return sent


def _thoughts(form: str, budget: int) -> ThinkingConfigParam:
    return {"type": "enabled", "budget_tokens": budget} if form == "enabled" else {"type": "adaptive"}


def said(message: Message, url: str) -> Said:
    """What is read of a message that came. Raises ModelError where it is none."""
    if not isinstance(getattr(message, "content", None), list):  # what is not JSON comes as a string
        raise ModelError(OTHER.format(where=place(url)))
    return Said(_text(message), _usage(message), message.stop_reason)


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
