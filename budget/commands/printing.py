"""Printed lines: a text from a file is shown on the terminal, and never obeyed."""

import sys

import typer

from annotation.errors import visible


def say(text: str, err: bool = False) -> None:
    """Print lines for people or machines; on standard error where `err`."""
    typer.echo(visible(text), err=err)


def show_all_characters() -> None:
    """Where the terminal's encoding lacks a character, its number is printed instead."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
