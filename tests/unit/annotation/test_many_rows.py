import gc

import pytest

from annotation.many_rows import no_search_for_circles


def test_the_search_is_off_meanwhile_and_on_again_after_a_failure() -> None:
    @no_search_for_circles()
    def fail() -> None:
        assert not gc.isenabled()
        raise ValueError("no")

    assert gc.isenabled()
    with pytest.raises(ValueError, match="no"):
        fail()
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    try:
        with no_search_for_circles(), no_search_for_circles():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
