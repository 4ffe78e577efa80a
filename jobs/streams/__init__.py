"""What the stream makes of verdicts: alarms."""
