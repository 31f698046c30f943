"""Where data comes from: one file per kind of source, each giving arrays that are then fitted to the model."""
