"""Experiments: who sees which arm, how many people a test needs, and what it has shown, however often one looks."""
