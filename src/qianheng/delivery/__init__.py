"""Delivery: the serving engine. Opportunities in, decisions and facts out; it reads no database and sees no truth."""
