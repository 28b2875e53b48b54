"""The whole chain, seen: broker, workers, feeds, Prometheus, Alertmanager and somebody who is told, all for real.

`tests/end_to_end/test_chain_seen.py` tells the story in a shortened time, `python -m tests.chain` (`make chain`) with
the rules as they are, and draws the pictures of the README from what Prometheus has seen.
"""
