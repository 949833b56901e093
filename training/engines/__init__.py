"""Where trials run: on this machine, or on a Ray cluster."""

from training.engines.base import Engine, SilentWatcher, Watcher
from training.engines.local import LocalEngine, local_engine
from training.engines.ray_driver import RayEngine, RayResources, ray_engine

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
