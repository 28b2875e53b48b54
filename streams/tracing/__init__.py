"""What OpenTelemetry is told, an option that is off by default: a span for each batch, and one for each commit.

option.py   on or off: nothing of OpenTelemetry is imported while it is off
parts.py    the parts of a worker that tell a tracer what they do
batches.py  batches and commits as spans
export.py   where spans go, and what becomes of them when nobody takes them

No attribute ever holds a customer, or anything of a record but its place.
"""
