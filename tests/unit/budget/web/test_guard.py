"""What other sites, other names and hostile texts cannot do."""

import re
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from starlette.types import Message

from budget.web import guard
from budget.web.application import make_application
from budget.web.settings import WebSettings
from tests.unit.budget.collection.by_hand import (
    new_collection,
    one_round,
    opened,
)
from tests.unit.budget.web.conftest import Client, form_token, posted
from training.engines import SilentWatcher

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8780",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.7:8780",
        "",
        "[::1",
        "user@evil.example",
    ],
)
def test_a_foreign_name_is_refused(planned: Path, client: Client, host: str) -> None:
    answer = client(planned).get("/folder/c/board.json", headers={"Host": host})
    assert answer.status_code == 421
    assert "little" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "LOCALHOST:8780", "[::1]:8780"])
def test_the_names_of_this_machine_are_not(planned: Path, client: Client, host: str) -> None:
    assert client(planned).get("/index.json", headers={"Host": host}).status_code == 200


def test_two_hosts_are_refused(planned: Path, client: Client) -> None:
    headers = [("Host", "127.0.0.1"), ("Host", "evil.example")]
    assert client(planned).get("/index.json", headers=headers).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://127.0.0.1:8780.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_page_is_refused(
    planned: Path, client: Client, headers: dict[str, str]
) -> None:
    own = client(planned)
    token = form_token(own.get("/folder/c/board").text)
    fields = {"form_token": token, "who": "ann", "batch": "1"}
    answer = own.post("/folder/c/board/approve", data=fields, headers=headers)
    assert answer.status_code == 403
    assert own.get("/folder/c/board.json").json()["status"]["next_step"] == "approve"


def test_a_form_needs_its_token_and_its_browser(planned: Path, client: Client) -> None:
    own, other = client(planned), client(planned)
    foreign = form_token(other.get("/folder/c/board").text)
    own.get("/folder/c/board")
    for token in ("", "0" * 64, foreign, "\u00e9"):
        fields = {"form_token": token, "who": "ann", "batch": "1"}
        assert own.post("/folder/c/board/approve", data=fields).status_code == 403
    right = form_token(own.get("/folder/c/board").text)
    own.cookies.clear()
    fields = {"form_token": right, "who": "ann", "batch": "1"}
    assert own.post("/folder/c/board/approve", data=fields).status_code == 403
    assert own.get("/folder/c/board.json").json()["status"]["next_step"] == "approve"


def test_nothing_is_decided_by_a_link(planned: Path, client: Client) -> None:
    own = client(planned)
    assert own.get("/folder/c/board/approve?batch=1&who=ann").status_code == 405
    assert posted(own, "close")[0] == 404


def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    planned: Path, client: Client
) -> None:
    own = client(planned)
    large = {"form_token": "x" * (guard.MOST_BYTES + 1)}
    assert own.post("/folder/c/board/pause", data=large).status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1024

    answer = own.post(
        "/folder/c/board/pause",
        content=chunks(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413
    for length in ("-1", "1e3", "9" * 40):
        headers = {"Content-Length": length}
        assert own.post("/folder/c/board/pause", headers=headers).status_code == 413


def test_files_and_hundreds_of_fields_are_refused(planned: Path, client: Client) -> None:
    own = client(planned)
    many = {f"f{k}": "1" for k in range(200)}
    assert own.post("/folder/c/board/pause", data=many).status_code in (400, 403)
    file = {"form_token": ("a.txt", b"x")}
    assert own.post("/folder/c/board/pause", files=file).status_code in (400, 403)


def test_a_body_that_never_ends_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(guard, "MOST_SECONDS", 0.05)
    app = make_application(WebSettings(folders=(tmp_path,)))
    sent: list[Message] = []

    async def receive() -> Message:
        await anyio.sleep(30)
        raise AssertionError("nobody should wait so long")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/sign-in",
        "raw_path": b"/sign-in",
        "query_string": b"",
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ],
    }
    anyio.run(app, scope, receive, send)
    assert sent[0]["status"] == 408


@pytest.mark.parametrize(
    "address",
    [
        "/static/../application.py",
        "/static/..%2fapplication.py",
        "/static/%2e%2e/application.py",
        "/static/....//application.py",
        "/static//etc/passwd",
        "/folder/../board",
        "/folder/%2e%2e%2fc/board",
        "/folder/..%5cc/board",
        "/folder/%00/board",
        "/folder/c%2f..%2f..%2fetc/board",
    ],
)
def test_no_path_leads_out(planned: Path, client: Client, address: str) -> None:
    answer = client(planned).get(address)
    assert answer.status_code == 404
    assert "import" not in answer.text and "root:" not in answer.text


def test_every_answer_forbids_scripts_and_frames_of_others(planned: Path, client: Client) -> None:
    own = client(planned)
    for address in ("/", "/folder/c/board", "/folder/c/board.json", "/nowhere", "/static/app.js"):
        headers = own.get(address).headers
        assert "script-src 'self';" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_pages_hold_no_script_or_style_of_their_own(planned: Path, client: Client) -> None:
    """They would need a policy that lets in those of others, too."""
    own = client(planned)
    for address in ("/", "/folder/c/board", "/folder/c/nothing"):
        page = own.get(address).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)


def test_texts_of_others_are_shown_and_not_obeyed(tmp_path: Path, client: Client) -> None:
    base = tmp_path / EVIL.replace("/", "")
    base.mkdir()
    folder = new_collection(base, name=EVIL)
    one_round(folder, lambda item, who: "odd")
    with opened(folder) as collection:
        collection.step(SilentWatcher())
    own = client(folder)
    name = own.get("/index.json").json()["folders"][0]["name"]
    assert posted(own, "pause", name, who=EVIL, why=EVIL)[0] == 200
    pages = [own.get(address).text for address in ("/", f"/folder/{name}/board")]
    for page in pages:
        assert "<script>alert" not in page and "<img" not in page
    assert pages[1].count("&lt;script&gt;alert(1)") >= 3
