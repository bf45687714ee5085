"""The guarantee: policies as data, cases folded into figures, the verdict, its time line and explanation."""
