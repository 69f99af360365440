"""What the SDK raises, and answers of no use, as errors that say what, where and what next; never a key."""

from __future__ import annotations

from urllib.parse import urlsplit

from boildown.errors import AnswerError, BoildownError, ModelError, UnreachableError, UsageError

OFFICIAL = "https://api.anthropic.com"
KEPT = "What was answered is kept: run again, and only the rest is asked"
NO_KEY = (
    "there is no key for {where}. Set ANTHROPIC_API_KEY, and for a server of your own ANTHROPIC_BASE_URL "
    "(most take any text as a key)."
)
ODD_KEY = "{where}: {name} begins or ends with blanks, or has a line break in it, and cannot be sent. Set it anew."
NO_MODEL = " No model is needed for 'boildown compress' with --pipeline dedup,prune,ledger."
"""What else to do without a key, where it is a model's answer that is wanted"""
CUT = f"{{where}}: the connection was cut in the middle of an answer. {KEPT}."
OTHER = "{where}: the answer is no message of Anthropic's Messages API. Check ANTHROPIC_BASE_URL."
_LONG = 16
"""Characters of a token, at most, in a text of any length: what has more was not held to its tokens"""
STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The types of errors that the API documents, and the status that each has for a single call."""


def place(url: str) -> str:
    """An endpoint's address without what may be secret in it."""
    parts = urlsplit(url or OFFICIAL)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path.rstrip('/')}"


def translated(error: Exception, model: str, url: str, secrets: tuple[str, ...] = ()) -> BoildownError:
    """The error that a user is told of: UsageError where any other call would fail as well, else ModelError."""
    import anthropic
    import httpx2

    where = place(url)
    if isinstance(error, anthropic.APITimeoutError):
        return ModelError(f"{where}: no answer in time, or the connection was cut, several times over. {KEPT}.")
    if isinstance(error, anthropic.APIConnectionError):
        why = _told(str(error.__cause__ or error), secrets)
        unreached = isinstance(error.__cause__, httpx2.ConnectError)
        kind = UnreachableError if unreached else ModelError
        return kind(f"{where}: no connection ({why}). Check ANTHROPIC_BASE_URL and the network{_through(url)}. {KEPT}.")
    if isinstance(error, anthropic.APIStatusError):
        said = _told(error.api_message or "", secrets)
        return _status(error.status_code, model, where, said, error.request.url.path)
    if isinstance(error, anthropic.CredentialsError):
        return UsageError(f"{where}: the credentials cannot be read: {_told(str(error), secrets)}.")
    return ModelError(OTHER.format(where=where))


def errored(kind: str, said: str, model: str, url: str, secrets: tuple[str, ...] = ()) -> BoildownError:
    """The same for a request of a batch, which fails with the type of an error where a call has a status."""
    return _status(STATUSES.get(kind, 500), model, place(url), _told(said, secrets))


def _status(status: int, model: str, where: str, said: str, path: str = "/v1/messages") -> BoildownError:
    """A refusal with a status. What a 401 says is left out, for some servers quote the key in it."""
    quoted = f": {said}" if said else ""
    match status:
        case 401:
            return UsageError(f"{where}: the key is refused (401). Check ANTHROPIC_API_KEY.")
        case 403:
            may = f"Check ANTHROPIC_API_KEY, and whether it may use {model!r}."
            return UsageError(f"{where}: that is not allowed (403{quoted}). {may}")
        case 402:
            return _unpaid(where, quoted)
        case 400 if "credit balance" in said.lower():  # as Anthropic's API says it
            return _unpaid(where, quoted)
        case 404:
            return UsageError(
                f"{where}: there is no model {model!r}, or no {path} (404{quoted}). "
                "Check the model's name and ANTHROPIC_BASE_URL."
            )
        case 400 | 413 if _too_long(said) or status == 413:
            return UsageError(
                f"{where}: the input is longer than {model} takes{quoted}. Choose a model that takes more, or, of a "
                "stage with a `chunk`, a smaller one."
            )
        case 429:
            return ModelError(f"{where}: too many requests, also after waiting (429{quoted}). Wait a while. {KEPT}.")
        case 529:
            return ModelError(f"{where}: overloaded, also after waiting (529). Wait a while. {KEPT}.")
        case _ if status >= 500 or status in (408, 409):
            return ModelError(f"{where}: it fails, also when asked again ({status}{quoted}). Wait a while. {KEPT}.")
        case _:
            return UsageError(f"{where}: it refuses the request ({status}{quoted}). Choose another model.")


def _unpaid(where: str, quoted: str) -> UsageError:
    return UsageError(f"{where}: the account cannot pay{quoted}. Add credit there. {KEPT}.")


def _through(url: str) -> str:
    """Which proxy stands between this machine and an endpoint, in brackets; "" for none, and never its password."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url or OFFICIAL)
    found = getproxies()
    proxy = found.get(parts.scheme) or found.get("all")
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    return f", and the proxy {place(proxy)} that the environment names (NO_PROXY={parts.hostname} goes without)"


def _too_long(said: str) -> bool:
    return any(sign in said.lower() for sign in ("too long", "context", "exceed"))


def stopped(reason: str | None, model: str, max_tokens: int, text: str) -> AnswerError | None:
    """Why an answer that came is of no use, if it is not."""
    match reason:
        case "refusal":
            return AnswerError(f"{model} refused to answer.", text)
        case "max_tokens":
            return AnswerError(f"{model} was cut off at {max_tokens:,} tokens.", text)
        case "model_context_window_exceeded":
            return AnswerError(f"the input fills the window of {model}. Choose a model with a larger one.", text)
    if 0 < _LONG * max_tokens < len(text):  # 0 is for what counts tokens, and asks no model
        return AnswerError(f"{model} said more than the {max_tokens:,} tokens that it may.", text[: _LONG * max_tokens])
    return None if text.strip() else AnswerError(f"{model} gave an empty answer.")


def _told(text: str, secrets: tuple[str, ...]) -> str:
    """What an endpoint said, in one line, short, and without `secrets`."""
    for secret in (form for whole in secrets for form in (whole, repr(whole)[1:-1], whole.strip()) if form):
        text = text.replace(secret, "[key]")
    flat = " ".join(text.split()).rstrip(".")
    return flat if len(flat) <= 200 else flat[:199] + "…"
