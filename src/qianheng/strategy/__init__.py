"""Strategy: what to set and why, as values that a person accepts, edits or rejects (SPEC 7)."""
