"""What computes: the devices of a machine, who has them at the moment, and how much fits into their memory.

Here belongs what depends on the hardware; what is computed does not matter here.
"""
