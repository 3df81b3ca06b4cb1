"""Neural style transfer in batches: the one name under which everything is installed.

The folders lie at the top of the repository; the links beside this file give them their place in the package.
"""
