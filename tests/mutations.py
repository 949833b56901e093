"""Small valid inputs made wrong: bytes flipped, cut and doubled, values of other kinds.

Every mutation follows from its seed alone.
"""

import copy
import json
import random
import re
from collections.abc import Callable
from typing import Any

ESCAPE = "\x1b[31mred\x1b[0m\x1b]0;title\x07"
RIGHT_TO_LEFT = "\u202egnol\u202c"

# What stands in a text where it should not, or stands for a number that no one means.
TOKENS: tuple[bytes, ...] = (
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xc3\x28",
    b"\\ud800",
    b'"',
    b"'",
    b"\\",
    b",",
    b"\n",
    b"\r",
    b"[" * 5_000,
    b"{" * 5_000,
    b'{"a":' * 5_000,
    b"9" * 5_000,
    b"-1",
    b"1e999",
    b"-1e999",
    b"1e-999",
    b"NaN",
    b"Infinity",
    b"nan",
    b"inf",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"1979-05-27T07:32:00Z",
    b"x" * 6_000,
    ESCAPE.encode(),
    RIGHT_TO_LEFT.encode(),
)
# Values of another kind than the one that is asked for.
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1,
    3.5,
    10**18,
    10**400,
    1e308,
    -1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "text",
    "3",
    "x" * 6_000,
    ESCAPE,
    RIGHT_TO_LEFT,
    "a\x00b",
    "\ud800",
    [],
    [[]],
    [None],
    ["a", "b"],
    {},
    {"text": ["a"], "label": []},
    {"a": {"b": {}}},
)
Mutate = Callable[[random.Random, bytes], bytes]


def mutated_bytes(rng: random.Random, content: bytes) -> bytes:
    """One to three changes of the bytes, whatever they mean."""
    for _ in range(rng.randint(1, 3)):
        content = rng.choice(_BYTE_CHANGES)(rng, content)
    return content


def _span(rng: random.Random, content: bytes) -> tuple[int, int]:
    start = rng.randrange(len(content) + 1)
    return start, min(len(content), start + int(rng.expovariate(1 / 30)) + 1)


def _flip(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content or b" ")
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut_out(rng: random.Random, content: bytes) -> bytes:
    start, stop = _span(rng, content)
    return content[:start] + content[stop:]


def _cut_off(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _double(rng: random.Random, content: bytes) -> bytes:
    start, stop = _span(rng, content)
    return content[:stop] + content[start:]


def _insert(rng: random.Random, content: bytes) -> bytes:
    start = rng.randrange(len(content) + 1)
    return content[:start] + rng.choice(TOKENS) + content[start:]


def _instead_of_number(rng: random.Random, content: bytes) -> bytes:
    numbers = list(re.finditer(rb"-?\d+(\.\d+)?", content))
    if not numbers:
        return _insert(rng, content)
    chosen = rng.choice(numbers)
    return content[: chosen.start()] + rng.choice(TOKENS) + content[chosen.end() :]


def _instead_of_value(rng: random.Random, content: bytes) -> bytes:
    """What stands behind "=", as in TOML, or between commas."""
    values = list(re.finditer(rb"(?<=[=,])[^=,\n]+", content))
    if not values:
        return _insert(rng, content)
    chosen = rng.choice(values)
    return content[: chosen.start()] + rng.choice(TOKENS) + content[chosen.end() :]


def _swap_lines(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _drop_line(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    del lines[rng.randrange(len(lines))]
    return b"\n".join(lines)


def _other_encoding(rng: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", errors="replace")
    encoding = rng.choice(["utf-16", "utf-8-sig", "utf-32", "latin-1"])
    return text.encode(encoding, errors="replace")


_BYTE_CHANGES: tuple[Mutate, ...] = (
    _flip,
    _cut_out,
    _cut_off,
    _double,
    _insert,
    _insert,
    _instead_of_number,
    _instead_of_value,
    _instead_of_value,
    _swap_lines,
    _drop_line,
    _other_encoding,
)


def mutated_json(rng: random.Random, content: bytes) -> bytes:
    """A JSON document whose values have other kinds, or are gone."""
    document = json.loads(content)
    for _ in range(rng.randint(1, 2)):
        document = _changed(rng, document)
    return _dumped(document)


def mutated_json_lines(rng: random.Random, content: bytes) -> bytes:
    """The same for one of the documents of a file with one on each line."""
    lines = content.splitlines()
    number = rng.randrange(len(lines))
    lines[number] = mutated_json(rng, lines[number])
    return b"\n".join(lines) + b"\n"


def _dumped(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", errors="surrogatepass")


def _places(node: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(node, dict):
        children: Any = node.items()
    else:
        children = enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        found += _places(child, (*path, key))
    return found


def _descent(rng: random.Random, node: object) -> tuple[Any, ...]:
    """A place found by going down at random: long lists hide nothing that stands beside them."""
    path: tuple[Any, ...] = ()
    while isinstance(node, dict | list) and node and not (path and rng.random() < 0.2):
        key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
        node, path = node[key], (*path, key)
    return path


def _changed(rng: random.Random, document: Any) -> Any:
    changed = copy.deepcopy(document)
    path = _descent(rng, changed) if rng.random() < 0.7 else rng.choice(_places(changed))
    if not path:
        return rng.choice(VALUES)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    key, kind = path[-1], rng.randrange(10)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, dict):
        parent[str(rng.choice(VALUES))] = parent.pop(key)
    elif kind == 2:
        parent[key] = [parent[key]]
    elif kind == 3:
        parent[key] = {"value": parent[key]}
    elif kind == 4 and isinstance(parent[key], int | float):
        parent[key] = rng.choice([-parent[key], parent[key] * 10**6, str(parent[key])])
    else:
        parent[key] = copy.deepcopy(rng.choice(VALUES))
    return changed


def mutated_toml(rng: random.Random, content: bytes) -> bytes:
    """TOML with a value of another kind on one or two lines, or a key twice or renamed."""
    lines = content.decode().split("\n")
    for _ in range(rng.randint(1, 2)):
        places = [number for number, line in enumerate(lines) if "=" in line]
        number = rng.choice(places)
        key, _, value = lines[number].partition("=")
        kind = rng.randrange(8)
        if kind == 0:
            lines[number] = f"{key.strip()}s = {value}"
        elif kind == 1:
            lines.insert(number, lines[number])
        elif kind == 2:
            lines[number] = f"{key}= [{value}]"
        elif kind == 3:
            lines[number] = f"{key}= {{ value = {value} }}"
        else:
            lines[number] = f"{key}= {rng.choice(_TOML_VALUES)}"
    return "\n".join(lines).encode("utf-8", errors="surrogatepass")


_TOML_VALUES = (
    "true",
    "0",
    "-1",
    "3.5",
    "1e308",
    "1e999",
    "nan",
    "-inf",
    "9" * 18,
    "9" * 5_000,
    '""',
    '" "',
    '"text"',
    '"3"',
    '"\\u001b[31mred"',
    '"\\u202egnol"',
    '"a\\u0000b"',
    '"' + "x" * 6_000 + '"',
    "[]",
    "[[]]",
    "[1, 2]",
    '["a", "b"]',
    "{}",
    "{ a = { b = 1 } }",
    "1979-05-27",
    "07:32:00",
    "[" * 3_000,
)


def mutated_parquet(rng: random.Random, content: bytes) -> bytes:
    """A Parquet file one of whose columns is of another type, twice or not there."""
    import io

    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    for _ in range(rng.randint(1, 2)):
        place = rng.randrange(table.num_columns)
        name, rows = table.column_names[place], table.num_rows
        kind = rng.randrange(12)
        if kind == 0 and table.num_columns > 1:
            table = table.remove_column(place)
        elif kind == 1:
            table = table.append_column(name, table.column(place))
        elif kind == 2:
            table = table.rename_columns(
                [
                    rng.choice([ESCAPE, "", "x" * 6_000]) if k == place else own
                    for k, own in enumerate(table.column_names)
                ]
            )
        elif kind == 3:
            table = table.slice(0, rng.randrange(rows + 1))
        else:
            column = rng.choice(_columns(rows))
            table = table.set_column(place, name, column)
    target = io.BytesIO()
    pq.write_table(table, target)
    return target.getvalue()


def _columns(rows: int) -> list[Any]:
    import datetime
    from decimal import Decimal

    import pyarrow as pa

    values: list[tuple[Any, Any]] = [
        (None, pa.null()),
        (True, pa.bool_()),
        (-1, pa.int64()),
        (2**63, pa.uint64()),
        (float("nan"), pa.float64()),
        (float("inf"), pa.float32()),
        (b"\xff\x00", pa.binary()),
        (ESCAPE, pa.string()),
        ("x" * 6_000, pa.string()),
        ("a", pa.dictionary(pa.int32(), pa.string())),
        ([1, 2], pa.list_(pa.int64())),
        ([["a"]], pa.list_(pa.list_(pa.string()))),
        ({"a": 1}, pa.struct([("a", pa.int64())])),
        ([("a", 1)], pa.map_(pa.string(), pa.int64())),
        (Decimal("1.5"), pa.decimal128(10, 2)),
        (datetime.date(9999, 12, 31), pa.date32()),
        (2**62, pa.timestamp("us")),
        (2**62, pa.timestamp("ns", tz="UTC")),
        (3600, pa.time32("s")),
        (5, pa.duration("us")),
    ]
    return [pa.array([value] * rows, type=kind) for value, kind in values]
