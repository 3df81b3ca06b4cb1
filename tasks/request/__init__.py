"""What is asked for: a manifest's rows, the styles in them, and the settings with their presets.

Here belongs what reads a person's words, and tells what is wrong with them; no picture is opened.
"""
