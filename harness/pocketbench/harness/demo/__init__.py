"""The whole way on this computer: a network trained on scikit-learn's digits, every recipe, measured, reported."""
