"""A report's page taken apart, for the tests of what stands on it."""

from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "hr", "input"}
UNSEEN = {"style", "title", "svg"}
APART = {"h1", "h2", "h3", "p", "li", "dt", "dd", "figcaption", "caption", "tr", "footer"}


class Page(HTMLParser):
    """Visible text, attributes, headings; open tags must be closed in order.

    `rows` are the cells of every row of a table; `lines` is all that is read, a line for each
    heading, paragraph, point of a list and row.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.mistakes: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.headings: list[str] = []
        self.tags: list[str] = []
        self.rows: list[list[str]] = []
        self._text: list[str] = []
        self._lines: list[list[str]] = [[]]
        self.feed(page)
        self.close()
        self.text = " ".join(" ".join(self._text).split())
        self.lines = [line for words in self._lines if (line := " ".join("".join(words).split()))]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in APART:
            marks = {"h1": "# ", "h2": "# ", "h3": "## ", "li": "- ", "dd": ": "}
            self._lines.append([marks.get(tag, "")])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self._lines[-1].append(" | " if self.rows[-1] else "")
            self.rows[-1].append("")
        if tag in ("span", "br"):
            self._lines[-1].append(" ")
        if tag == "span" and self.rows and self.rows[-1]:
            self.rows[-1][-1] += " | "

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.mistakes.append(f"</{tag}> at {self.getpos()}")
        if tag in APART:
            self._lines.append([])

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self._text.append(data)
        if UNSEEN.isdisjoint(self.open):
            self._lines[-1].append(data)
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data)
        if "tbody" in self.open and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.replace("\u00a0", " ").strip()
