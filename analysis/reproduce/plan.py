"""What a reproduction will take, told before it is done: trials, tokens, operations, hours, money.

Nothing is trained and nothing is written. Tokens are counted by the model's tokenizer, or where
that is not at hand from the characters. Operations are two for every weight and token of a pass
forward (Kaplan et al. 2020, arXiv:2001.08361), and as many again for the way back through frozen
weights in an adapter's training. Hours are operations over a rate, which is measured on a few items
where the model is at hand, and stated as an assumption otherwise; the fits of probes are timed
likewise.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimates import Record
from analysis.reproduce.experiment import Experiment
from analysis.reproduce.study import NotApplicableError, StudiedModel, Study
from annotation.arrays import Array, Features, Positions
from annotation.items.table import shared_choices, texts_fingerprint
from training.item_states import DecoderReader, encoder_features, probe_layers
from training.lab import Lab
from training.models.load import LoadedModel, load_model, model_outline
from training.probes.fit import fit_with
from training.probes.probe import ProbeJob
from training.prompts import find_prompt
from training.reading_cost import weights_of_a_token
from training.running.runner import TrialRunner
from training.scoring.encoding import encode_items
from training.store import TrialStore
from training.trial import Trial
from training.tuning.settings import QloraSettings

CHARACTERS_PER_TOKEN = 4.0  # of English, where no tokenizer is at hand
SAMPLE = 24  # items that are read to see how long it takes
_PROBES_TIMED = 8
_WIDTH_ASSUMED = 2 * 4096  # of the features of a model that is not at hand

RateSource = Literal["measured", "assumed"]


class PlannedExperiment(Record):
    """What an experiment adds to those before it."""

    name: str
    title: str
    why: str | None  # not applicable: what is missing
    trials: int
    kept: int  # of them, done before
    shared: int  # of them, counted with an experiment before it
    tokens: int
    operations: float
    hours: float
    money: float | None


class ReproductionPlan(Record):
    """A whole plan."""

    data: str
    items: int
    models: list[str]
    parameters: int  # of the first model
    tokens_counted_by: Literal["tokenizer", "characters"]
    operations_per_second: float
    rate: RateSource
    seconds_per_probe: float
    price: float | None  # of an hour of the machine
    currency: str
    experiments: list[PlannedExperiment]
    notes: list[str]


@dataclass(frozen=True)
class MachineAssumed:
    """What is assumed where it cannot be measured, and what an hour costs.

    Attributes
    ----------
    operations_per_second : of a model that is not at hand
    price, currency : of an hour of the machine
    """

    operations_per_second: float
    price: float | None = None
    currency: str = "$"


def plan_reproduction(
    study: Study,
    experiments: Sequence[Experiment],
    out: Path,
    assumed: MachineAssumed,
    parameters: float | None = None,
) -> ReproductionPlan:
    """The plan of `experiments`; trials that are kept in `out` are not counted.

    `parameters` of the first model are given where it is not at hand.

    Raises InputError if the kept trials cannot be read.
    """
    meters = _Meters(study, assumed, parameters)
    kept = _kept(out)
    seen: set[str] = set()
    planned = []
    try:
        for experiment in experiments:
            planned.append(_one(study, experiment, meters, kept, seen, assumed.price))
    finally:
        if kept is not None:
            kept.__exit__(None, None, None)
    meter = meters.of(0)
    notes = [
        "What several experiments share is counted with the first of them.",
        "Operations of attention over earlier tokens, and loading the model, are left out.",
    ]
    if meter.rate == "assumed":
        notes.append(
            "The model is not at hand: its rate is assumed, not measured, and hours and money "
            "follow from that."
        )
    return ReproductionPlan(
        data=study.data,
        items=len(study.items),
        models=[model.source.label for model in study.models],
        parameters=round(meter.parameters),
        tokens_counted_by="characters" if meter.outline is None else "tokenizer",
        operations_per_second=meter.operations_per_second,
        rate=meter.rate,
        seconds_per_probe=meter.seconds_per_probe,
        price=assumed.price,
        currency=assumed.currency,
        experiments=planned,
        notes=notes,
    )


def _kept(out: Path) -> TrialStore | None:
    path = out / "trials.sqlite"
    return TrialStore(path) if path.is_file() else None


@dataclass
class _Work:
    """What goes through models, what that takes, and how long."""

    tokens: float = 0.0
    operations: float = 0.0
    seconds: float = 0.0

    def model(self, meter: "_Meter", forward: float, back: float = 0.0) -> None:
        """So many tokens go through a model, and so many of them back."""
        operations = 2.0 * meter.parameters * (forward + back)
        self.tokens += forward
        self.operations += operations
        self.seconds += operations / meter.operations_per_second


@dataclass
class _Meter:
    """Counts the tokens of a model and knows how fast they go."""

    parameters: float
    outline: LoadedModel | None
    operations_per_second: float
    rate: RateSource
    seconds_per_probe: float
    _tokens: dict[tuple[str, str], Array] = field(default_factory=dict)
    _read: dict[tuple[str, str], NDArray[np.bool_]] = field(default_factory=dict)

    def tokens(self, items: pd.DataFrame, prompt: str) -> Array:
        """Tokens of every item with its choices, (items,)."""
        key = (texts_fingerprint(items), prompt)
        if key not in self._tokens:
            self._tokens[key] = item_tokens(items, prompt, self.outline)
        return self._tokens[key]

    def unread(self, items: pd.DataFrame, prompt: str, positions: Positions) -> Positions:
        """Those of these items that were not read before, (items,); they count as read now."""
        read = self._read.setdefault(
            (texts_fingerprint(items), prompt), np.zeros(len(items), dtype=bool)
        )
        new = np.asarray(positions[~read[positions]])
        read[new] = True
        return new


class _Meters:
    """A meter of every model of a study, made when first needed.

    `parameters` are those of the first model, where it is not at hand.
    """

    def __init__(self, study: Study, assumed: MachineAssumed, parameters: float | None) -> None:
        self._study, self._assumed, self._parameters = study, assumed, parameters
        self._made: dict[int, _Meter] = {}

    def of(self, place: int) -> _Meter:
        """The meter of a model by its place."""
        if place not in self._made:
            self._made[place] = self._make(place)
        return self._made[place]

    def of_lab(self, lab: Lab) -> _Meter:
        """The meter of a lab's model."""
        sources = [model.source for model in self._study.models]
        return self.of(sources.index(lab.source))

    def _make(self, place: int) -> _Meter:
        study, model, assumed = self._study, self._study.models[place], self._assumed
        if self._parameters is not None and place == 0:
            probe = _time_probes(study, model, _WIDTH_ASSUMED)
            rate = assumed.operations_per_second
            return _Meter(self._parameters, None, rate, "assumed", probe)
        outline = model_outline(model.source)
        weights = float(weights_of_a_token(outline.model))
        width = len(probe_layers(outline)) * int(outline.model.config.hidden_size)
        probe = _time_probes(study, model, width)
        if not model.parameters:  # its configuration is at hand, and its weights are not
            return _Meter(weights, outline, assumed.operations_per_second, "assumed", probe)
        rate = _time_reading(study, model, outline, weights)
        return _Meter(weights, outline, rate, "measured", probe)


def _one(
    study: Study,
    experiment: Experiment,
    meters: _Meters,
    kept: TrialStore | None,
    seen: set[str],
    price: float | None,
) -> PlannedExperiment:
    why, wanted = None, []
    measured_before = set(study.measured)
    try:
        wanted = list(experiment.wanted(study))
    except NotApplicableError as error:
        why = str(error)
    trials = {trial.key: trial for own in wanted for trial in own.trials}
    done = {key for key, own in trials.items() if kept is not None and kept.get(own) is not None}
    shared = (set(trials) - done) & seen
    work = _Work()
    for _, place in sorted(set(study.measured) - measured_before):
        recipe = study.models[place].recipes["probe"]
        _read(study.items, np.arange(len(study.items)), recipe.prompt, meters.of(place), work)
    for own in wanted:
        new = {trial.key: trial for trial in own.trials if trial.key not in done | seen}
        _add(own.lab, list(new.values()), meters, work, study.folder)
        seen |= set(new)
    hours = work.seconds / 3600
    return PlannedExperiment(
        name=experiment.name,
        title=experiment.title,
        why=why,
        trials=len(trials),
        kept=len(done),
        shared=len(shared),
        tokens=round(work.tokens),
        operations=work.operations,
        hours=hours,
        money=None if price is None else hours * price,
    )


def _add(lab: Lab, trials: Sequence[Trial], meters: _Meters, work: _Work, folder: Path) -> None:
    """What new trials of one lab take."""
    if not trials:
        return
    task, meter = lab.task, meters.of_lab(lab)
    probes = [trial for trial in trials if trial.method == "probe"]
    if probes:
        positions = TrialRunner(task, lab.source, folder).feature_positions(probes)
        _read(task.items, positions, probes[0].recipe.prompt, meter, work)
        work.seconds += len(probes) * meter.seconds_per_probe
    for trial in trials:
        if trial.method == "probe":
            continue
        if trial.method == "zero_shot" and trial.recipe.quantisation == "none":
            _read(task.items, task.test_positions, trial.recipe.prompt, meter, work)
            continue
        tokens = meter.tokens(task.items, trial.recipe.prompt)
        usual = float(tokens.mean())
        work.model(meter, float(tokens[task.test_positions].sum()))
        if trial.method == "in_context":  # the examples are read once for all test items
            work.model(meter, trial.size * usual)
        if trial.method == "qlora":
            settings = dict(trial.recipe.settings)
            known = {n: v for n, v in settings.items() if n in QloraSettings.__annotations__}
            adapter = QloraSettings(**known)
            steps = adapter.updates(trial.size) * min(adapter.batch, trial.size)
            work.model(meter, steps * usual, back=steps * usual)


def _read(
    items: pd.DataFrame, positions: Positions, prompt: str, meter: _Meter, work: _Work
) -> None:
    """One pass over items that nothing has read so far; features and scores come of one pass."""
    new = meter.unread(items, prompt, positions)
    work.model(meter, float(meter.tokens(items, prompt)[new].sum()))


def item_tokens(items: pd.DataFrame, prompt: str, outline: LoadedModel | None) -> Array:
    """Tokens of every item with its choices, (items,)."""
    questions, choices = items["question"].tolist(), items["choices"].tolist()
    if outline is None:
        found = find_prompt(prompt)
        twice = 2 if found.lists_choices else 1
        letters = [
            len(q) + twice * sum(len(c) + 3 for c in own) + 20
            for q, own in zip(questions, choices, strict=True)
        ]
        return np.asarray(letters, dtype=np.float64) / CHARACTERS_PER_TOKEN
    if outline.kind == "encoder":
        return _encoder_tokens(items, outline)
    encoded = encode_items(
        outline, questions, choices, items["item_id"].tolist(), find_prompt(prompt, outline.name)
    )
    counts = [len(own.prompt) + sum(map(len, own.choices)) for own in encoded]
    return np.asarray(counts, dtype=np.float64)


def _encoder_tokens(items: pd.DataFrame, outline: LoadedModel) -> Array:
    """An encoder reads a question with each of its choices, or alone where all share theirs."""
    alone = shared_choices(items) is not None
    choices = [[""] if alone else list(own) for own in items["choices"]]
    texts = [
        f"{q} {c}".rstrip() for q, own in zip(items["question"], choices, strict=True) for c in own
    ]
    ids = outline.tokenizer(texts, truncation=True, max_length=outline.context_length)["input_ids"]
    owner = np.repeat(np.arange(len(items)), [len(own) for own in choices])
    return np.bincount(owner, weights=[len(own) for own in ids]).astype(np.float64)


def _sample(items: pd.DataFrame) -> pd.DataFrame:
    return items.iloc[np.unique(np.linspace(0, len(items) - 1, SAMPLE).astype(np.int64))]


def _time_reading(study: Study, model: StudiedModel, outline: LoadedModel, weights: float) -> float:
    """Operations a second of reading a few items, without the loading."""
    lab = study.lab(study.main)
    rows = _sample(lab.task.items)
    prompt = model.recipes["probe"].prompt
    loaded = load_model(model.source, use="features")
    alone = loaded.kind == "encoder" and lab.task.shared_choices is not None
    layers, most = probe_layers(loaded), 1 if alone else int(lab.task.choice_counts.max())

    def read(some: pd.DataFrame) -> Features:
        if loaded.kind == "encoder":
            return encoder_features(some, most, loaded, layers)
        asked = find_prompt(prompt, model.source.label)
        return DecoderReader(loaded, asked, most, layers, lambda _: None).choices(some)[0]

    read(rows.iloc[:2])  # what is done once is not timed
    begun = time.perf_counter()
    read(rows)
    seconds = time.perf_counter() - begun
    return 2.0 * weights * float(item_tokens(rows, prompt, outline).sum()) / seconds


def _time_probes(study: Study, model: StudiedModel, width: int) -> float:
    """Seconds of fitting a probe, timed on random features of the model's width."""
    labels = study.design.labels
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2 * labels, 4, width)).astype(np.float32)
    mask = np.ones((2 * labels, 4), dtype=bool)
    jobs = [
        ProbeJob(rng.permutation(2 * labels)[:labels], np.eye(4)[rng.integers(0, 4, labels)])
        for _ in range(_PROBES_TIMED)
    ]
    begun = time.perf_counter()
    fit_with(dict(model.recipes["probe"].settings), features, mask, jobs)
    return (time.perf_counter() - begun) / _PROBES_TIMED
