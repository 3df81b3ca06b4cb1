"""What was made, by its key: records, pictures and the losses on the way, in a folder here or behind a URL.

Here belongs what keeps a result and finds it again, damaged ones apart; rows and runs are not known here.
"""
