"""Plans: one budget, one goal, every placement. A plan is the fold of its change log."""
