"""Pictures as files: decoded into sRGB, resized, and encoded.

Here belongs what knows formats, profiles and orientations; it knows Pillow, and no tensors.
"""
