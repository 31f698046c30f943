"""One seed for everything that Keras and TensorFlow draw."""

from __future__ import annotations

from pocketbench.compression.tensorflow import import_keras, import_tensorflow

__all__ = ["seed_everything"]


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and TensorFlow, and have TensorFlow's operators give the same bits every time."""
    import_keras().utils.set_random_seed(seed)
    import_tensorflow().config.experimental.enable_op_determinism()
