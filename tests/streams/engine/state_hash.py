"""What a partition knows, as one number that does not depend on which row a customer has."""

import orjson
import xxhash

from streams.engine.partition import PartitionRows

AT_ONCE = 10_000


def state_hash(partition: PartitionRows) -> str:
    """Hash of every customer's id and row, in the order of ids, and of what is known of the partition as a whole.

    The epoch is left out: it tells who owns the partition, and rises with each owner.
    """
    slots = partition.used_slots()
    ids = partition.customer_ids(slots)
    whole = {"stream_time_s": partition.stream_time_s, "memory": partition.memory, "bookmarks": partition.bookmarks}
    digest = xxhash.xxh3_128(orjson.dumps(whole, default=lambda part: part.to_dict(), option=orjson.OPT_SORT_KEYS))
    order = sorted(range(len(ids)), key=ids.__getitem__)
    for begin in range(0, len(order), AT_ONCE):
        part = order[begin : begin + AT_ONCE]
        digest.update(b"".join(len(ids[i]).to_bytes(4) + ids[i] for i in part))
        digest.update(partition.rows[slots[part]].tobytes())
    return digest.hexdigest()
