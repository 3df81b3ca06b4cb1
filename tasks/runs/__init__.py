"""What became of a run's rows: the report, run.json and the traces, written as it goes on and read afterwards.

Here belongs what knows a run's folder; it computes nothing, and knows results by their records.
"""
