import threading

from annotation.label_studio.deliveries import Deliveries, Taken


def test_all_is_taken_once_in_order() -> None:
    deliveries = Deliveries()
    assert not deliveries.wait(0)
    assert all(deliveries.put(body) for body in (b"one", b"two", b""))
    assert deliveries.wait(0)
    assert deliveries.take() == Taken((b"one", b"two", b""), True)
    assert deliveries.take() == Taken((), True)
    assert not deliveries.wait(0)


def test_what_has_no_room_is_refused_and_told_once() -> None:
    deliveries = Deliveries(most_bytes=1000)
    kept = [deliveries.put(b"x" * 100) for _ in range(5)]
    assert kept == [True, True, True, False, False]
    assert deliveries.take() == Taken((b"x" * 100,) * 3, False)
    assert deliveries.put(b"x" * 100)  # there is room again
    assert deliveries.take().is_all


def test_one_too_large_to_be_read_wakes_and_is_told() -> None:
    deliveries = Deliveries()
    assert not deliveries.put(None)
    assert deliveries.wait(0)
    assert deliveries.take() == Taken((), False)


def test_many_threads_lose_nothing() -> None:
    deliveries = Deliveries()
    taken: list[bytes] = []

    def put(name: int) -> None:
        for number in range(500):
            assert deliveries.put(f"{name} {number}".encode())

    threads = [threading.Thread(target=put, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    while len(taken) < 4000 and deliveries.wait(10):
        taken += deliveries.take().bodies
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(f"{a} {b}".encode() for a in range(8) for b in range(500))
