"""What the documents say can be followed: links, commands, configurations, files, words."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from budget.commands.app import app
from budget.config.read import parse_config
from budget.config.templates import commented_config

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
GLOSSARY = DOCS / "glossary.md"
WIDEST = 120

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_LINK_ALONE = re.compile(r"\s*(?:[-*] )?!?\[[^\]]*\]\([^)]*\)[.,;:]?")
_TERM = re.compile(r"^\| (?:\*\*(.+?)\*\*|`(\w+)`) \|", re.MULTILINE)
_FILE = re.compile(
    r"`((?:annotation|training|analysis|budget|benchmarks|tests|docs)/[\w./-]*)", re.MULTILINE
)
_OPTION = re.compile(r"`(--[a-z][a-z-]*)")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PAGES, ids=name)


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def blocks(page: Path, language: str) -> list[str]:
    found = _FENCED.findall(page.read_text(encoding="utf-8"))
    return [text for its, text in found if its == language]


def anchors(page: Path) -> set[str]:
    """Of every heading, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert len(set(plain)) == len(plain), f"{name(page)}: two headings have one anchor"
    return set(plain)


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name(page)}: {link}"
        assert not anchor or anchor in anchors(file), f"{name(page)}: {link}"


@each_page
def test_every_file_that_is_named_is_there(page: Path) -> None:
    for path in _FILE.findall(prose(page)):
        assert (ROOT / path).exists(), f"{name(page)}: {path}"


def test_code_names_pages_that_are_there() -> None:
    folders = ("annotation", "training", "analysis", "budget", "benchmarks")
    for file in sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for page in re.findall(r"docs/[\w./-]+\.md", file.read_text(encoding="utf-8")):
            assert (ROOT / page).exists(), f"{name(file)}: {page}"


def test_no_page_is_out_of_reach() -> None:
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        seen.add(page)
        links = [link.partition("#")[0] for link in _LINK.findall(prose(page))]
        there = {(page.parent / link).resolve() for link in links if link.endswith(".md")}
        ahead += [page for page in there if page in PAGES and page not in seen]
    assert set(PAGES) <= seen


def command_lines(page: Path) -> Iterator[list[str]]:
    """Arguments of every `labelmix` in the fenced blocks of a page."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["labelmix"]:
                yield words[1:]


def parse(words: list[str]) -> None:
    """Resolve a command and parse its arguments as the command line would, and run nothing."""
    command: Any = typer.main.get_command(app)  # click's, or typer's own copy of it
    context, called = None, "labelmix"
    while True:
        context = command.make_context(called, list(words), parent=context)
        if not hasattr(command, "resolve_command"):
            return
        rest = [*context._protected_args, *context.args]
        called, command, words = command.resolve_command(context, rest)


@each_page
def test_every_command_line_can_be_typed(page: Path) -> None:
    for words in command_lines(page):
        try:
            parse(words)
        except Exception as error:  # click's errors, whoever's click it is
            pytest.fail(f"{name(page)}: labelmix {' '.join(words)}: {error}")


def test_wrong_command_lines_are_found() -> None:
    for words in (
        ["run"],
        ["runs", "a.toml"],
        ["run", "a.toml", "--outt", "b"],
        ["plan", "--json"],
    ):
        with pytest.raises(Exception, match=r"Missing|No such|missing"):
            parse(words)


def options_of(command: Any) -> set[str]:
    own = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    return own.union(*(options_of(one) for one in getattr(command, "commands", {}).values()))


@pytest.mark.parametrize("page", sorted((DOCS / "guide").glob("*.md")), ids=name)
def test_every_option_that_the_guide_names_exists(page: Path) -> None:
    known = options_of(typer.main.get_command(app)) | {"--help"}
    assert set(_OPTION.findall(prose(page))) <= known


@each_page
def test_every_configuration_can_be_read(page: Path) -> None:
    """A whole one as it is; of another the sections are put into the commented configuration."""
    usual = tomllib.loads(commented_config())
    for block in blocks(page, "toml"):
        given = tomllib.loads(block)
        if {"items", "strata", "budget"} <= given.keys():
            parse_config(given, name(page), page.parent)
        elif given.keys() <= {*usual, "pilot", "targets", "test"}:
            parse_config({**usual, **given}, name(page), page.parent)


def test_the_guide_has_a_whole_configuration() -> None:
    text = (DOCS / "guide" / "plan-a-collection.md").read_text(encoding="utf-8")
    assert "[items]" in text and "[strata]" in text and "[budget]" in text


@each_page
def test_lines_are_no_wider_than_a_window(page: Path) -> None:
    for line in prose(page).splitlines():
        apart = line.startswith(("|", "    ")) or _LINK_ALONE.fullmatch(line)
        assert apart or len(line) <= WIDEST, f"{name(page)}: {line}"


def test_every_word_of_the_glossary_is_used() -> None:
    terms = [bold or setting for bold, setting in _TERM.findall(GLOSSARY.read_text("utf-8"))]
    assert len(terms) > 15
    others = [prose(page) for page in PAGES if page != GLOSSARY]
    text = re.sub(r"\s+", " ", " ".join(others)).lower()
    for term in terms:
        plural = re.sub(r"y$", "(?:y|ie)", term.lower())
        plural = plural.replace("stratum", "strat(?:um|a)")
        assert re.search(rf"\b{plural}(?:s|es)?\b", text), term
