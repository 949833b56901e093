"""Who is told how far the work is."""

from typing import Protocol


class StageProgress(Protocol):
    """Told of stages of the work, and of steps within the current one."""

    def stage(self, description: str, total: int) -> None: ...

    def advance(self, steps: int = 1) -> None: ...


class NoProgress:
    """Tells nobody."""

    def stage(self, description: str, total: int) -> None: ...

    def advance(self, steps: int = 1) -> None: ...
