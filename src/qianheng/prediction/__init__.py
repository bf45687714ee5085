"""Prediction: what an impression is worth, learned only from facts received before now."""
