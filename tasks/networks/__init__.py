"""Networks as files: the weights of the encoders, and networks that were trained to paint one style.

Here belongs what finds, downloads, checks, reads and writes them; what they compute is `nst`'s.
"""
