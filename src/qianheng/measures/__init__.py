"""Measures: sums, the ratios taken from them, and the one query that computes them from facts."""
