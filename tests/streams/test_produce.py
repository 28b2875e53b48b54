"""A CSV file becomes the records a shop would send, each where the worker looks for it."""

import gzip

import orjson
import pytest
from kafka import TopicPartition
from kafka.partitioner.default import murmur2

from models.baskets import category_mask
from models.event_rows import EventLogError
from models.events import Channel, Event
from streams.broker import EmbeddedBroker
from streams.cluster import Cluster
from streams.codec import decode
from streams.event_csv import read_records
from streams.partitioner import partition_of
from streams.produce import ProduceError, replay
from streams.settings import Settings

HEADER = "customer_id,event_type,ts,value\n"
ROWS = """\
c1,order,2024-01-01T00:00:00Z,11.77
c2,login,2024-01-01T09:30:00+09:00,180
c1,email_open,2024-01-02T00:00:00.250Z,
c2,email-opens,2024-01-03,machine
c1,order,2024-01-03 12:00:00,0
c1,order,2024-01-03 12:00:00,5
"""
NOW_MS = 1_800_000_000_000


@pytest.fixture
def csv_file(tmp_path):
    def write(text, name="events.csv"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


def events(path, **options):
    return [decode(r.source, r.key, r.value, now_ms=NOW_MS) for r in read_records(path, Channel.ORDER, **options)]


def test_every_row_is_an_event_the_codec_takes(csv_file):
    found = events(csv_file(HEADER + ROWS))
    assert all(isinstance(event, Event) for event in found)
    assert [(e.customer_id, e.channel, e.occurred_at_ms) for e in found] == [
        ("c1", Channel.ORDER, 1_704_067_200_000),
        ("c2", Channel.LOGIN, 1_704_069_000_000),
        ("c1", Channel.EMAIL_OPEN, 1_704_153_600_250),
        ("c2", Channel.EMAIL_OPEN, 1_704_240_000_000),
        ("c1", Channel.ORDER, 1_704_283_200_000),
        ("c1", Channel.ORDER, 1_704_283_200_000),
    ]
    assert [found[0].amount, found[1].amount, found[4].amount] == [11.77, 180.0, 0.0]
    assert [found[2].engaged, found[3].engaged] == [True, False]


def test_event_ids_are_the_same_on_every_reading_and_differ_within_the_file(csv_file):
    path = csv_file(HEADER + ROWS)
    first = [event.event_id for event in events(path)]
    assert first == [event.event_id for event in events(path)]
    assert len(set(first)) == len(first)


def test_plain_gzipped_and_marked_files_read_alike(csv_file):
    expected = [repr(event) for event in events(csv_file(HEADER + ROWS))]
    assert [repr(e) for e in events(csv_file(HEADER + ROWS, "events.csv.gz"))] == expected
    assert [repr(e) for e in events(csv_file("\ufeff" + HEADER + ROWS))] == expected


def test_columns_may_stand_in_any_order_beside_others(csv_file):
    path = csv_file("ts,shop,value,customer_id,event_type\n2024-01-01T00:00:00Z,x,11.77,c1,order\n")
    assert [(e.customer_id, e.amount) for e in events(path)] == [("c1", 11.77)]


def test_e_mails_sent_and_clicked_go_to_their_own_inputs(csv_file):
    rows = "c1,email_sends,2024-01-01T00:00:00Z,\nc1,email-click,2024-01-02T00:00:00Z,machine\n"
    path = csv_file(HEADER + rows)
    assert [record.source.key for record in read_records(path, Channel.ORDER)] == ["email-sends", "email-clicks"]
    assert [event.engaged for event in events(path)] == [True, False]


def test_a_category_column_says_what_orders_hold_and_nothing_of_other_events(csv_file):
    rows = "c1,order,2024-01-01T00:00:00Z,5,tea; 和菓子\nc1,order,2024-01-02T00:00:00Z,5,\n"
    path = csv_file(HEADER.strip() + ",category\n" + rows + "c1,login,2024-01-03T00:00:00Z,,tea\n")
    assert [event.categories for event in events(path)] == [category_mask(["tea", "和菓子"]), 0, 0]


def test_another_event_type_can_be_named_the_main_one(csv_file):
    path = csv_file(HEADER + "c1,visit,2024-01-01T00:00:00Z,3\n")
    assert [event.channel for event in events(path, main_name="visit")] == [Channel.ORDER]
    [record] = read_records(path, Channel.LOGIN, "visit")
    assert record.source.key == "logins"


def test_a_refund_is_sent_for_the_worker_to_judge(csv_file):
    [record] = read_records(csv_file(HEADER + "c1,order,2024-01-01T00:00:00Z,-5\n"), Channel.ORDER)
    assert orjson.loads(record.value)["amount"] == -5


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("c1,teleport,2024-01-01T00:00:00Z,1", "unknown event type 'teleport'"),
        ("c1,cart,2024-01-01T00:00:00Z,1", "unknown event type 'cart'"),
        ("c1,order,yesterday,1", "yesterday"),
        ("c1,order,2024-01-01T00:00:00Z,", "value of an order is no number"),
        ("c1,order,2024-01-01T00:00:00Z,cheap", "value of an order is no number"),
        ("c1,order,2024-01-01T00:00:00Z,nan", "value of an order is no number"),
        ("c1,login,2024-01-01T00:00:00Z,long", "value of a login is no number"),
        ("c1,email_open,2024-01-01T00:00:00Z,robot", "value of an e-mail open"),
        ("c1,email_click,2024-01-01T00:00:00Z,robot", "value of an e-mail open or click"),
        ("c1,email_send,2024-01-01T00:00:00Z,machine", "value of an e-mail sent"),
        (",order,2024-01-01T00:00:00Z,1", "no customer_id"),
        ("c1,order,2024-01-01T00:00:00Z", "3 cells, not 4"),
        ("c1,order,2024-01-01T00:00:00Z,1,2", "5 cells, not 4"),
    ],
)
def test_a_malformed_row_is_named_by_file_and_line(csv_file, row, what):
    path = csv_file(HEADER + "c1,order,2024-01-01T00:00:00Z,1\n" + row + "\n")
    with pytest.raises(EventLogError) as refused:
        list(read_records(path, Channel.ORDER))
    assert str(refused.value).startswith(f"{path}, line 3: ")
    assert what in str(refused.value)


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"", "no column"), (b"a,b\n1,2\n", "no column 'customer_id'"), (b"\xff\xfe\x00", "codec")],
)
def test_what_is_no_event_log_is_refused(tmp_path, content, what):
    path = tmp_path / "events.csv"
    path.write_bytes(content)
    with pytest.raises(EventLogError, match=what):
        list(read_records(path, Channel.ORDER))


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "events.csv.gz"
    path.write_bytes(gzip.compress((HEADER + ROWS * 1000).encode())[:-20])
    with pytest.raises(EventLogError, match="line"):
        list(read_records(path, Channel.ORDER))


@pytest.fixture(scope="module")
def broker():
    with EmbeddedBroker.for_settings(Settings(partitions=3)) as broker:
        yield broker


@pytest.fixture
def settings(broker):
    return Settings(partitions=3, brokers=(broker.bootstrap,))


def read_all(cluster, topic):
    consumer = cluster.consumer()
    tps = [TopicPartition(topic, p) for p in range(3)]
    consumer.assign(tps)
    consumer.seek_to_beginning(*tps)
    wanted = sum(consumer.end_offsets(tps).values())
    records = []
    while len(records) < wanted:
        records += [record for batch in consumer.poll(1000).values() for record in batch]
    consumer.close()
    return records


def test_records_land_on_their_topics_keyed_and_partitioned_by_customer(csv_file, settings):
    cluster = Cluster.reach(settings)
    seen = []
    report = replay(csv_file(HEADER + ROWS), cluster, settings, progress=lambda done, total: seen.append((done, total)))
    assert report.sent == {"orders": 3, "logins": 1, "email-opens": 2}
    assert (report.total, seen[-1]) == (6, (6, 6))
    for topic, count in report.sent.items():
        records = read_all(cluster, topic)
        assert len(records) == count
        for record in records:
            assert record.key.decode() == orjson.loads(record.value)["customer_id"]
            assert record.partition == partition_of(record.key, 3)


def test_our_partitions_are_those_of_kafka_pythons_own_partitioner():
    for n in range(500):
        key = f"customer-{n}".encode()[: n % 17 + 1]
        assert partition_of(key, 7) == (murmur2(key) & 0x7FFFFFFF) % 7


def test_a_bad_file_sends_nothing_at_all(csv_file, settings):
    cluster = Cluster.reach(settings)
    before = len(read_all(cluster, "logins"))
    path = csv_file(HEADER + "c1,login,2024-01-01T00:00:00Z,1\n" * 50 + "c1,login,never,1\n")
    with pytest.raises(EventLogError, match="line 52"):
        replay(path, cluster, settings)
    assert len(read_all(cluster, "logins")) == before


def test_events_of_an_input_that_is_off_send_nothing_and_name_the_setting(csv_file, settings):
    cluster = Cluster.reach(settings)
    before = len(read_all(cluster, "logins"))
    path = csv_file(HEADER + "c1,login,2024-01-01T00:00:00Z,1\nc1,email_send,2024-01-01T00:00:00Z,\n")
    with pytest.raises(ProduceError, match="YOCHO_EMAIL_SENDS_TOPIC"):
        replay(path, cluster, settings)
    assert len(read_all(cluster, "logins")) == before


def test_an_empty_file_is_an_error(csv_file, settings):
    with pytest.raises(EventLogError, match="no events"):
        replay(csv_file(HEADER), Cluster.reach(settings), settings)


def test_a_limit_takes_the_beginning_and_a_bad_row_behind_it_does_not_matter(csv_file, settings):
    path = csv_file(HEADER + ROWS + "c1,teleport,2024-01-01T00:00:00Z,1\n")
    report = replay(path, Cluster.reach(settings), settings, limit=2)
    assert report.sent == {"orders": 1, "logins": 1}


def test_a_speed_waits_as_long_as_the_events_were_apart(csv_file, settings):
    waits = []
    path = csv_file(HEADER + "".join(f"c1,login,2024-01-0{day}T00:00:00Z,\n" for day in (1, 2, 4)))
    replay(path, Cluster.reach(settings), settings, speed=864.0, sleep=waits.append)
    assert [round(wait) for wait in waits] == [100, 300]  # nobody slept, so the second wait is from the beginning


def test_a_topic_with_another_partition_count_is_refused_before_a_record_is_sent(csv_file, broker):
    settings = Settings(partitions=5, brokers=(broker.bootstrap,))
    with pytest.raises(ProduceError, match="has 3 partitions, YOCHO_PARTITIONS says 5"):
        replay(csv_file(HEADER + ROWS), Cluster.reach(settings), settings)
