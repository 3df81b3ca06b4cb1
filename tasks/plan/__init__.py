"""Rows become jobs: checked, with the digests of all that is read, a key, and the batches that go in one pass.

Here belongs what is decided before anything is computed. A job says all that computing it needs.
"""
