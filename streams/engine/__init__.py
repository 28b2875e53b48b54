"""Micro-batch agents on Faust: the only code that knows Faust's insides.

    consumer.py   one Faust message per fetched partition batch; hand-over on revocation; every commit passes here
    ledger.py     which fetched records have been applied, and so what may be committed
    merge.py      the inputs of a partition as one sequence in event time
    due.py        when each silent customer wants to be looked at again
    partition.py  the rows of a partition and the index from customer id to row
    changelog.py  what is written at commit, and how it becomes rows again
    store.py      the Faust table that recovers and assigns those partitions, and never writes
    warm.py       copies of changelogs on disk, an option: a restart reads what is new
    warm_store.py one partition's copy, a RocksDB
    recovery.py   recovery that stops the flow before it resumes it
    outbox.py     records on their way out, sent as Kafka record batches, awaited before state
    task.py       one task per partition: merge, process, timers, stream time
    engine.py     the tasks of this worker, and the commit order: output, state, offsets

Guarantee: at-least-once delivery, state that recognises what it has seen, derived alert ids. Nothing is lost, nothing
counts twice, and an alert sent twice is the same alert.
"""

VERIFIED_VERSIONS = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}
"""What the hooks were read and exercised against; `tests/streams/engine/test_hooks.py` fails on others."""
