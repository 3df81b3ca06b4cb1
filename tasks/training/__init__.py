"""Networks are made, and chosen: when one is worth its training, and the training itself with its checkpoints.

Here belongs what trains; what a training step is, and what a network is made of, is `nst`'s.
"""
