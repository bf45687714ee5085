"""Diagnosis: what the figures say, judged by rules that are data."""
