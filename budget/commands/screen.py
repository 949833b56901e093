"""A terminal for tables and coloured lines, which shows texts from files and obeys none."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from annotation.errors import cut_in_the_middle, visible

_LONGEST = 10_000  # characters of a text for people; laying out one of 10 MB takes a minute


class Screen(Console):
    """Rich's console for texts that come from anywhere: markup and controls in them are shown."""

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, highlight=False)

    def render_str(self, text: str, **how: Any) -> Text:  # noqa: ANN401 - as Rich has them
        """A text, laid out as wide as it is shown."""
        return super().render_str(visible(cut_in_the_middle(text, _LONGEST)), **how)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """What is printed; the rest of controls, as in a `Text` that was made elsewhere."""
        for segment in super().render(renderable, options):
            if segment.control or visible(segment.text) == segment.text:
                yield segment
            else:
                yield Segment(visible(segment.text), segment.style)
