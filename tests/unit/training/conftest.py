"""The toy benchmark of the engine's tests."""

from tests.unit.engine.conftest import bench, build

__all__ = ["bench", "build"]
