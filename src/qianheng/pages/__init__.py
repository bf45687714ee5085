"""Pages to look at: the report of a run as one HTML file that needs nothing else."""
