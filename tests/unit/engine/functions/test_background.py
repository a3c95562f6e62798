import asyncio

from understudy.engine.functions.background import Background


async def test_settles_when_everything_started_meanwhile_is_done() -> None:
    background, done = Background(), []

    async def work(depth: int) -> None:
        await asyncio.sleep(0)
        if depth:
            background.spawn(work(depth - 1))
        done.append(depth)

    background.spawn(work(3))
    await background.settle()
    assert done == [3, 2, 1, 0]


async def test_a_failure_does_not_keep_others_from_settling() -> None:
    background = Background()

    async def fail() -> None:
        raise ValueError("no")

    task = background.spawn(fail())
    await background.settle()
    assert isinstance(task.exception(), ValueError)
