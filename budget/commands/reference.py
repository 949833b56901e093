"""The reference of the `labelmix` command, docs/cli.md, from the help texts themselves.

python -m budget.commands.reference > docs/cli.md
"""

from collections.abc import Iterator
from typing import Any

import typer

from budget.commands.app import app

WIDTH = 100  # of a line of help, whatever the terminal's is
_HEAD = """# The labelmix command

What `--help` says of every command. `make docs` writes this page from the help texts.
"""


def reference() -> str:
    """The page: a section for every command and group of commands, in the order of the help."""
    return "\n".join([_HEAD, *_sections(typer.main.get_command(app), "labelmix", None)])


def _sections(
    command: Any,  # noqa: ANN401 - typer has no public type of it
    name: str,
    parent: typer.Context | None,
) -> Iterator[str]:
    context = typer.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        color=False,
    )
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    for inner_name, inner in getattr(command, "commands", {}).items():
        yield from _sections(inner, inner_name, context)


if __name__ == "__main__":
    typer.echo(reference(), nl=False)
