"""Functions of Faust, mode and aiokafka that the engine replaces or relies on, as they were when it was verified.

Checked by `test_hooks.py`.
"""

CONSUMER, THREAD = "faust.transport.consumer:Consumer", "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread"
RECOVERY, COLLECTION = "faust.tables.recovery:Recovery", "faust.tables.base:Collection"
APP = "faust.app.base:App"

HOOKS = {
    f"{CONSUMER}.getmany": (
        "59cfaca9cc6b",
        "ours yields batches in its place; stops at a flow stop and at a new generation",
    ),
    f"{CONSUMER}._wait_next_records": (
        "1b801ad3dd52",
        "waits for the flow, then calls _getmany with the live set of active partitions",
    ),
    f"{CONSUMER}._drain_messages": (
        "f5292b0eea7f",
        "drops offsets below _read_offset; every one it has passed on is its last read offset",
    ),
    f"{CONSUMER}._add_gap": ("e461cdf028ef", "is all that is called when offsets leave a gap"),
    f"{CONSUMER}.commit": ("b6ef3bb5f587", "one commit at a time, in force_commit"),
    f"{CONSUMER}.maybe_wait_for_commit_to_finish": ("bdc2e2fbeda0", "returns when no commit is under way"),
    f"{CONSUMER}.force_commit": ("67a16256f2b2", "every commit calls _commit_tps, whatever is acknowledged"),
    f"{CONSUMER}._commit_tps": (
        "107c7b3b2dcf",
        "ours puts output and state before the offsets; attached messages are not used",
    ),
    f"{CONSUMER}._commit_offsets": (
        "392a2d988fc0",
        "leaves out what is no longer assigned; notes what it sent in _committed_offset",
    ),
    f"{CONSUMER}._should_commit": ("6e33c36d1ac2", "ours commits offset 0 too"),
    f"{CONSUMER}.wait_empty": ("98f2e749e184", "ends once agents acknowledged what they took; commits last"),
    f"{CONSUMER}.on_stop": ("36b1f6913b80", "the last commit of an orderly stop"),
    f"{CONSUMER}.on_partitions_revoked": (
        "e7564e625d0b",
        "drops the books before it calls the app; ours commits before that",
    ),
    f"{CONSUMER}.on_partitions_assigned": ("a2f6d5bbb1b6", "forgets pauses of partitions that were lost"),
    f"{CONSUMER}.perform_seek": (
        "cdb1c23be724",
        "leaves in _read_offset what the broker has committed, None where nothing is",
    ),
    f"{CONSUMER}.stop_flow": ("e8a58a4e8a74", "stops what is being passed on"),
    f"{CONSUMER}.resume_flow": ("a987c626ffe3", "lets fetches go on"),
    f"{CONSUMER}.pause_partitions": ("fd10d1832162", "takes partitions out of the active set"),
    f"{CONSUMER}.resume_partitions": ("561da4a47c59", "puts partitions into the active set"),
    f"{CONSUMER}._get_active_partitions": ("3f26755bc091", "is the live set"),
    "faust.transport.consumer:ThreadDelegateConsumer._getmany": (
        "4d54988be08f",
        "hands the set it is given to the fetch thread",
    ),
    "faust.transport.drivers.aiokafka:Consumer._new_consumer_thread": (
        "cd26d06ef170",
        "is the only place the thread is made",
    ),
    "faust.transport.drivers.aiokafka:Consumer._to_message": (
        "b68886661fc3",
        "makes a message of one record, with the generation of now",
    ),
    f"{THREAD}._create_worker_consumer": ("a1e0167498bf", "makes the aiokafka consumer, not started"),
    f"{THREAD}._fetch_records": ("75048a2cb7da", "fetches nothing while the flow is off"),
    f"{THREAD}._seek_wait": ("bddabbcd0a74", "seeks, and sets _read_offset to where"),
    f"{THREAD}._commit": ("ddc1eb3a1c7c", "gives False or crashes the app when the commit failed"),
    "mode.threads:ServiceThread.crash": ("2a783332deca", "whatever ends the thread calls it"),
    f"{THREAD}.earliest_offsets": ("66d6f1698b53", "asks the broker where partitions begin"),
    f"{THREAD}.highwaters": ("42b395e81e8e", "asks the broker where they end"),
    f"{RECOVERY}._add": ("89c94600cd3f", "asks for the persisted offset after the table was told of the rebalance"),
    f"{RECOVERY}._build_offsets": ("d0efbb56d6c7", "starts at a persisted offset unless the log begins later"),
    f"{RECOVERY}._seek_offsets": ("97f490a4cbf8", "reads the record at the persisted offset once more"),
    "faust.transport.drivers.aiokafka:Producer._ensure_producer": (
        "96b2a3da0af9",
        "gives aiokafka's producer, started",
    ),
    f"{RECOVERY}._restart_recovery": (
        "6e33f30c8d96",
        "reads changelogs with sources paused, then calls on_recovery_completed",
    ),
    f"{RECOVERY}._slurp_changelogs": ("97a0e7fab472", "swallows what the store raises; so ours ends the worker"),
    f"{RECOVERY}.on_recovery_completed": (
        "9d601706f3f5",
        "resumes sources, seeks, resumes the flow; ours stops the flow first",
    ),
    f"{RECOVERY}._resume_streams": ("66178e8c7483", "the same without tables"),
    f"{RECOVERY}.flush_buffers": ("f0e2779bc123", "applies the rest before recovery is complete"),
    f"{RECOVERY}.__init__": ("30835ddcdc33", "takes app and manager"),
    "faust.tables.manager:TableManager.recovery": ("708d876ddce7", "is the only place the recovery is made"),
    "faust.tables.manager:TableManager.on_rebalance": ("39cdc5b494b0", "tells every table before recovery starts"),
    f"{COLLECTION}._new_store": ("19d7e7993a21", "is the only place the store is made"),
    f"{COLLECTION}._new_changelog_topic": ("069d6aabbb99", "takes keywords only; its schema decodes"),
    f"{COLLECTION}.apply_changelog_batch": ("57d8b659c062", "passes batches to the store"),
    f"{COLLECTION}.persisted_offset": ("c3b2d41a26a7", "asks the store what need not be read again"),
    f"{COLLECTION}.on_rebalance": ("5b57b6e9a746", "passes the new assignment to the store"),
    f"{APP}._new_transport": ("2644c0e1e602", "is the only place the transport is made"),
    f"{APP}._on_partitions_revoked": ("67caf4ad2e54", "stops the flow, clears the queues, waits and commits"),
    f"{APP}._on_partitions_assigned": ("9e2b7ef12585", "pauses everything, then rebalances the tables"),
    f"{APP}._stop_consumer": ("0df151105455", "waits for agents, then stops the consumer, which commits"),
    "mode.utils.queues:FlowControlEvent.resume": ("ba2f97a15e7e", "clears the queues before it opens them"),
    "mode.utils.queues:FlowControlEvent.clear": ("0f78dc4469ae", "empties the queues of agents"),
    "aiokafka:AIOKafkaConsumer.start": ("5a3c9f9ca8c6", "gives _fetch_max_wait_ms and _isolation_level to the fetcher"),
    "aiokafka:AIOKafkaConsumer.seek_to_committed": (
        "c1ea0be7b066",
        "does not move partitions without a commit, or committed at 0",
    ),
    "aiokafka.consumer.fetcher:Fetcher.fetched_records": (
        "112ba171e7cd",
        "takes no partitions for all; what it returns is passed",
    ),
    "aiokafka.consumer.fetcher:Fetcher._proc_fetch_request": (
        "0e9e17b0c5b9",
        "reads MemoryRecords from its module, asks it has_next and size_in_bytes; notes log ends, and when in epoch ms",
    ),
    "aiokafka.consumer.fetcher:PartitionRecords._unpack_records": (
        "97440fa8ba6d",
        "asks next_batch, and of a batch what LenientBatch gives; leaves out markers, and goes past them",
    ),
    "aiokafka.consumer.fetcher:FetchResult.getall": (
        "1b448682c740",
        "moves the position past what it gives, and at the end of a fetch past the markers behind it",
    ),
    "aiokafka.consumer.group_coordinator:GroupCoordinator.check_errors": (
        "98643f8549bf",
        "raises _pending_exception once, and lets the group be joined again",
    ),
    "aiokafka.record.default_records:_DefaultRecordBatchPy._read_msg": (
        "c97e54fc9550",
        "slices _buffer and decodes header names only",
    ),
    "aiokafka:AIOKafkaProducer.create_batch": (
        "36f10539953b",
        "makes an open batch of the configured size and compression",
    ),
    "aiokafka:AIOKafkaProducer.send_batch": (
        "98e01e08ed4c",
        "gives a future of the first offset; a batch is written whole or not",
    ),
    "aiokafka.producer.message_accumulator:BatchBuilder.append": (
        "7ea54211030d",
        "gives None when full; takes a first record of any size",
    ),
    "aiokafka.producer.message_accumulator:BatchBuilder.close": ("355403b55226", "ends a batch"),
    "aiokafka.producer.message_accumulator:BatchBuilder.record_count": ("93a3b89a8085", "still tells after sending"),
}
"""Function: fingerprint of its code without comments, and what we rely on."""
