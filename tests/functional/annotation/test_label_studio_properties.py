"""Whatever annotators do and wherever a pull is cut short, pulling ends at the truth."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.label_studio.labelling_config import labelling_config
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.project import ProjectSettings
from annotation.label_studio.pull import MARGIN, judgment_table, pull
from annotation.label_studio.push import push
from annotation.label_studio.retries import ServerUnavailableError
from annotation.label_studio.state import IN_MEMORY, PilotState
from tests.unit.annotation.label_studio.conftest import FakeServer

CHOICES = ("yes", "no", None)
ACTIONS = ("answer", "answer", "edit", "erase", "delete task", "new task", "pull", "broken pull")
step = st.tuples(
    st.sampled_from(ACTIONS),
    st.integers(0, 10**6),  # which task, annotation or page
    st.sampled_from(CHOICES),
    st.sampled_from([0, 1, 3600]),  # seconds that pass before
)


def task(number: int) -> PilotTask:
    return PilotTask(f"item-{number}", "easy", "?", ("yes", "no"), None)


def act(fake: FakeServer, action: str, which: int, choice: str | None) -> None:
    tasks = sorted(fake.tasks)
    given_ = [(number, a.id) for number in tasks for a in fake.tasks[number].annotations]
    if action == "new task":
        fake.add_task(task(1000 + fake.next_id).data)
    elif action == "answer" and tasks:
        fake.annotate(tasks[which % len(tasks)], choice, user=1 + which % 3)
    elif action == "edit" and given_:
        fake.edit(*given_[which % len(given_)], choice)
    elif action == "erase" and given_:
        fake.erase(*given_[which % len(given_)])
    elif action == "delete task" and tasks:
        del fake.tasks[tasks[which % len(tasks)]]


def truth(fake: FakeServer) -> dict[int, str | None]:
    return {
        a.id: a.result[0]["value"]["choices"][0] if a.result else None
        for each in fake.tasks.values()
        for a in each.annotations
    }


def pulled(state: PilotState) -> dict[int, str | None]:
    table = judgment_table(state)
    assert table["source_id"].is_unique
    ids = table["source_id"].str.rsplit(":", n=1).str[-1].astype(int)
    return dict(zip(ids, table["label"], strict=True))


@settings(max_examples=100)
@given(st.lists(step, max_size=25), st.lists(step, max_size=6))
def test_pulls_end_at_the_truth(
    steps: list[tuple[str, int, str | None, int]], during: list[tuple[str, int, str | None, int]]
) -> None:
    fake = FakeServer()
    meanwhile = list(during)
    broken: list[int] = []

    def before_page(after_id: int) -> None:
        """Things happen while pages are read, and reading may break off."""
        if meanwhile:
            action, which, choice, seconds = meanwhile.pop()
            fake.now += timedelta(seconds=seconds)
            act(fake, action, which, choice)
        if broken and broken.pop():
            raise ServerUnavailableError("away")

    with PilotState(IN_MEMORY) as state:
        project = ProjectSettings("Pilot", labelling_config("choices"))
        push(fake.as_server(), state, [task(n) for n in range(7)], project)
        fake.before_page = before_page
        for action, which, choice, seconds in steps:
            fake.now += timedelta(seconds=seconds)
            if action == "broken pull":
                broken[:] = [1, *[0] * (which % 3)]
            if action in ("pull", "broken pull"):
                try:
                    pull(fake.as_server(), state)
                except ServerUnavailableError:
                    assert action == "broken pull"
                broken.clear()
            else:
                act(fake, action, which, choice)
        meanwhile.clear()
        pull(fake.as_server(), state)
        assert pulled(state) == truth(fake)
        assert pull(fake.as_server(), state).changed == 0
        fake.now += 2 * MARGIN
        assert pull(fake.as_server(), state).changed == 0
