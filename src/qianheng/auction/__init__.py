"""The auction: sealed bids in, winners and prices out. Arrays only."""
