"""What a language model has answered and what it cost, kept in an SQLite file beside the output.

A run that was killed goes on from it, and nothing is paid twice. Every request is written down at
what it may cost at most before it is sent; so money that may have been spent is never forgotten.
Neither key nor texts are in the file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from annotation.databases import connected, damaged, database_errors, newer, not_another_file
from annotation.machines.language_model.reply import Reply
from annotation.terms.cost import exact_decimal

_VERSION = 1
_REMEDY = "move it away: what it has would be asked and paid again"
_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    request TEXT PRIMARY KEY, place INTEGER, confidence REAL, reason TEXT
);
CREATE TABLE IF NOT EXISTS attempts (
    number INTEGER PRIMARY KEY, request TEXT NOT NULL, cost TEXT NOT NULL,
    tokens_in INTEGER, tokens_out INTEGER, is_known INTEGER NOT NULL
);
"""


@dataclass(frozen=True)
class TokenBill:
    """What was sent and what it cost.

    Attributes
    ----------
    requests : that were answered, or may have been
    unknown : of these, whose tokens or outcome nobody told: they count at the most they may cost
    tokens_in, tokens_out : as the endpoint counted
    cost : exactly, in the user's currency
    """

    requests: int
    unknown: int
    tokens_in: int
    tokens_out: int
    cost: Fraction


def answer_file(out: Path) -> Path:
    """Where the answers for a table at `out` are kept."""
    return out.with_name(f"{out.name}.answers.sqlite")


class KeptAnswers:
    """The open file; one process at a time.

    Raises InputError if it is another file, a newer one or damaged, or another process has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        not_another_file(path, "a file of a language model's answers")
        with self._explained():
            self._connection = connected(path)
            try:
                self._begin()
            except BaseException:
                self._connection.close()
                raise
        self._first = self._count("SELECT COALESCE(MAX(number), 0) FROM attempts")
        self._open: dict[int, Fraction] = {}  # attempts under way, at the most they may cost
        try:
            self.spent = self.bill().cost  # by all runs, open attempts at the most they may cost
        except BaseException:
            self._connection.close()
            raise

    def _begin(self) -> None:
        own = self._connection
        own.execute("PRAGMA locking_mode = EXCLUSIVE")
        (version,) = own.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise newer(self.path, version, _VERSION)
        own.executescript(f"BEGIN EXCLUSIVE; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        self.path.chmod(0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; one that holds nothing is taken away."""
        kept = self._count("SELECT (SELECT COUNT(*) FROM answers) + COUNT(*) FROM attempts")
        self._connection.close()
        if kept == 0:
            self.path.unlink(missing_ok=True)

    def reply(self, request: str, choices: int) -> Reply | None:
        """What was answered to a request about an item of so many choices; None: not yet."""
        with self._explained():
            row = self._connection.execute(
                "SELECT place, confidence, reason FROM answers WHERE request = ?", (request,)
            ).fetchone()
        if row is None:
            return None
        place, confidence, reason = row
        is_whole = (
            (reason is None and isinstance(place, int) and 0 <= place < choices)
            or (place is None and isinstance(reason, str))
        ) and (confidence is None or (isinstance(confidence, float) and 0 <= confidence <= 1))
        if not is_whole:
            raise damaged(self.path, "an answer in it is none", _REMEDY)
        return Reply(place, confidence, reason)

    def begin(self, request: str, most: Fraction) -> int:
        """Write down a request that is about to be sent, at what it may cost; gives its number."""
        with self._explained(), self._connection as own:
            done = own.execute(
                "INSERT INTO attempts (request, cost, is_known) VALUES (?, ?, 0)",
                (request, str(exact_decimal(most))),
            )
        assert done.lastrowid is not None
        self._open[done.lastrowid] = most
        self.spent += most
        return done.lastrowid

    def not_charged(self, number: int) -> None:
        """Forget a request that certainly was not answered."""
        with self._explained(), self._connection as own:
            own.execute("DELETE FROM attempts WHERE number = ?", (number,))
        self.spent -= self._open.pop(number)

    def answered(
        self,
        number: int,
        cost: Fraction | None,
        tokens: tuple[int | None, int | None],
        reply: Reply,
    ) -> None:
        """Keep an answer with what it cost; None: as much as it may cost at most."""
        with self._explained(), self._connection as own:
            own.execute(
                "UPDATE attempts SET cost = COALESCE(?, cost), tokens_in = ?, tokens_out = ?, "
                "is_known = ? WHERE number = ?",
                (
                    None if cost is None else str(exact_decimal(cost)),
                    *tokens,
                    int(cost is not None),
                    number,
                ),
            )
            own.execute(
                "INSERT OR REPLACE INTO answers SELECT request, ?, ?, ? FROM attempts "
                "WHERE number = ?",
                (reply.place, reply.confidence, reply.reason, number),
            )
        most = self._open.pop(number)
        self.spent += Fraction(0) if cost is None else cost - most

    def bill(self, this_run: bool = False) -> TokenBill:
        """What all runs with this file sent, or this one alone."""
        with self._explained():
            rows = self._connection.execute(
                "SELECT cost, tokens_in, tokens_out, is_known FROM attempts WHERE number > ?",
                (self._first if this_run else 0,),
            ).fetchall()
        try:
            return TokenBill(
                requests=len(rows),
                unknown=sum(not known for *_, known in rows),
                tokens_in=sum(own or 0 for _, own, *_ in rows),
                tokens_out=sum(own or 0 for *_, own, _ in rows),
                cost=sum((Fraction(cost) for cost, *_ in rows), Fraction(0)),
            )
        except (TypeError, ValueError, ZeroDivisionError):
            raise damaged(self.path, "what a request cost is no number", _REMEDY) from None

    def _count(self, query: str) -> int:
        with self._explained():
            (number,) = self._connection.execute(query).fetchone()
        return int(number)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        with database_errors(self.path, _REMEDY):
            yield
