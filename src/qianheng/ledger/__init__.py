"""Ledger: double entry with two-phase transfers. Accounts, transfers, the rules they keep, statements; pure values."""
