"""The steps that flows fan out: one step a file. Nothing here imports from ``flows``."""
