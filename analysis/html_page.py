"""Self-contained HTML pages, all in one style.

A page loads nothing from anywhere: the style stands in it, and there are no scripts. All text is
escaped.
"""

import re
from importlib.resources import files

from jinja2 import BaseLoader, Environment, StrictUndefined
from markupsafe import Markup


def filled_template(package: str, name: str, **values: object) -> str:
    """The page of a template that stands beside a package's modules.

    The template finds the common style as `style`. A value that is missing, or neither text nor a
    whole number, is a mistake of the caller, and raises.
    """
    environment = page_environment()
    source = files(package).joinpath(name).read_text(encoding="utf-8")
    style = files("analysis").joinpath("page_style.css").read_text(encoding="utf-8")
    return environment.from_string(source).render(style=Markup(style.rstrip("\n")), **values)


def page_environment(loader: BaseLoader | None = None) -> Environment:
    """Templates of pages: all text is escaped, and what is missing, or no text, raises."""
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_only_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _only_text(value: object) -> object:
    """Let only text and whole numbers onto the page, and keep '%' beside its number.

    A None or a raw float in the page is a mistake of this module: better no page than that one.
    """
    if isinstance(value, Markup) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if not isinstance(value, str):
        raise TypeError(f"the page's template was given {value!r}; format it first.")
    return re.sub(r"(?<=\d) %", "\u00a0%", value)
