"""An endpoint that speaks as OpenAI's chat completions do, asked through the official client."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import httpx2
import openai

from annotation.errors import cut_in_the_middle
from annotation.machines.language_model.api_key import ApiKey
from annotation.machines.language_model.failures import (
    NOT_TAKEN,
    SERVER_FAILED,
    TOO_LARGE,
    AttemptError,
)
from annotation.machines.language_model.question import Message
from annotation.machines.language_model.reply import (
    MALFORMED,
    Completion,
    MalformedError,
    read_completion,
)

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

_LARGEST_ANSWER = 1 << 20  # bytes; a letter with its log-probabilities has some thousand
_LONGEST_DETAIL = 300  # characters of what a server says
_LIKELIEST = 20  # tokens whose log-probabilities are asked for; more are not given
_TOO_MANY_REQUESTS = (425, 429)
_PASSING = (408, 409, *_TOO_MANY_REQUESTS)
_OF_THIS_ITEM = (400, 413, 422)
_OF_A_GATEWAY = (408, 502, 504)  # what stands behind it may have answered all the same


class _AnswerTooLargeError(Exception):
    pass


class _AnswerTooSlowError(Exception):
    pass


class _Bounded(httpx2.SyncByteStream):
    """An answer that is read up to a size and for a time."""

    def __init__(self, stream: httpx2.SyncByteStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._stream:
            size += len(part)
            if size > _LARGEST_ANSWER:
                raise _AnswerTooLargeError
            if time.monotonic() > self._until:
                raise _AnswerTooSlowError
            yield part

    def close(self) -> None:
        self._stream.close()


class Endpoint:
    """Asks one model at one address, one request at a time.

    Parameters
    ----------
    url
        Address of the interface, such as https://api.openai.com/v1; see `checked_address`.
    model
        As the endpoint calls it.
    key
        Sent to that address and nowhere else; redirections are not followed.
    longest_answer
        Tokens of an answer at most.
    timeout
        Seconds for one answer.
    """

    def __init__(
        self, url: str, model: str, key: ApiKey, longest_answer: int, timeout: float
    ) -> None:
        self.url = url
        self.model = model
        self.longest_answer = longest_answer
        self._key = key
        self._timeout = timeout
        self._asks_for_logprobs = True
        self._limit = "max_tokens"  # newer models of OpenAI call it max_completion_tokens
        self._sends_temperature = True  # models that reason may take none
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0)),
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},
            event_hooks={"response": [self._bound]},
        )
        # Repetitions are ours: before each, the money is looked at.
        self._client = openai.OpenAI(
            api_key=key.reveal(), base_url=url, max_retries=0, http_client=self._http
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def ask(self, asked: Sequence[Message]) -> Completion:
        """Send one request, once.

        Raises AttemptError if there is no answer that can be read.
        """
        try:
            answer = self._client.chat.completions.with_raw_response.create(
                model=self.model,
                messages=cast("list[ChatCompletionMessageParam]", list(asked)),
                **self._settings(),
            )
            return read_completion(answer.http_response.content)
        except MalformedError as error:
            raise AttemptError(MALFORMED, str(error), may_have_cost=True) from None
        except openai.APIStatusError as error:
            raise self._of_status(error) from None
        except openai.APIConnectionError as error:
            raise _of_connection(error.__cause__ or error, self._clean) from None
        except (
            *(openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL),
            *(_AnswerTooLargeError, _AnswerTooSlowError),
        ) as error:
            raise _of_connection(error, self._clean) from None
        except (UnicodeError, ValueError) as error:  # a text that no request can hold
            detail = self._clean(f"{type(error).__name__}: {error}")
            never_sent = isinstance(error, UnicodeEncodeError)
            raise AttemptError(NOT_TAKEN, detail, may_have_cost=not never_sent) from None

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {self._limit: self.longest_answer}
        if self._sends_temperature:
            settings["temperature"] = 0
        if self._asks_for_logprobs:
            settings |= {"logprobs": True, "top_logprobs": _LIKELIEST}
        return settings

    def _bound(self, response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise _AnswerTooLargeError  # packed although we asked otherwise: no size is known
        stream = response.stream
        assert isinstance(stream, httpx2.SyncByteStream)
        response.stream = _Bounded(stream, time.monotonic() + self._timeout)

    def _clean(self, text: str) -> str:
        """A server's words on one line, without the key, cut where they are long."""
        line = " ".join(self._key.redact(text).split())
        return cut_in_the_middle(self._key.redact(line), _LONGEST_DETAIL)

    def _of_status(self, error: openai.APIStatusError) -> AttemptError:
        status, said = error.status_code, error.response.text
        words = "" if status == 401 else _words(said)  # 401 may quote the key, half of it masked
        detail = self._clean(f"status {status}" + (f": {words}" if words else ""))
        if status in _OF_THIS_ITEM and self._asks_less(said):
            return AttemptError(NOT_TAKEN, detail, may_pass=True, at_once=True)
        if status in _PASSING or status >= 500:
            out_of_money = status == 429 and "insufficient_quota" in said
            return AttemptError(
                SERVER_FAILED,
                detail,
                may_pass=not out_of_money,
                may_have_cost=status in _OF_A_GATEWAY,
                ends_all=out_of_money,
                retry_after=_seconds(error.response.headers.get("retry-after", "")),
            )
        return AttemptError(NOT_TAKEN, detail, ends_all=status not in _OF_THIS_ITEM)

    def _asks_less(self, said: str) -> bool:
        """Leave out what the endpoint does not take; whether there was something."""
        if self._limit == "max_tokens" and "max_completion_tokens" in said:
            self._limit = "max_completion_tokens"
        elif self._asks_for_logprobs and "logprobs" in said:
            self._asks_for_logprobs = False
        elif self._sends_temperature and "temperature" in said:
            self._sends_temperature = False
        else:
            return False
        return True


def _of_connection(cause: BaseException, clean: Callable[[str], str]) -> AttemptError:
    """What it means that no whole answer came."""
    if isinstance(cause, _AnswerTooLargeError):
        most = f"more than {_LARGEST_ANSWER:,} bytes, or packed"
        return AttemptError(TOO_LARGE, most, may_have_cost=True)
    never_reached = isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout)
    is_slow = isinstance(cause, httpx2.TimeoutException | _AnswerTooSlowError)
    detail = "no answer in time" if is_slow else clean(f"connection lost or refused: {cause}")
    return AttemptError(SERVER_FAILED, detail, may_pass=True, may_have_cost=not never_reached)


def _words(said: str) -> str:
    """What a server says of a failure; empty where it is a page for browsers.

    JSON is unfolded first: a key with its signs escaped would not be known again.
    """
    if "<" in said:
        return ""
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return said
    error = found.get("error") if isinstance(found, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else json.dumps(found, ensure_ascii=False)


def _seconds(retry_after: str) -> float | None:
    """Seconds of a Retry-After header that holds a number; a date is not waited for."""
    text = retry_after.strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
