"""Beyond loopback a token has to be known."""

from pathlib import Path

import pytest

from annotation.errors import InputError
from budget.web import signing_in
from budget.web.settings import WebSettings, read_token
from tests.unit.budget.web.conftest import Client, posted

TOKEN = "a-long-word-that-nobody-guesses"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_in, "_WRONG_SECONDS", 0.0)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "labels.example.org"])
def test_beyond_loopback_a_token_is_needed(host: str) -> None:
    with pytest.raises(InputError, match="--token-file is needed"):
        WebSettings(folders=(), host=host)
    WebSettings(folders=(), host=host, token=TOKEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.5.5.5", "localhost", "::1"])
def test_on_loopback_none_is(host: str) -> None:
    assert WebSettings(folders=(), host=host).is_loopback


@pytest.mark.parametrize("text", ["", "short", "two words of many signs", "a" * 5_000, "ü" * 20])
def test_a_file_without_a_long_word_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="should hold one word of 16 signs or more"):
        read_token(path)
    path.write_text(f"{TOKEN}\n", encoding="utf-8")
    assert read_token(path) == TOKEN


def test_nothing_is_shown_without_it(planned: Path, client: Client) -> None:
    own = client(planned, token=TOKEN)
    page = own.get("/folder/c/board", headers={"Accept": "text/html"}, follow_redirects=False)
    assert page.status_code == 303
    assert page.headers["location"] == "/sign-in?to=/folder/c/board"
    for address in ("/index.json", "/folder/c/board.json", "/folder/c/board/changes"):
        assert own.get(address).status_code == 401
    assert own.post("/folder/c/board/pause", data={"who": "ann"}).status_code == 401
    assert "set-cookie" not in own.get("/sign-in").headers


def test_with_it_everything_is(planned: Path, client: Client) -> None:
    own = client(planned, token=TOKEN)
    wrong = own.post("/sign-in", data={"token": TOKEN[:-1]})
    assert wrong.status_code == 401
    assert "That is not the token." in wrong.text
    assert own.get("/index.json").status_code == 401
    fields = {"token": f" {TOKEN}\n", "to": "/folder/c/board"}
    answer = own.post("/sign-in", data=fields)
    assert answer.url.path == "/folder/c/board"
    assert posted(own, "pause", who="ann")[0] == 200
    # A restart signs nobody out.
    again = client(planned, token=TOKEN)
    again.cookies.update(own.cookies)
    assert again.get("/index.json").status_code == 200
    other = client(planned, token=f"{TOKEN}-changed")
    other.cookies.update(own.cookies)
    assert other.get("/index.json").status_code == 401


def test_machines_send_it_as_a_bearer_token(planned: Path, client: Client) -> None:
    own = client(planned, token=TOKEN)
    for given, status in ((TOKEN, 200), (TOKEN + "x", 401), ("", 401)):
        headers = {"Authorization": f"Bearer {given}"}
        assert own.get("/folder/c/board.json", headers=headers).status_code == status


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "x"])
def test_signing_in_leads_to_no_other_site(planned: Path, client: Client, to: str) -> None:
    own = client(planned, token=TOKEN)
    answer = own.post("/sign-in", data={"token": TOKEN, "to": to}, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_a_cookie_that_was_made_up_is_none(planned: Path, client: Client) -> None:
    own = client(planned, token=TOKEN)
    for value in ("x.y", "x.", ".", "", f"x.{'0' * 64}"):
        own.cookies.set("labelmix-8780", value)
        assert own.get("/index.json").status_code == 401


def test_beyond_loopback_numbers_and_given_names_are_known(planned: Path, client: Client) -> None:
    own = client(planned, token=TOKEN, host="0.0.0.0", names=("Labels.Example.org",))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for host in ("10.0.0.7:8780", "labels.example.org", "[fe80::1]:8780"):
        assert own.get("/index.json", headers={"Host": host, **headers}).status_code == 200
    for host in ("evil.example", "1.evil.example", "labels.example.org.evil.example"):
        assert own.get("/index.json", headers={"Host": host, **headers}).status_code == 421
