"""A finished run as a data set that training code reads: a tree of class folders, tar shards, or Parquet.

Here belongs what a data set's forms ask of names, labels and files. It reads a run's folder, and changes nothing there.
"""
