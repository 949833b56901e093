"""How the figures of the report look, and how they become inline SVG.

Colours differ in lightness as well as in hue, and every kind of purchase has its own marker and
line style, so that the figures can be read in grey and by colour-blind readers. The same figure
gives the same bytes: the SVG's identifiers are salted with a constant and carry no date.
"""

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, GRID = "#1c2733", "#56616e", "#e3e8ed"
PLAN_COLOUR, MIXED_COLOUR = "#0b7a60", "#7b8794"
# From the easiest stratum on; the target's own comes last. Dark to light, told apart in grey.
STRATUM_COLOURS = ("#174a7c", "#7d5ba6", "#5b6b2f", "#8a3b52")
TARGET_COLOUR = "#d97b1c"
# Darker, where a line's colour is too light for text on white (contrast 4.5 and more).
TEXT_COLOURS = {TARGET_COLOUR: "#a85500", MIXED_COLOUR: MUTED}
STRATUM_LINES = ("-", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
TARGET_LINE = (0, (5, 2))
STRATUM_MARKERS = ("o", "^", "v", "P")
TARGET_MARKER = "s"
LONGEST_LABEL = 18


@dataclass(frozen=True)
class Style:
    """How one kind of purchase is drawn."""

    colour: str
    marker: str
    line: str | tuple[int, tuple[int, ...]]


PLAN_STYLE = Style(PLAN_COLOUR, "D", (0, (2, 1)))
MIXED_STYLE = Style(MIXED_COLOUR, "X", (0, (1, 1)))


def stratum_styles(strata: Sequence[str], target: str) -> dict[str, Style]:
    """One style per stratum, in order; the target's is always the same."""
    others = [name for name in strata if name != target]
    styles = {
        name: Style(
            STRATUM_COLOURS[index % len(STRATUM_COLOURS)],
            STRATUM_MARKERS[index % len(STRATUM_MARKERS)],
            STRATUM_LINES[index % len(STRATUM_LINES)],
        )
        for index, name in enumerate(others)
    }
    styles[target] = Style(TARGET_COLOUR, TARGET_MARKER, TARGET_LINE)
    return styles


def text_colour(colour: str) -> str:
    """The colour of text that belongs to a line of this colour."""
    return TEXT_COLOURS.get(colour, colour)


def place_on_axis(cost: float, low: float, high: float, logarithmic: bool) -> float:
    """Where a cost lies on the axis, from 0 to 1."""
    if logarithmic:
        return math.log(cost / low) / math.log(high / low)
    return (cost - low) / (high - low)


def one_two_five(low: float, high: float) -> list[float]:
    """The numbers 1, 2, 5 times a power of ten within [low, high]; every second if too many."""
    found = [
        mantissa * 10.0**power
        for power in range(-6, 13)
        for mantissa in (1, 2, 5)
        if low <= mantissa * 10.0**power <= high
    ]
    return found if len(found) <= 7 else found[:: 1 + len(found) // 7]


def shortened(text: str) -> str:
    """A name that may be of any length, cut to what fits."""
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}\u2026"


@contextmanager
def drawing(inches: tuple[float, float]) -> Iterator["Figure"]:
    """An empty figure in the report's style, outside pyplot's global state."""
    import matplotlib
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {  # its keys are typed as literals
        "svg.fonttype": "none",
        "svg.hashsalt": "labelmix",
        "text.parse_math": False,
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 9,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
    }
    with matplotlib.rc_context(style):
        yield Figure(figsize=inches)


def svg_element(figure: "Figure", name: str, description: str) -> str:
    """The figure as an `<svg>` element to stand inside a page.

    Identifiers get the figure's name, so that several figures share a page; the fonts are the
    page's; metadata and name spaces, which only a file of its own needs, are left out.
    """
    out = StringIO()
    with warnings.catch_warnings():
        # The page's fonts write the text; that the measuring font lacks a letter does no harm.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(
            out, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    text = out.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<style type=\"text/css\">.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"\bxlink:href=", "href=", text)
    text = re.sub(r"\bid=\"", f'id="{name}-', text)
    text = re.sub(r"href=\"#", f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r"'DejaVu Sans'(, '[^']*')*, sans-serif", "var(--sans, sans-serif)", text)
    view = re.search(r"viewBox=\"[^\"]*\"", text)
    box = view.group(0) if view else ""
    opening = (
        f'<svg class="{name}" {box} role="img" aria-label="{escape(description)}" '
        'style="stroke-linejoin:round;stroke-linecap:butt">'
    )
    return opening + text[text.index(">") + 1 :]
