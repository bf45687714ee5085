"""Facts: what happened, append-only. In bulk they are Arrow tables with integer ids; the schemas live here."""
