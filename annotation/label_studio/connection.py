"""A connection to one Label Studio server: what may fail, fails as one line for a person."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from json import JSONDecodeError
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import httpx

from annotation.addresses import server_address
from annotation.errors import InputError
from annotation.files import too_deep_or_long
from annotation.label_studio.addresses import bounded, without_secrets
from annotation.label_studio.retries import (
    RetryPolicy,
    ServerUnavailableError,
    at_most_once,
    created_once,
    repeated,
)
from annotation.label_studio.token import Token

if TYPE_CHECKING:
    from label_studio_sdk.core.api_error import ApiError

Result = TypeVar("Result")


class RefusedError(InputError):
    """The server answered, and said no; `status` is that of HTTP."""

    def __init__(self, message: str, status: int | None) -> None:
        super().__init__(message)
        self.status = status


_FIRST_CONTACT = 10.0  # seconds: a misspelt address should be told soon
_LARGEST_ANSWER = 1 << 30  # bytes; a page of tasks has some MB


class Connection:
    """Sends requests through the official client, repeats them where that is safe, and counts.

    Parameters
    ----------
    url
        Address of the server, as in a browser: scheme, host, port, and the path where it is
        served below one.
    token
        A legacy token or a personal access token; the client tells which, and exchanges the
        latter for short-lived ones.
    policy
        How long to go on when the server does not answer.
    timeout
        Seconds for a single answer.

    Raises
    ------
    InputError
        If the address is none, or holds a password; or the token has expired.
    """

    def __init__(
        self, url: str, token: Token, policy: RetryPolicy | None = None, timeout: float = 120.0
    ) -> None:
        from label_studio_sdk.client import LabelStudio  # it takes a second to load

        self.url = checked_url(url)
        self.policy = policy or RetryPolicy()
        self.requests = 0  # sent so far, repetitions and exchanges of tokens included
        self._token = token
        self._http = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            # A redirect would silently turn a POST into a GET; it is reported instead.
            follow_redirects=False,
            event_hooks={"request": [self._count], "response": [self._read]},
        )
        try:
            with self._explained("connecting"):
                # The slash at the end: the client would drop a path when it exchanges a token.
                self.client = LabelStudio(  # type: ignore[no-untyped-call]
                    base_url=f"{self.url}/",
                    api_key=token.reveal(),
                    httpx_client=self._http,
                    max_retries=0,
                )
        except BaseException:
            self._http.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End open connections."""
        self._http.close()

    def first_contact(self) -> None:
        """See that a server answers there and takes the token; waits for seconds, not minutes."""
        policy = replace(self.policy, patience=min(self.policy.patience, _FIRST_CONTACT))
        with self._explained("connecting"):
            repeated(self.client.users.whoami, policy)

    def limit_patience(self, seconds: float) -> None:
        """From now on, give up sooner."""
        self.policy = replace(self.policy, patience=min(self.policy.patience, seconds))

    def repeat(self, call: Callable[[], Result], doing: str) -> Result:
        """Make a request that may safely happen twice: reading, setting, deleting."""
        with self._explained(doing):
            return repeated(call, self.policy)

    def create(
        self, create: Callable[[], Result], look: Callable[[], Result | None], doing: str
    ) -> Result:
        """Create something exactly once; `look` finds it where an attempt may have succeeded."""
        with self._explained(doing):
            return created_once(create, look, self.policy)

    def attempt(self, call: Callable[[], Result], doing: str) -> Result:
        """Make a request that must not be repeated blindly.

        Raises OutcomeUnknownError where it failed and the server may have acted on it.
        """
        with self._explained(doing):
            return at_most_once(call, self.policy)

    def _count(self, _: httpx.Request) -> None:
        self.requests += 1

    def _read(self, response: httpx.Response) -> None:
        """Read an answer, unfolded where it is packed, up to the size that is read at all.

        Raises InputError if it is larger.
        """
        size, parts = 0, []
        for part in response.iter_bytes():
            size += len(part)
            if size > _LARGEST_ANSWER:
                raise InputError(
                    f"{self.url}: an answer has more than {_LARGEST_ANSWER:,} bytes, which no "
                    "Label Studio sends; is the address right?"
                )
            parts.append(part)
        response._content = b"".join(parts)  # where httpx keeps what it has read

    def _clean(self, text: str) -> str:
        """A text without the token and the secrets that addresses may hold."""
        return without_secrets(self._token.redact(text))

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        """Turn what the client raises into one line that holds neither token nor cookies."""
        from label_studio_sdk.core.api_error import ApiError

        try:
            yield
        except ServerUnavailableError as error:
            if str(error).startswith(self.url):  # told already, by a request within this one
                raise
            message = (
                f"{self.url}: {doing}: {error}; what is done is kept, the same command goes on "
            )
            raise ServerUnavailableError(self._clean(f"{message}from there.")) from None
        except ApiError as error:
            message = self._clean(self._refusal(error, doing))
            raise RefusedError(message, error.status_code) from None
        except (httpx.HTTPError, httpx.InvalidURL, JSONDecodeError) as error:
            reason = bounded(self._clean(f"{type(error).__name__}: {error}"))
            raise InputError(self._clean(f"{self.url}: {doing}: ") + reason) from None
        except InputError:
            raise
        except (ValueError, RecursionError) as error:
            problem = _unreadable(error)
            if problem is None:
                raise
            message = f"{self.url}: {doing}: the answer cannot be read: {problem}; is the address "
            raise InputError(self._clean(f"{message}that of a Label Studio server?")) from None

    def _refusal(self, error: "ApiError", doing: str) -> str:
        status, detail = error.status_code, _detail(error.body, self._clean)
        where = f"{self.url}: {doing}"
        if status == 401:
            return (
                f"{where}: the server refuses the token (401{detail}); give a valid one. New "
                "organisations refuse legacy tokens until an owner allows them: use a personal "
                "access token."
            )
        if status == 403:
            return f"{where}: the token's owner may not do this (403{detail})."
        if status is not None and 300 <= status < 400:
            target = {k.lower(): v for k, v in (error.headers or {}).items()}.get("location", "")
            shown = bounded(self._clean(target)) or "another address"
            return f"{where}: the server sends us on to {shown}; give that address."
        if status is not None and status < 300:
            return (
                f"{where}: the answer is not Label Studio's; is the address right? It should be "
                "that of the start page, without /api."
            )
        return f"{where}: the server refuses ({status}{detail})."


def checked_url(url: str) -> str:
    """The address without a slash at its end.

    Raises InputError if it is no http(s) address, or holds a user name or password.
    """
    return server_address(
        url,
        "Label Studio",
        "http://localhost:8080",
        "--url or LABEL_STUDIO_URL",
        "leave them out, the token is enough",
    )


def _unreadable(error: ValueError | RecursionError) -> str | None:
    """What Python's reader of JSON does not take of an answer, in words; None: something else."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    if isinstance(error, RecursionError) or "integer string conversion" in str(error):
        return too_deep_or_long(error)
    return None


def _detail(body: object, redact: Callable[[str], str]) -> str:
    """What the server says about a refusal, as ": text"; empty where it says nothing.

    Secrets are hidden before the text is cut: of a token that is cut in two, no half is known.
    """
    if isinstance(body, str):
        text = "" if "<" in body else body  # a page for browsers tells nothing
    elif isinstance(body, dict):
        parts = list(_texts(body.get("validation_errors"))) or list(_texts(body.get("detail")))
        text = "; ".join(parts or _texts(body))
    else:
        text = ""
    text = bounded(redact(" ".join(text.split())))
    return f": {text}" if text else ""


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
