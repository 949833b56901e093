"""A command that refuses its input has written nothing, and has changed no file that was there."""

import json
import re
from pathlib import Path

import pytest

from tests.command_files import WRITES
from tests.unit.budget.commands.command_line import item, labelmix

BEFORE = "what stood here before\n"
# Bad input that is found late, after what is asked was understood; OUT stands for each output.
LATE = {
    "hardness": [
        "{items} --out {a.jsonl} --figure {b.png} --measure steps --cut edges:9,>=3",
        "{items} --out {a.jsonl} --figure {b.png} --measure nothing",
        "{items} --out {a.csv} --figure {b.svg} --judgments {wrong.csv}",
        "{items} --out {a.parquet} --measure answer_entropy",
        "{task} --out {items}",
        "{task} --out {judgments} --figure {b.png} --judgments {judgments}",
        "{items} --out {items}",
        "{items} --out {a.jsonl} --figure {folder.png}",
        "{items} --out {folder.jsonl} --figure {b.png}",
        "{items} --out {a.jsonl} --figure {items}/b.png",
        "{items} --out {a.jsonl} --figure {b.txt}",
    ],
    "judgments report": [
        "{judgments} --out {a.toml} --labels-out {b.jsonl} --suppliers-out {c.toml}",
        "{judgments} --fee .1 --out {a.toml} --labels-out {b.jsonl} --recruiting odd=3",
        "{judgments} --fee .1 --out {a.toml} --labels-out {b.jsonl} --need odd=3 --days 2",
        "{judgments} --fee .1 --out {a.toml} --suppliers-out {a.toml}",
        "{judgments} --fee .1 --out {a.toml} --html {b.html} --need odd=3",
        "{judgments} --fee .1 --out {a.toml} --html {b.pdf}",
        "{judgments} --fee .1 --out {a.toml} --labels-out {folder.jsonl}",
        "{judgments} --fee .1 --labels-out {a.jsonl} --suppliers-out {folder.toml}",
        "{judgments} --fee .1 --out {a.toml} --labels-out {items}/b.jsonl",
        "{judgments} --fee .1 --config {task} --out {a.toml} --labels-out {items}",
        "{judgments} --fee .1 --items {items} --out {a.toml} --labels-out {items}",
        "{judgments} --fee .1 --config {task} --out {task} --labels-out {b.jsonl}",
        "{wrong.csv} --fee .1 --out {a.toml} --labels-out {b.jsonl}",
        "{unstratified.csv} --fee .1 --labels-out {b.jsonl} --out {a.toml}",
        "{judgments} --fee .1 --judgments-per-label 9 --labels-out {b.jsonl} --out {a.toml} "
        "--suppliers-out {c.toml}",
    ],
    "judgments simulate": [
        "{a.csv} --truth {a.csv}",
        "{a.csv} --truth {folder.json}",
        "{a.csv} --truth {items}/t.json",
        "{folder.csv} --truth {t.json}",
        "{a.csv} --truth {t.json} --items odd=3",
        "{a.txt} --truth {t.json}",
    ],
    "simulate": [
        "--out {new} --assume cost-easy=0",
        "--out {new} --run {items}",
        "--out {items}",
        "--out {new} --x budget=1:2:3 --y budget=1:2:3",
        "--out {new} --assume {wrong.toml}",
        "--out {simulated} --draws 20 --x budget=10:100:3 --y cost-ratio=1:5:3",
    ],
    "replay": [
        "{judgments} --items {items} --fee .1 --measure nothing --out {new}",
        "{judgments} --items {items} --fee .1 --measure steps --cut edges:9,>=3 --out {new}",
        "{judgments} --items {items} --fee .1 --measure steps --out {items}",
        "{judgments} --items {items} --fee .1 --measure steps --budget 900 --out {new}",
        "{judgments} --items {items} --fee .1 --measure steps --budget .2 --out {new}",
        "{judgments} --items {items} --fee .1 --measure steps --model nowhere/none --out {new}",
        "{judgments} --items {items} --suppliers {wrong.toml} --measure steps --out {new}",
        "{wrong.csv} --items {items} --fee .1 --measure steps --out {new}",
        "{judgments} --items {items} --fee .1 --measure steps --config {wrong.toml} --out {new}",
    ],
    "plan": ["{items}", "{new} --suppliers {wrong.toml}"],
    "run": [
        "{task} --out {items}",
        "{task} --out {new}",
        "{wrong.toml} --out {new}",
        "{task} --out {new} --model nowhere/none",
    ],
    "trial": [
        "{task} --method probe --labels odd=10 --out {new}",
        "{task} --method probe --labels easy=10 --out {items}",
        "{task} --method guess --out {new}",
    ],
    "curves": [
        "{task} --out {items} --sizes 8 --seeds 2",
        "{task} --out {new} --sizes 800 --seeds 2",
        "{task} --out {new} --sizes 8,4 --seeds 2",
        "{wrong.toml} --out {new}",
    ],
    "report": ["{new} --out {a.html}", "{items} --out {a.html}"],
    "backtest": [
        "--out {new} --policies nobody",
        "--out {new} --worlds nowhere",
        "--out {items} --count 1",
        "--out {new} --count 0",
    ],
    "init": ["{task}", "{folder.toml} --force", "{items}/new.toml"],
    "collect order-sheet": ["{new} 1 --out {a.html}", "{items} 1 --out {a.txt}"],
    "collect pay": ["{new} --out {a.csv}", "{items} --out {a.txt}"],
    "labelstudio push": [
        "{items} --title T --tasks odd=3 --out {new}",
        "{items} --title T --tasks easy=3 --measure steps --cut edges:9,>=3 --out {new}",
        "{items} --title T --tasks all=3 --out {new} --predictions {wrong.csv}",
        "{items} --title T --tasks all=3 --out {new} --instructions {new}",
        "{items} --title T --tasks all=3 --out {new}",
        "{items} --title T --tasks all=3 --out {items} --url http://127.0.0.1:9 --patience 0",
    ],
    "labelstudio pull": [
        "{new} --judgments {a.csv}",
        "{new} --judgments {a.txt} --title T",
        "{new} --judgments {a.csv} --title T",
    ],
    "labelstudio watch": [
        "{new} --judgments {a.csv}",
        "{new} --judgments {a.txt} --title T",
        "{new} --judgments {a.csv} --title T",
    ],
}
OF_MACHINE = "--machine answer --people nobody --error-at-most .1"
OF_MODEL = "--model m --url http://127.0.0.1:9/v1 --patience 0"
OF_COLLECT = "--budget 90 --currency EUR --measure steps --cut edges:2,>=5"
LATE |= {
    "judgments pay": [
        "{judgments} --rate 18 --out {a.txt}",
        "{judgments} --rate 18 --out {folder.csv}",
        "{wrong.csv} --rate 18 --out {a.csv}",
    ],
    "collect new": [
        f"{{new}} --items {{items}} --test {{new}} --suppliers {{sold.toml}} {OF_COLLECT}",
        f"{{new}} --items {{items}} --test {{items}} --suppliers {{sold.toml}} {OF_COLLECT}",
        f"{{new}} --items {{items}} --test {{test.jsonl}} --suppliers {{wrong.toml}} {OF_COLLECT}",
        f"{{new}} --items {{items}} --test {{test.jsonl}} --suppliers {{sold.toml}} {OF_COLLECT} "
        "--budget 1",
        f"{{new}} --items {{items}} --test {{test.jsonl}} --suppliers {{sold.toml}} {OF_COLLECT} "
        "--deadline tomorrow",
        f"{{items}} --items {{items}} --test {{test.jsonl}} --suppliers {{sold.toml}} {OF_COLLECT}",
    ],
    "collect export": ["{new} --out {a.csv}", "{items} --out {a.csv}"],
    "suppliers llm": [
        f"{{items}} {OF_MODEL} --out {{items}}",
        f"{{items}} {OF_MODEL} --out {{folder.jsonl}}",
        f"{{items}} {OF_MODEL} --out {{a.txt}}",
        f"{{items}} {OF_MODEL} --out {{a.csv}} --most 5",
        f"{{items}} {OF_MODEL} --out {{a.csv}} --price-in 1",
        f"{{items}} {OF_MODEL} --out {{a.csv}} --price-per-item 1 --most some",
        f"{{items}} {OF_MODEL} --out {{a.csv}} --instructions {{new}}",
        f"{{items}} {OF_MODEL} --out {{a.csv}} --key-file {{judgments}}",
        f"{{items}} {OF_MODEL} --out {{a.csv}} --key-variable NO_SUCH_VARIABLE",
        f"{{wrong.csv}} {OF_MODEL} --out {{a.csv}}",
        f"{{items}} {OF_MODEL} --out {{a.csv}} --url http://127.0.0.1:9/?key=1",
    ],
    "reproduce": [
        "nothing --out {new}",
        "hardness --out {items}",
        "hardness --data nowhere --out {new}",
        "hardness --model nowhere/none --out {new}",
        "cost --cost-ratio 0 --out {new}",
        "uncertainty-aware --judged {wrong.toml} --out {new}",
        "uncertainty-aware --judged {task} --out {new}",
    ],
    "suppliers measure": [
        "{items} --machine bot --ask 5 --out {a.csv}",
        "{items} --machine answer --people nobody --ask 5 --out {a.txt}",
        "{items} --machine answer --people nobody --ask 5 --out {items}",
        "{items} --machine answer --people nobody --ask 5 --out {folder.csv}",
        "{items} --machine answer --people nobody --checked {wrong.csv} --ask 5 --out {a.csv}",
    ],
    "suppliers route": [
        f"{{items}} {OF_MACHINE} --ask-out {{a.csv}} --out {{b.txt}}",
        f"{{items}} {OF_MACHINE} --ask-out {{a.csv}} --out {{a.csv}}",
        f"{{items}} {OF_MACHINE} --ask-out {{folder.csv}} --out {{b.csv}}",
        f"{{items}} {OF_MACHINE} --ask-out {{a.csv}} --out {{folder.csv}}",
        f"{{items}} {OF_MACHINE} --checked {{wrong.csv}} --ask-out {{a.csv}} --out {{b.csv}}",
        f"{{items}} {OF_MACHINE} --rehearse --ask-out {{a.csv}} --out {{b.csv}}",
    ],
}
KEPT = (".labelmix.lock", "trials.sqlite")  # a lock, and trials: none of them, where none was run
INPUTS = {"items": "items.jsonl", "task": "task.toml", "judgments": "judgments.csv"}


def outputs(words: str) -> list[str]:
    """The files that a command is to write, by their one-letter names."""
    return re.findall(r"\{([abc]\.[a-z]+)\}", words)


CASES = [
    (command, words, existing)
    for command, all_words in LATE.items()
    for words in all_words
    for existing in (False, True)
    if outputs(words) or not existing
]


@pytest.fixture
def folder(task_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task, judgments of its items, and files that are wrong in one way each."""
    rows = [
        f"item-{n},{who},{('odd', 'even')[n % 2]},{('easy', 'medium', 'hard')[n % 6 // 2]}"
        for n in range(60)
        for who in ("ann", "bob", "cem")
    ]
    head = "item_id,annotator,label"
    (task_folder / "judgments.csv").write_text("\n".join([f"{head},stratum", *rows]) + "\n")
    plain = [row.rpartition(",")[0] for row in rows]
    (task_folder / "unstratified.csv").write_text("\n".join([head, *plain]) + "\n")
    (task_folder / "wrong.csv").write_text("item_id,choice\nitem-1,odd\nitem-1,odd\n")
    tested = [item(number) for number in range(900, 960)]
    lines = [json.dumps(row) + "\n" for row in tested]
    (task_folder / "test.jsonl").write_text("".join(lines), encoding="utf-8")
    (task_folder / "sold.toml").write_text("[suppliers.crowd]\ncost = 0.05\n")
    (task_folder / "wrong.toml").write_text("[annotators.odd]\ncost = 1\n")
    for suffix in ("jsonl", "csv", "json", "toml", "png"):
        (task_folder / f"folder.{suffix}").mkdir()
    (task_folder / "simulated" / "simulate.html").mkdir(parents=True)
    (task_folder / "simulated" / "simulate.json").write_text(BEFORE)
    monkeypatch.chdir(task_folder)
    for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_TOKEN", "LABEL_STUDIO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return task_folder


def there(folder: Path) -> dict[str, bytes]:
    """Every file and what it holds, but for what a folder keeps of its work, done or not."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in KEPT
    }


def named(words: str) -> list[str]:
    """The words of a command, files by their names."""
    return [
        re.sub(r"\{(.+?)\}", lambda found: INPUTS.get(found[1], found[1]), word)
        for word in words.split()
    ]


@pytest.mark.parametrize(("command", "words", "existing"), CASES)
def test_a_refusal_leaves_every_file_as_it_was(
    folder: Path, command: str, words: str, existing: bool
) -> None:
    for name in outputs(words) if existing else ():
        (folder / name).write_text(BEFORE)
    before = there(folder)
    result = labelmix(*command.split(), *named(words))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.search(r"^labelmix: .+\.\n\Z", result.stderr, re.MULTILINE), result.stderr
    assert there(folder) == before


def test_every_command_that_writes_is_tried() -> None:
    without_input = {"demo"}
    assert {command for command, _ in WRITES} - without_input == LATE.keys() - {"plan"}
