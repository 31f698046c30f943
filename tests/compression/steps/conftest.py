"""TensorFlow comes in through the product's door: quiet and without a GPU, as in a worker."""

from pocketbench.compression.tensorflow import import_keras

import_keras()
