"""deploy/UPGRADE.md names the versions that the code has."""

from models import learning_state, snapshot
from models.state import ROW_VERSION
from streams import alerts, label_record, outcomes
from streams.engine.changelog import OWN_VERSION
from streams.engine.engine import EXIT_FATAL, EXIT_NEWER
from streams.reasons import Reason
from tests.documents import Document

UPGRADE = Document.read("deploy/UPGRADE.md")


def test_the_table_names_the_versions_that_the_code_writes_and_reads():
    rows = {row[0]: (row[1], row[3]) for row in UPGRADE.with_rows("customer's row").rows}
    assert rows == {
        "customer's row": (str(ROW_VERSION), f"1 to {ROW_VERSION}"),
        "partition's own record": (str(OWN_VERSION), str(OWN_VERSION)),
        "model": (str(snapshot.FORMAT_VERSION), str(snapshot.FORMAT_VERSION)),
        "trainer's state": (str(learning_state.FORMAT_VERSION), str(learning_state.FORMAT_VERSION)),
        "label": (str(label_record.VERSION), str(label_record.VERSION)),
        "alert": (str(alerts.VERSION), str(alerts.VERSION)),
        "outcome": (str(outcomes.VERSION), str(outcomes.VERSION)),
        "event, command": ("1", "1"),
    }


def test_the_exit_codes_and_the_reason_are_those_of_the_code():
    assert f"**exit code {EXIT_NEWER}**" in UPGRADE.text
    assert f"Exit code {EXIT_FATAL} is" in UPGRADE.text
    assert f"`{Reason.UNKNOWN_VERSION}`" in UPGRADE.text
