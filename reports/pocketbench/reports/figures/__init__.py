"""Plots as plain data for Plotly: colours by name, so that the page decides on light or dark."""
