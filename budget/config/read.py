"""From a TOML file to a checked configuration."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import (
    ValidationError,
)

from annotation.errors import InputError
from budget.config.run import RunConfig
from budget.config.sections import ItemsSection
from budget.config.toml import Mistake, Place, first_error, read_toml


def read_config(path: Path, plans: bool = True) -> RunConfig:
    """Read and check a configuration; paths in it are relative to its folder.

    Where nothing is planned (`plans`), there need be no budget, nor need it pay for a pilot.

    Raises InputError: no such file, not TOML (with line and column), a wrong key or value.
    """
    raw = read_toml(path, "'labelmix init' writes one")
    return parse_config(raw, str(path), path.parent, plans)


def parse_config(raw: dict[str, Any], where: str, folder: Path, plans: bool = True) -> RunConfig:
    """Check a configuration read from TOML; `folder` is what its paths are relative to.

    Raises InputError naming the first wrong key, its value and what it should be.
    """
    if not plans:
        raw = {"budget": {"total": 0}, **raw}
    try:
        config = RunConfig.model_validate(raw, context={"plans": plans})
    except ValidationError as error:
        raise InputError(f"{where}: {first_error(error, _remedy)}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    options = config.items.options()
    for key in ("path", "data_dir", "annotations"):
        if isinstance(options.get(key), str):
            options[key] = str(_relative_to(folder, options[key]))
    updates: dict[str, Any] = {
        "items": ItemsSection.model_validate({"source": config.items.source, **options})
    }
    if config.collected is not None:
        files = tuple(str(_relative_to(folder, path)) for path in config.collected.judgments)
        updates["collected"] = config.collected.model_copy(update={"judgments": files})
    local = _relative_to(folder, config.model.path)
    with suppress(OSError):  # a name too long for a file is none; looking for the model tells
        if (local / "config.json").is_file():
            updates["model"] = config.model.model_copy(update={"path": str(local)})
    return config.model_copy(update=updates)


def _remedy(mistake: Mistake, place: Place) -> str:
    if mistake == "section for a value":
        return ""
    return "'labelmix init' writes a configuration with every key"


def _relative_to(folder: Path, path: str) -> Path:
    try:
        return folder / Path(path).expanduser()
    except RuntimeError:  # "~name/..." of a user that does not exist
        return folder / path


def with_overrides(
    config: RunConfig, data_dir: Path | None = None, model: str | None = None
) -> RunConfig:
    """The configuration with what the command line says instead.

    Raises InputError if the source takes no data folder.
    """
    updates: dict[str, Any] = {}
    if data_dir is not None:
        if config.items.source in ("workshop", "tabular"):
            raise InputError(
                f"source '{config.items.source}' takes no --data-dir: it has no data of its own."
            )
        options = {**config.items.options(), "data_dir": str(data_dir)}
        updates["items"] = ItemsSection.model_validate({"source": config.items.source, **options})
    if model is not None:
        updates["model"] = config.model.model_copy(update={"path": model})
    return config.model_copy(update=updates)
