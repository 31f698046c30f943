"""Steps of a recipe that change a Keras model: prune, factorize, train."""
