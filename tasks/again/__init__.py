"""An earlier run is carried out again: what is missing, failed, has changed, or is chosen by a condition.

Here belongs what compares an earlier run with what is asked for today.
"""
