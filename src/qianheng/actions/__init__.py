"""Actions: what a user can do, one function each, and the driver that runs a market through the engine."""
