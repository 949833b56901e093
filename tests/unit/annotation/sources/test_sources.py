import subprocess
import sys

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.sources import SOURCES, load_items
from annotation.sources.workshop import load_workshop


def test_a_source_is_loaded_with_its_options() -> None:
    pd.testing.assert_frame_equal(load_items("workshop", size=7, seed=3), load_workshop(7, 3))


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_has_a_loader_and_names_its_options(source: str) -> None:
    with pytest.raises(InputError, match=f"source '{source}' has no option 'colour'; it accepts "):
        load_items(source, colour="red")


def test_an_unknown_option_names_the_accepted_ones() -> None:
    with pytest.raises(InputError, match=r"source 'arc' .* it accepts data_dir, annotations"):
        load_items("arc", folder="x")


@pytest.mark.parametrize("source", ["sst", "hub", "choices"])
def test_an_unknown_source_names_those_there_are(source: str) -> None:
    with pytest.raises(InputError, match=f"'{source}' is unknown.* workshop, tabular, arc, sst5"):
        load_items(source)


def test_loading_imports_nothing_heavy() -> None:
    # Only the hub needs `datasets`, which takes seconds to import.
    script = (
        "import sys; from annotation.sources import load_items; load_items('workshop', size=2); "
        "import annotation.items.read, annotation.sources.arc, annotation.sources.sst5; "
        "print(sorted({'torch', 'datasets', 'transformers', 'pyarrow.parquet'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
