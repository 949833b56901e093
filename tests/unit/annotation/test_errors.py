from annotation.errors import InputError


def test_the_message_is_one_line() -> None:
    assert str(InputError("first\n  second\tthird ")) == "first second third"


def test_it_can_be_caught_as_a_value_error() -> None:
    assert issubclass(InputError, ValueError)
