"""A job becomes a picture and its record, by the optimizer or by a trained network.

Here belongs what carries the mathematics of `nst` out on real files and devices, as Prefect's tasks.
"""
