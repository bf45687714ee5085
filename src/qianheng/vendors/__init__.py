"""Vendors: the formats of other platforms. Their words stay in here; what comes out speaks ours."""
