"""The contract of a journal's store: every case of every verb, composed."""

from __future__ import annotations

from actum.testing.contract.appending import AppendingCases
from actum.testing.contract.backwards import BackwardsCases
from actum.testing.contract.batches import BatchCases
from actum.testing.contract.conditions import ConditionCases, EnrolmentCases
from actum.testing.contract.decisions import DecisionCases, SnapshotCases
from actum.testing.contract.hostile import HostileCases, SizeCases
from actum.testing.contract.live import LiveCases
from actum.testing.contract.loading import LoadingCases
from actum.testing.contract.model import ModelCases
from actum.testing.contract.parallel import ThreadCases
from actum.testing.contract.restoring import RestoringCases
from actum.testing.contract.watching import ClosedCases, WatchingCases


class EventStoreContract(
    BackwardsCases,
    LiveCases,
    LoadingCases,
    AppendingCases,
    ConditionCases,
    EnrolmentCases,
    BatchCases,
    DecisionCases,
    SnapshotCases,
    RestoringCases,
    HostileCases,
    SizeCases,
    WatchingCases,
    ClosedCases,
    ThreadCases,
    ModelCases,
):
    """What every `JournalStore` promises, as tests. Subclass it and say how the store is opened:

    ```python
    class TestMyStore(DurableContract, SharedContract, EventStoreContract):
        def opener(self, folder: Path) -> Opener:
            return functools.partial(open_my_store, folder / "journal")
    ```

    `DurableContract` is for stores whose events outlive the process, `SharedContract` for stores that several processes
    may open at once; who leaves one out declares by it what the store does not promise. For readable failures call
    `pytest.register_assert_rewrite("actum.testing")` in `conftest.py`. Needs pytest and hypothesis.
    """
