"""The slow and obvious twin of a collection's store: no database, no bulk, everything by loops.

It says which line a judgment belongs to and what is paid for it; tests hold the store against it.
"""

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

from budget.collection.orders import OrderLine

NOTHING = Decimal(0)


@dataclass
class TwinBatch:
    lines: list[OrderLine]
    state: str
    most: Decimal
    extra: dict[str, int]
    was_approved: bool = False
    was_ordered: bool = False


@dataclass
class TwinJudgment:
    """A judgment; `kind` is label, skip or gone. `line` is (batch, index of the line).

    `paid` is what was paid for it, by line and annotator.
    """

    supplier: str
    source: str
    item: str
    annotator: str
    seconds: float | None
    kind: str
    line: tuple[int, int] | None
    turn: int
    paid: dict[tuple[tuple[int, int], str], Decimal] = field(default_factory=dict)


@dataclass
class Twin:
    """What is known after some history; amounts in whole currency, rounded to `places`."""

    budget: Decimal
    places: int
    batches: list[TwinBatch] = field(default_factory=list)
    judgments: dict[tuple[str, str], TwinJudgment] = field(default_factory=dict)
    turns: int = 0

    # Money

    def cost(self, line: OrderLine, seconds: float | None) -> Decimal | None:
        price = line.price
        if price.per_hour == 0:
            return price.per_judgment
        if seconds is None:
            return None
        with localcontext(prec=80):
            time = min(Decimal(str(seconds)), price.most_seconds)
            whole = price.per_judgment + price.per_hour * time / Decimal(3600)
            return whole.quantize(Decimal(1).scaleb(-self.places), ROUND_HALF_EVEN)

    def most_of(self, line: OrderLine) -> Decimal:
        most = self.cost(line, float(line.price.most_seconds))
        assert most is not None
        return most

    def reserved(self) -> Decimal:
        return sum(
            (
                batch.most - self.paid_for(number)
                for number, batch in enumerate(self.batches, 1)
                if batch.state in ("approved", "ordered")
            ),
            NOTHING,
        )

    def paid(self) -> Decimal:
        return sum((self.paid_for(number) for number in range(1, len(self.batches) + 1)), NOTHING)

    def paid_for(self, number: int) -> Decimal:
        total = NOTHING
        for each in self.judgments.values():
            for (line, _), amount in each.paid.items():
                if line[0] == number:
                    total += amount
        return total

    def left(self) -> Decimal:
        return self.budget - self.reserved() - self.paid()

    # Batches

    def plan(self, lines: list[OrderLine], share: Decimal) -> int:
        most, extra = NOTHING, {}
        for line in lines:
            most += line.judgments * self.most_of(line)
        for supplier in {line.supplier for line in lines}:
            own = [line for line in lines if line.supplier == supplier]
            wanted = sum(line.judgments for line in own)
            extra[supplier] = int((wanted * share).to_integral_value(ROUND_CEILING))
            most += extra[supplier] * max(self.most_of(line) for line in own)
        self.batches.append(TwinBatch(lines, "planned", most, extra))
        return len(self.batches)

    def may(self, number: int, wanted: str) -> bool:
        """Whether the change is one that the store has to accept; doing nothing counts as well."""
        state = self.batches[number - 1].state
        if wanted == "approved":
            fits = self.batches[number - 1].most <= self.left()
            return state in ("approved", "ordered", "complete") or (state == "planned" and fits)
        if wanted == "ordered":
            return state in ("approved", "ordered", "complete")
        if wanted == "complete":
            return state in ("ordered", "complete")
        return state != "complete"

    def become(self, number: int, wanted: str) -> None:
        batch = self.batches[number - 1]
        path = ["planned", "approved", "ordered", "complete"]
        if wanted in path and batch.state in path and path.index(batch.state) >= path.index(wanted):
            return
        if wanted in ("complete", "cancelled") and batch.state in ("approved", "ordered"):
            self.book([number])
        batch.state = wanted
        batch.was_approved = batch.was_approved or wanted == "approved"
        batch.was_ordered = batch.was_ordered or wanted == "ordered"

    # Judgments

    def receive(self, supplier: str, rows: list[dict[str, Any]], whole: bool) -> None:
        arriving = []
        for row in sorted(rows, key=lambda row: (row["created_at"], row["source_id"])):
            key = (supplier, row["source_id"])
            kind = "skip" if row["cancelled"] else "label"
            known = self.judgments.get(key)
            if known is None:
                known = self.judgments[key] = TwinJudgment(
                    supplier, *key[1:], row["item_id"], "", None, "gone", None, 0
                )
            moved = known.item != row["item_id"]
            if moved:
                known.line = None
            if known.kind != kind or moved or (known.line is None and self.lines_of(known, row)):
                arriving.append((known, kind))
                known.kind = "gone"  # until it has its turn
            known.item, known.annotator = row["item_id"], row["annotator"]
            known.seconds = row["seconds"]
        if whole:
            sources = {row["source_id"] for row in rows}
            for (of, source), each in self.judgments.items():
                if of == supplier and source not in sources:
                    each.kind = "gone"
        for known, kind in arriving:
            self.turns += 1
            known.turn = self.turns
            known.kind = kind
            if known.line is None:
                known.line = self.choose(known)

    def lines_of(self, of: TwinJudgment, row: dict[str, Any]) -> list[tuple[int, int]]:
        return [
            (number, index)
            for number, batch in enumerate(self.batches, 1)
            for index, line in enumerate(batch.lines)
            if (line.supplier, line.item_id) == (of.supplier, row["item_id"])
            if batch.state in ("approved", "ordered") or batch.was_ordered
        ]

    def choose(self, of: TwinJudgment) -> tuple[int, int] | None:
        lines = self.lines_of(of, {"item_id": of.item})
        for place in lines:
            batch = self.batches[place[0] - 1]
            if batch.state in ("complete", "cancelled"):
                continue
            people = {
                each.annotator
                for each in self.judgments.values()
                if each is not of and each.line == place and each.kind == "label"
            }
            is_second = of.kind == "label" and of.annotator in people
            if len(people) < batch.lines[place[1]].judgments and not is_second:
                return place
        return lines[-1] if lines else None

    # Booking

    def due(self, number: int) -> list[tuple[TwinJudgment, Decimal]]:
        """Judgments of a batch in their turn, and what is due for each."""
        batch = self.batches[number - 1]
        own = [each for each in self.judgments.values() if each.line and each.line[0] == number]
        own.sort(key=lambda each: each.turn)
        found: list[tuple[TwinJudgment, Decimal]] = []
        before: list[tuple[TwinJudgment, str]] = []
        for each in own:
            assert each.line is not None
            line = batch.lines[each.line[1]]
            amount = NOTHING
            if each.kind == "label" or (each.kind == "skip" and line.price.pay_skipped):
                of_line = [other for other in before if other[0].line == each.line]
                person = (each.annotator, each.kind)
                if person not in {(other.annotator, other.kind) for other, _ in of_line}:
                    inside = [other for other, place in of_line if place == "order"]
                    above = [
                        other
                        for other, place in before
                        if place == "above" and other.supplier == each.supplier
                    ]
                    if each.kind == "label" and len(inside) < line.judgments:
                        place = "order"
                    elif len(above) < batch.extra[each.supplier]:
                        place = "above"
                    else:
                        place = "unpaid"
                    before.append((each, place))
                    if place != "unpaid":
                        amount = self.cost(line, each.seconds) or NOTHING
            found.append((each, amount))
        return found

    def book(self, numbers: list[int] | None = None) -> None:
        late = []
        for number in range(1, len(self.batches) + 1) if numbers is None else numbers:
            batch = self.batches[number - 1]
            if not batch.was_approved:
                continue
            due = {}
            for each, amount in self.due(number):
                assert each.line is not None
                due[each.supplier, each.source, each.line, each.annotator] = amount
            for each in self.judgments.values():
                for line, annotator in [key for key in each.paid if key[0][0] == number]:
                    still = due.get((each.supplier, each.source, line, annotator), NOTHING)
                    if still < each.paid[line, annotator]:
                        each.paid[line, annotator] = still
            for (supplier, source, line, annotator), amount in due.items():
                each = self.judgments[supplier, source]
                if batch.state in ("approved", "ordered"):
                    each.paid[line, annotator] = amount
                else:
                    late.append((each, (line, annotator), amount))
        for each, key, amount in late:
            if NOTHING < amount - each.paid.get(key, NOTHING) <= self.left():
                each.paid[key] = amount
