"""Tables in, pages out; knows neither device nor TensorFlow."""
