"""Who is told how far long work is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Told how many steps are done, and of how many."""
