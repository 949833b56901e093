"""A loopback server that speaks as an endpoint of a language model does, well or badly."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Said:
    """What the server sends: status, body and headers, after so many seconds."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0


def completion(
    text: str | None,
    logprobs: dict[str, float] | None = None,
    ended: str = "stop",
    usage: tuple[int, int] | None = (50, 1),
    refusal: str | None = None,
) -> Said:
    """A completion; `logprobs` of the likeliest tokens where the first token of the text is."""
    option: dict[str, Any] = {
        "index": 0,
        "finish_reason": ended,
        "message": {"role": "assistant", "content": text, "refusal": refusal},
    }
    if logprobs is not None:
        entries = [{"token": token, "logprob": value} for token, value in logprobs.items()]
        option["logprobs"] = {"content": [{**entries[0], "top_logprobs": entries}]}
    found: dict[str, Any] = {"id": "x", "object": "chat.completion", "choices": [option]}
    if usage is not None:
        found["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return Said(json.dumps(found).encode())


Answer = Callable[[dict[str, Any], int], Said]


@dataclass
class ModelServer:
    """An address, what it was asked, and how it answers: request and its number to an answer."""

    url: str
    answer: Answer
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def items(self) -> list[str]:
        """The item in each request."""
        return [request["messages"][-1]["content"] for request in self.asked]


@contextmanager
def model_server(answer: Answer) -> Iterator[ModelServer]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            request = json.loads(self.rfile.read(length))
            own.asked.append(request)
            own.keys.add(self.headers.get("authorization", ""))
            said = own.answer(request, len(own.asked) - 1)
            time.sleep(said.after)
            try:
                self.send_response(said.status)
                for name, value in {"content-type": "application/json", **said.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)
            except OSError:
                pass  # nobody waits for it any more

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    own = ModelServer(f"http://127.0.0.1:{server.server_port}/v1", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield own
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
