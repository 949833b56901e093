"""The annotators of a benchmark, and what Label Studio posts when they answer.

As a script it posts: `_webhook_deliveries.py PORT FIRST LAST` sends the deliveries of these
judgments at their rate and prints, as JSON, the seconds and the status of every one.
"""

import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

RATE = 500  # deliveries a second
PEOPLE, PER_ITEM = 50, 5
EDITED, DOUBLED = 20, 50  # one in so many
WINDOW = 40  # places by which deliveries overtake each other
SENDERS = 32  # threads
SECRET_HEADER, SECRET = "X-Labelmix-Secret", "a secret of a benchmark"
PROJECT = 7
CONFIG = (
    '<View><Text name="question" value="$question" /><Choices name="answer" toName="question" '
    'required="true" choice="single" value="$options" /></View>'
)
CHOICES = ("odd", "even")


def item_of(judgment: int) -> int:
    return judgment // PER_ITEM


def person_of(judgment: int) -> int:
    return (item_of(judgment) * 7 + judgment) % PEOPLE


def label_of(judgment: int, edited: bool) -> str:
    errs = (judgment * 2_654_435_761) % 10 == 0
    return CHOICES[(item_of(judgment) + errs + edited) % 2]


def seconds_of(judgment: int, edited: bool) -> int:
    return 1 + judgment % 100 + edited


def is_edited(judgment: int) -> bool:
    return judgment % EDITED == 3


def delivery(judgment: int, edited: bool) -> bytes:
    """What is posted when a judgment is made, or was edited; 3 KB."""
    at = _START + timedelta(seconds=judgment)
    made, changed = (f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z" for moment in (at, at + _LATER * edited))
    item = item_of(judgment)
    answer = {"from_name": "answer", "to_name": "question", "type": "choices"}
    annotation = {
        "id": judgment + 1,
        "result": [{**answer, "value": {"choices": [label_of(judgment, edited)]}}],
        "lead_time": float(seconds_of(judgment, edited)),
        "created_at": made,
        "updated_at": changed,
        "unique_id": f"54237749-65f2-4865-a899-{judgment:012d}",
        "task": item + 1,
        "completed_by": person_of(judgment) + 1,
        "updated_by": person_of(judgment) + 1,
        **_ANNOTATION,
    }
    task = {
        "id": item + 1,
        "data": {
            "item_id": f"item-{item}",
            "stratum": stratum_of(item),
            "question": question(item),
            "options": [{"value": text, "alias": text} for text in CHOICES],
        },
        "created_at": made,
        "updated_at": changed,
        "inner_id": item + 1,
        **_TASK,
    }
    action = "ANNOTATION_UPDATED" if edited else "ANNOTATION_CREATED"
    body = {"action": action, "annotation": annotation, "project": _PROJECT, "task": task}
    return json.dumps(body).encode()


_START, _LATER = datetime(2026, 3, 1, 8, 0, 0, 123_456, UTC), timedelta(seconds=30)
_ANNOTATION: dict[str, Any] = {
    **{"was_cancelled": False, "ground_truth": False, "draft_created_at": None, "prediction": {}},
    **{"result_count": 1, "import_id": None, "last_action": None, "bulk_created": False},
    **{"project": PROJECT, "parent_prediction": None, "parent_annotation": None},
    "last_created_by": None,
}
_TASK: dict[str, Any] = {
    **{"meta": {}, "is_labeled": False, "allow_skip": True, "overlap": PER_ITEM},
    **{"total_annotations": 1, "cancelled_annotations": 0, "total_predictions": 0},
    **{"precomputed_agreement": None, "comment_count": 0, "unresolved_comment_count": 0},
    **{"last_comment_updated_at": None, "project": PROJECT, "updated_by": 1, "file_upload": None},
    "comment_authors": [],
}
_PROJECT: dict[str, Any] = {
    **{"id": PROJECT, "task_number": 20_000, "finished_task_number": 0, "title": "crowd (5x)"},
    **{"total_predictions_number": 0, "total_annotations_number": 1, "ground_truth_number": 0},
    **{"num_tasks_with_annotations": 1, "useful_annotation_number": 1, "description": "x" * 100},
    **{"skipped_annotations_number": 0, "label_config": CONFIG, "label_config_hash": 1182760913510},
    "parsed_label_config": {
        "answer": {
            **{"type": "Choices", "to_name": ["question"], "dynamic_labels": True, "labels": []},
            "inputs": [{"type": "Text", "valueType": None, "value": "question"}],
            "labels_attrs": {},
        }
    },
    **{"expert_instruction": "", "show_instruction": False, "show_skip_button": True},
    **{"enable_empty_annotation": True, "reveal_preannotations_interactively": False},
    **{"show_annotation_history": False, "show_collab_predictions": True, "color": "#FFFFFF"},
    **{"evaluate_predictions_automatically": False, "token": "d" * 40, "result_count": 0},
    **{"maximum_annotations": PER_ITEM, "min_annotations_to_start_training": 0},
    "control_weights": {"answer": {"overall": 1.0, "type": "Choices", "labels": {}}},
    **{"model_version": "", "data_types": {"question": "Text", "options": "Choices"}},
    **{"is_draft": False, "is_published": False, "created_at": "2026-03-01T07:00:00.808950Z"},
    **{"updated_at": "2026-03-01T07:00:00.808976Z", "sampling": "Sequential sampling"},
    **{"skip_queue": "REQUEUE_FOR_OTHERS", "show_ground_truth_first": False, "pinned_at": None},
    **{"annotator_evaluation_enabled": False, "show_overlap_first": False, "deleted_at": None},
    **{"overlap_cohort_percentage": 100, "task_data_login": None, "task_data_password": None},
    **{"custom_task_lock_ttl": None, "purge_at": None, "search_vector": None, "organization": 1},
    **{"created_by": 1, "deleted_by": None},
}


def deliveries_of(first: int, last: int) -> Iterator[bytes]:
    """Everything that is posted of these judgments: some edited, some sent twice, out of order."""
    sent = [(judgment, False) for judgment in range(first, last)]
    sent += [(judgment, True) for judgment in range(first, last) if is_edited(judgment)]
    sent += sent[::DOUBLED]
    rng = np.random.default_rng(first)
    place = np.array([judgment for judgment, _ in sent]) + rng.uniform(0, WINDOW, len(sent))
    for at in np.argsort(place):
        yield delivery(*sent[at])


def count_of(deliveries: int) -> int:
    """The most judgments of which no more than so many deliveries are made."""
    per_judgment = (1 + 1 / EDITED) * (1 + 1 / DOUBLED)
    return int(deliveries / per_judgment) - 1


def stratum_of(item: int) -> str:
    return "hard" if item % 4 >= 2 else "easy"


def question(item: int) -> str:
    rng = np.random.default_rng(item)
    return " ".join(f"word{number}" for number in rng.integers(0, 5_000, 12))


def send(port: int, first: int, last: int) -> dict[str, Any]:
    """Post all deliveries at their rate, one connection each; seconds and status of every one."""
    bodies = list(deliveries_of(first, last))
    numbers, lock = iter(range(len(bodies))), threading.Lock()
    seconds = np.full(len(bodies), np.nan)
    statuses = np.zeros(len(bodies), dtype=int)
    headers = {SECRET_HEADER: SECRET, "Content-Type": "application/json"}
    began = time.perf_counter() + 0.5

    def work() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            started = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request("POST", "/", bodies[number], headers)
                statuses[number] = connection.getresponse().status
            except OSError:
                statuses[number] = -1
            finally:
                connection.close()
            seconds[number] = time.perf_counter() - started

    threads = [threading.Thread(target=work) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    return {"seconds": seconds.tolist(), "statuses": statuses.tolist(), "took": took}


if __name__ == "__main__":
    print(json.dumps(send(*map(int, sys.argv[1:]))))
