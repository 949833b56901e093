"""Where trials run: on this machine, or on a Ray cluster."""

from training.engine_base import Engine, SilentWatcher, Watcher
from training.local_engine import LocalEngine, local_engine
from training.ray_engine import RayEngine, RayResources, ray_engine

__all__ = [
    "Engine",
    "LocalEngine",
    "RayEngine",
    "RayResources",
    "SilentWatcher",
    "Watcher",
    "local_engine",
    "ray_engine",
]
