import re
import tomllib
from collections.abc import Callable
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from annotation.errors import InputError
from annotation.terms.cost import DEFAULT_TERMS, LabelTerms
from budget.config.collected_section import CollectedSection
from budget.config.read import parse_config, read_config, with_overrides
from budget.config.run import RunConfig
from budget.config.templates import commented_config, demo_config
from budget.config.toml import Section
from training.tuning.settings import PRESETS, QloraSettings

MINIMAL = """
[items]
source = "workshop"

[strata]
measure = "steps"
easy_at_most = 2
hard_at_least = 5

[budget]
total = 1200
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "task.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problem(folder: Path, text: str) -> str:
    """The message about a bad configuration, checked to be one line that names the file."""
    path = written(folder, text)
    with pytest.raises(InputError) as caught:
        read_config(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message and message.endswith(".")
    assert message.count("; got ") <= 1
    return message.removeprefix(f"{path}: ")


def test_a_minimal_configuration_has_defaults(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, MINIMAL))
    assert config.budget.total == Decimal(1200)
    assert config.methods.names == ("probe",)
    assert config.strata.buy == ("easy", "hard")
    assert config.model.path == "pico"
    assert config.terms() == {name: DEFAULT_TERMS[name] for name in ("easy", "hard")}


def test_terms_are_those_given_else_the_default(tmp_path: Path) -> None:
    text = MINIMAL + '[annotators.hard]\ncost = "3.30"\nerror_kind = "flip"\n'
    terms = read_config(written(tmp_path, text)).terms()
    assert terms["easy"] == DEFAULT_TERMS["easy"]
    assert terms["hard"] == LabelTerms(Decimal("3.30"), 0.2, "flip")


def test_measured_terms_of_a_stratum_that_is_not_for_sale_are_told(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, MINIMAL + "[annotators.medium]\ncost = 1\n"))
    assert set(config.terms()) == {"easy", "hard"}
    [line] = config.unused_terms()
    assert line.startswith("annotators.medium is not used: ") and "strata.buy" in line
    text = MINIMAL.replace("[budget]", 'buy = ["easy", "medium", "hard"]\n[budget]')
    config = read_config(
        written(tmp_path, text + "[annotators.medium]\ncost = 1\nerror_rate = 0\n")
    )
    assert config.unused_terms() == []
    assert config.terms()["medium"] == LabelTerms(Decimal(1), 0.0, "redraw")


def test_money_is_exact(tmp_path: Path) -> None:
    text = MINIMAL.replace("1200", "1200.10") + "[annotators.easy]\ncost = 0.1\n"
    config = read_config(written(tmp_path, text))
    assert config.budget.total == Decimal("1200.1")
    assert config.terms()["easy"].cost == Decimal("0.1")


def test_methods_are_named_once_and_the_planning_one_first(tmp_path: Path) -> None:
    text = MINIMAL + '[methods]\nplan_with = "qlora"\nalso = ["probe", "qlora"]\n'
    assert read_config(written(tmp_path, text)).methods.names == ("qlora", "probe")


def test_settings_of_a_method_are_those_of_its_section(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, MINIMAL + "[probe]\npenalty = 0.5\n"))
    assert config.method_settings("probe") == {"penalty": 0.5, "optimiser": "ridge"}
    assert config.method_settings("qlora") == {"objective": "choices", **asdict(QloraSettings())}
    assert config.method_settings("in_context") == {"normalisation": "sum"}
    assert config.method_settings("chain_of_thought") == {"most_tokens": None}


def test_a_preset_fills_in_what_is_left_out(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, MINIMAL + '[qlora]\npreset = "paper"\nrank = 4\n'))
    settings = config.method_settings("qlora")
    assert settings.pop("objective") == "choices"
    assert QloraSettings(**settings) == replace(PRESETS["paper"], rank=4)


def test_reasoning_has_its_own_prompt_and_length(tmp_path: Path) -> None:
    more = '[qlora]\nobjective = "reasoning"\n[generation]\nmost_tokens = 50\n'
    config = read_config(written(tmp_path, MINIMAL + more))
    assert config.method_settings("qlora")["most_tokens"] == 50
    assert config.prompt_version("qlora") == config.prompt_version("chain_of_thought")
    assert config.prompt_version("qlora") == "0305-mended"
    assert config.prompt_version("probe") == "0040-mended"


def test_the_map_from_uncertainty_counts_only_where_it_is_used(tmp_path: Path) -> None:
    plain = read_config(written(tmp_path, MINIMAL + "[uncertainty]\nslope = 0.5\n"))
    assert plain.target_settings() == {}
    kind = '[targets]\nkind = "uncertainty"\n'
    used = read_config(written(tmp_path, MINIMAL + kind + "[uncertainty]\nslope = 0.5\n"))
    assert used.target_settings()["slope"] == 0.5


# -- bad input: what is wrong, where, what to do ------------------------------------------------


def replacing(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def adding(more: str) -> Callable[[str], str]:
    return lambda text: f"{text}\n{more}\n"


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (adding("x = "), ["not valid TOML", "line 13, column 5"]),
        (adding("[pilot"), ["not valid TOML"]),
        (adding("totl = 3"), ["budget.totl: no such key", "'labelmix init'"]),
        (adding("[pliot]\nlabels = 9"), ["pliot: no such key", "'labelmix init'"]),
        (adding("[qlora]\nranks = 9"), ["qlora.ranks: no such key", "'labelmix init'"]),
        (replacing("total = 1200", ""), ["budget.total is missing", "'labelmix init'"]),
        (replacing('measure = "steps"', ""), ["strata.measure is missing"]),
        (replacing("[budget]\ntotal = 1200", ""), ["budget is missing"]),
        (replacing("[items]", "budget = 3\n[items]"), ["not valid TOML"]),
        (replacing("[budget]\ntotal", "[pilot]\nlabels"), ["budget is missing"]),
        (
            adding("[annotators]\neasy = 3"),
            ["annotators.easy should be a section, [annotators.easy]; got 3"],
        ),
        (replacing("1200", '"dear"'), ["budget.total: ", "should be a number; got 'dear'"]),
        (replacing("1200", "true"), ["budget.total: ", "should be a number; got True"]),
        (replacing("1200", "2020-01-01"), ["budget.total: ", "should be a number; got "]),
        (replacing("1200", "-5"), ["budget.total: ", "should not be negative; got -5"]),
        (replacing("1200", "inf"), ["budget.total: ", "finite number; got inf"]),
        (
            adding("[annotators.easy]\ncost = -1"),
            ["annotators.easy.cost: ", "should not be negative; got -1"],
        ),
        (
            adding("[annotators.easy]\ncost = 0"),
            ["annotators.easy.cost should be above 0; got 0"],
        ),
        (
            adding("[annotators.easy]\nerror_rate = 1.5"),
            ["annotators.easy.error_rate: ", "less than or equal to 1; got 1.5"],
        ),
        (
            adding("[annotators.hard]\nerror_rate = -0.1"),
            ["annotators.hard.error_rate: ", "greater than or equal to 0; got -0.1"],
        ),
        (adding("[annotators.hard]\nerror_rate = nan"), ["annotators.hard.error_rate: ", "nan"]),
        (
            adding('[annotators.hard]\nerror_kind = "often"'),
            ["annotators.hard.error_kind: ", "'redraw' or 'flip'; got 'often'"],
        ),
        (
            adding("[annotators.eazy]\ncost = 1"),
            ["annotators.eazy: no such stratum; choose from easy, medium, hard"],
        ),
        (
            replacing("1200", "359.99"),
            [
                "budget.total of 359.99 is too small for the pilot, which costs 360",
                "120 labels of each of easy, hard",
                "raise budget.total or lower pilot.labels",
            ],
        ),
        (
            replacing("hard_at_least = 5", "hard_at_least = 2"),
            ["strata: easy_at_most (2) should be below hard_at_least (2)"],
        ),
        (
            replacing("easy_at_most = 2", "easy_at_most = 5.5"),
            ["strata: easy_at_most (5.5) should be below hard_at_least (5)"],
        ),
        (
            replacing("easy_at_most = 2", "easy_at_most = nan"),
            ["strata.easy_at_most: should be a finite number; got nan"],
        ),
        (
            replacing("easy_at_most = 2", 'easy_at_most = "two"'),
            ["strata.easy_at_most: should be a valid number", "got 'two'"],
        ),
        (
            replacing("workshop", "wrkshop"),
            ["items.source: no such source; choose one of workshop, ", "got 'wrkshop'"],
        ),
        (
            replacing("[budget]", 'target = "medium"\n[budget]'),
            ["strata: buy should hold the target stratum 'medium'"],
        ),
        (
            replacing("[budget]", 'buy = ["easy", "medium"]\n[budget]'),
            ["strata: buy should hold the target stratum 'hard'"],
        ),
        (
            replacing("[budget]", 'buy = ["hard", "hard"]\n[budget]'),
            ["strata: buy should name at least two different strata"],
        ),
        (
            replacing("[budget]", 'buy = ["easy", "hardest"]\n[budget]'),
            ["strata: buy: no such stratum; choose from easy, medium, hard; got 'hardest'"],
        ),
        (
            replacing("[budget]", 'buy = "hard"\n[budget]'),
            ["strata.buy: should be a list; got 'hard'"],
        ),
        (
            adding('[methods]\nplan_with = "guessing"'),
            ["methods.plan_with: ", "'probe' or 'qlora'; got 'guessing'"],
        ),
        (adding("[model]\npath = 3"), ["model.path: should be a valid string; got 3"]),
        (adding("[pilot]\nlabels = 3"), ["pilot.labels: ", "greater than or equal to 8; got 3"]),
        (adding("[pilot]\nlabels = 9.5"), ["pilot.labels: ", "got 9.5"]),
        (adding("[pilot]\nseeds = 1"), ["pilot.seeds: ", "got 1"]),
        (adding('[pilot]\nborrow = "yes"'), ["pilot.borrow: ", "boolean; got 'yes'"]),
        (adding("[pilot]\nread = 1"), ["pilot.read: ", "boolean; got 1"]),
        (
            adding("[pilot]\nrehearse = true\n[targets]\njudgments = 3"),
            ["pilot.rehearse: ", "targets.judgments should be 1"],
        ),
        (
            adding("[pilot]\nrehearse = true\n[test]\nitems = 150"),
            ["pilot.rehearse: ", "at least 200; got 150"],
        ),
        (
            adding("[pilot]\nrehearse = true\nborrow = false"),
            ["pilot.rehearse: ", "leave pilot.borrow out"],
        ),
        (
            adding('[pilot]\nrehearse = true\n[methods]\nplan_with = "qlora"'),
            ["pilot.rehearse: only probes rehearse", "got qlora"],
        ),
        (adding("[pilot]\nseed = -1"), ["pilot.seed: ", "got -1"]),
        (adding("[pilot]\nfractions = []"), ["pilot.fractions: ", "at least 1 item"]),
        (adding("[pilot]\nfractions = [0.5, 1.5]"), ["pilot.fractions.1: ", "got 1.5"]),
        (adding("[pilot]\nfractions = [0.0]"), ["pilot.fractions.0: ", "got 0.0"]),
        (adding("[test]\nitems = 5"), ["test.items: ", "greater than or equal to 10; got 5"]),
        (adding("[test]\nseed = -7"), ["test.seed: ", "got -7"]),
        (adding("[evaluation]\nseeds = 1"), ["evaluation.seeds: ", "got 1"]),
        (adding("[probe]\npenalty = 0"), ["probe.penalty: ", "greater than 0; got 0"]),
        (adding("[probe]\npenalty = inf"), ["probe.penalty: ", "finite number; got inf"]),
        (adding("[qlora]\nrank = 0"), ["qlora.rank: ", "got 0"]),
        (adding('[probe]\noptimiser = "paper"\npenalty = 1'), ["probe: ", "has its own"]),
        (adding('[targets]\nkind = "soft"'), ["targets.kind: ", "'smoothed'", "got 'soft'"]),
        (adding("[uncertainty]\nlargest = 2"), ["uncertainty.largest: ", "got 2"]),
        (adding('[prompt]\nchoices = "41"'), ["prompt.choices: ", "'41'", "0040-mended"]),
        (
            adding('[prompt]\nchoices = "0305-paper"'),
            ["prompt: ", "without reasoning, one of 0040-mended", "got '0305-paper'"],
        ),
        (replacing("easy_at_most", "easy_at_mos"), ["strata.easy_at_mos: no such key"]),
        (adding("[generation]\nmost_tokens = 0"), ["generation.most_tokens: ", "got 0"]),
        (adding("[qlora]\ndropout = 1.0"), ["qlora.dropout: ", "less than 1; got 1.0"]),
        (adding("[qlora]\nlearning_rate = 0.0"), ["qlora.learning_rate: ", "got 0.0"]),
        (adding("[qlora]\nlearning_rate = inf"), ["qlora.learning_rate: ", "got inf"]),
        (
            replacing('"workshop"', '"workshop"\nsize = "big"'),
            ["items: size should be a valid integer; got 'big'"],
        ),
        (
            replacing('"workshop"', '"workshop"\nsize = 3.5'),
            ["items: size should be a valid integer; got 3.5"],
        ),
        (
            replacing('"workshop"', '"tabular"\npath = 3'),
            ["items: path should be a valid string; got 3"],
        ),
        (
            replacing('"workshop"', '"tabular"\npath = "x.csv"\ncolumns = "text"'),
            ["items: columns should be a valid dictionary; got 'text'"],
        ),
    ],
)
def test_bad_input_is_told_in_one_line(
    tmp_path: Path, change: Callable[[str], str], parts: list[str]
) -> None:
    message = problem(tmp_path, change(MINIMAL))
    for part in parts:
        assert part in message


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file; 'labelmix init' writes one\.$"):
        read_config(tmp_path / "absent.toml")


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder; give a \.toml file"):
        read_config(tmp_path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "task.toml"
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(InputError, match="is not UTF-8 text") as caught:
        read_config(path)
    assert str(path) in str(caught.value)


def test_an_amount_too_large_to_count_is_refused_not_rounded(tmp_path: Path) -> None:
    assert "at most 1000000000000000" in problem(tmp_path, MINIMAL.replace("1200", "1e30"))


# -- paths --------------------------------------------------------------------------------------


def test_a_byte_order_mark_is_no_part_of_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "task.toml"
    path.write_text(MINIMAL, encoding="utf-8-sig")  # as some editors do
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_config(path) == read_config(written(tmp_path / "..", MINIMAL))


def test_a_pilot_dearer_than_the_budget_by_its_30th_digit_is_refused(tmp_path: Path) -> None:
    # Eight labels of each stratum; rounded to 28 digits they cost exactly 1.
    cost = "0.062500000000000000000000000001"
    text = MINIMAL.replace("1200", "1") + "[pilot]\nlabels = 8\n"
    text += "".join(f'[annotators.{name}]\ncost = "{cost}"\n' for name in ("easy", "hard"))
    message = problem(tmp_path, text)
    assert "budget.total of 1 is too small for the pilot, which costs 1.000000000000000" in message
    assert read_config(written(tmp_path, text.replace(cost, "0.0625"))).budget.total == 1


def test_paths_are_relative_to_the_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    model = folder / "models" / "mine"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}", encoding="utf-8")
    text = MINIMAL.replace('"workshop"', '"tabular"\npath = "data/items.csv"')
    config = read_config(written(folder, text + '[model]\npath = "models/mine"\n'))
    assert config.items.options()["path"] == str(folder / "data" / "items.csv")
    assert config.model.path == str(model)


def test_data_folders_are_relative_to_the_configuration(tmp_path: Path) -> None:
    text = MINIMAL.replace('"workshop"', '"arc"\ndata_dir = "../arc"\nannotations = "a.csv"')
    options = read_config(written(tmp_path, text)).items.options()
    assert options["data_dir"] == str(tmp_path / ".." / "arc")
    assert options["annotations"] == str(tmp_path / "a.csv")


def test_absolute_paths_and_hub_ids_stay(tmp_path: Path) -> None:
    text = MINIMAL.replace('"workshop"', '"tabular"\npath = "/data/items.csv"')
    config = read_config(written(tmp_path, text + '[model]\npath = "org/name"\n'))
    assert config.items.options()["path"] == "/data/items.csv"
    assert config.model.path == "org/name"


@pytest.mark.parametrize("path", ["~/items.csv", "~nobody-of-this-name/items.csv"])
def test_home_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    text = MINIMAL.replace('"workshop"', f'"tabular"\npath = "{path}"')
    found = read_config(written(tmp_path, text)).items.options()["path"]
    home = path.startswith("~/")
    assert found == str(tmp_path / "home" / "items.csv" if home else tmp_path / path)


# -- what the command line says instead -----------------------------------------------------------


def parsed(source: str, folder: Path) -> RunConfig:
    raw = tomllib.loads(MINIMAL.replace("workshop", source))
    return parse_config(raw, "task.toml", folder)


def test_the_command_line_overrides_model_and_data(tmp_path: Path) -> None:
    config = with_overrides(parsed("sst5", tmp_path), data_dir=Path("here"), model="other")
    assert config.items.options() == {"data_dir": "here"}
    assert config.model.path == "other"


def test_another_model_is_computed_in_the_type_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "config.json").write_text("{}")
    raw = tomllib.loads(MINIMAL) | {"model": {"path": "local", "dtype": "bfloat16"}}
    config = parse_config(raw, "task.toml", tmp_path)
    assert (config.model.path, config.model.dtype) == (str(tmp_path / "local"), "bfloat16")
    assert with_overrides(config, model="other").model.dtype == "bfloat16"


def test_an_unknown_number_type_is_one_line(tmp_path: Path) -> None:
    raw = tomllib.loads(MINIMAL) | {"model": {"dtype": "float16"}}
    with pytest.raises(
        InputError, match=r"task.toml: model.dtype: should be .*got 'float16'"
    ) as error:
        parse_config(raw, "task.toml", tmp_path)
    assert "bfloat16" in str(error.value)


def test_no_overrides_change_nothing(tmp_path: Path) -> None:
    config = parsed("sst5", tmp_path)
    assert with_overrides(config) == config


def test_a_source_without_a_data_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'workshop' takes no --data-dir"):
        with_overrides(parsed("workshop", tmp_path), data_dir=Path("here"))


# -- the configurations that come along -----------------------------------------------------------


def test_the_template_is_a_configuration(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, commented_config()))
    assert config.items.source == "workshop"
    assert config.terms() == {name: DEFAULT_TERMS[name] for name in ("easy", "hard")}


def test_the_demo_needs_no_files_and_tries_both_methods() -> None:
    config = demo_config()
    assert config.items.source == "workshop"
    assert config.model.path == "pico"
    assert set(config.methods.names) == {"probe", "qlora"}


def uncommented(template: str) -> str:
    """The template with every commented key in force, prose comments left out."""
    lines = []
    for line in template.splitlines():
        key = re.match(r"#\s?(\[[\w.]+\]|[a-z_]+ = .*)$", line)
        lines.append(key[1] if key else line)
    return "\n".join(lines)


def section_types(annotation: Any) -> list[type[BaseModel]]:
    """Sections in a field's type: itself, or the values of a table of sections."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in section_types(part)]


def test_every_key_is_in_the_template() -> None:
    raw = tomllib.loads(uncommented(commented_config()))
    for name, field in RunConfig.model_fields.items():
        if name == "collected":  # written as part of [annotators], instead of what stands there
            for key in CollectedSection.model_fields:
                assert f"#   {key} = " in commented_config()
            continue
        assert name in raw, f"the template lacks {name}"
        for section in section_types(field.annotation):
            if not issubclass(section, Section):
                continue  # items: its keys are those of the sources
            tables = list(raw[name].values()) if name == "annotators" else [raw[name]]
            for table in tables:
                missing = section.model_fields.keys() - table.keys()
                assert not missing, f"the template lacks {missing} of [{name}]"


def test_what_the_template_says_is_the_default_is_the_default() -> None:
    """Commented keys of sections show defaults, but for the few popped here: examples."""
    raw = tomllib.loads(uncommented(commented_config()))
    raw["methods"].pop("also")
    assert raw["strata"].pop("cut") == "edges:2,>=5"  # as the two bounds that stand there
    raw["probe"].pop("penalty")
    assert raw["pilot"].pop("rounds") == RunConfig.model_validate(raw).exploring_rounds
    assert raw["pilot"].pop("borrow") == RunConfig.model_validate(raw).borrows("probe")
    assert raw["pilot"].pop("read") == RunConfig.model_validate(raw).reads("probe")
    assert raw["pilot"].pop("rehearse") == RunConfig.model_validate(raw).rehearses("probe")
    raw["generation"].pop("most_tokens")
    raw["qlora"].pop("tokens_per_pass")
    spelled_out = RunConfig.model_validate(raw)
    plain = RunConfig.model_validate(tomllib.loads(commented_config()))
    assert spelled_out.qlora.settings() == plain.qlora.settings()
    for name in RunConfig.model_fields.keys() - {"name", "items", "model", "annotators", "qlora"}:
        assert getattr(spelled_out, name) == getattr(plain, name), name
