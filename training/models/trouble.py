"""One place for what the libraries raise about a model's files: one line, whatever was broken."""

from collections.abc import Iterator
from contextlib import contextmanager

from annotation.errors import InputError, cut_in_the_middle

_LONGEST_REASON = 300
# What is raised in Rust, by tokenizers or safetensors, where no exception was foreseen.
_PANIC = "PanicException"


@contextmanager
def told_of_model(name: str, what: str, remedy: str) -> Iterator[None]:
    """Turn whatever a library raises into "model 'NAME': WHAT: reason; REMEDY.".

    The libraries check little of what they read: a broken configuration, vocabulary or tokenizer
    ends in any exception there is. Put no code of our own into the block.

    Raises InputError.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise  # Ctrl-C and the like
        raise InputError(f"model '{name}': {what}: {_reason(error)}; {remedy}.") from None


def _reason(error: BaseException) -> str:
    said = " ".join(str(error).split()).rstrip(".")
    if "ignore_mismatched_sizes" in said:  # the shapes themselves go to a log
        return "its weights have other shapes than config.json says"
    if isinstance(error, RecursionError):
        return "its brackets are nested too deeply"
    if isinstance(error, KeyError | AttributeError | TypeError | IndexError) or not said:
        said = f"{type(error).__name__} {said}".strip()
    return cut_in_the_middle(said, _LONGEST_REASON)
