"""Places and what lies there: a file of this machine or one behind a URL, read and written whole.

Here belongs what knows about folders, object stores, the web, the cache of what was fetched, and locks; it asks
nothing of what the bytes mean, but for Parquet's tables.
"""
