"""A market to run in: buyers, rivals, live rooms and scenarios. A function of (scenario, seed).

No parameter depends on a plan's goal or target (SPEC 6.6): the market never sees either. What is true of a buyer stays
in here; an opportunity carries ids and features only.
"""
