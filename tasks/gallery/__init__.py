"""What people look at: grids, the page of a gallery with its pictures, plots, and figures of quality.

Here belongs what arranges results for the eye. The page's template, style and scripts are in ``web/``.
"""
