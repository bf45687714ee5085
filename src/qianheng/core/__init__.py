"""Core: the words every room shares. Money, days, ids, seeds, languages and the error tree; knows no other room."""
