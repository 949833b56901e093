"""Ask more people about tasks that are there already."""

from collections.abc import Mapping

from annotation.label_studio.server import LabelStudioServer


def ask_more(server: LabelStudioServer, project_id: int, wanted: Mapping[str, int]) -> int:
    """Have tasks ask for as many people as is wanted; how many did not before.

    Whoever has answered a task is not asked about it once more. A task that asks for as many, or
    for more, is left as it is, so that asking twice does nothing.

    Parameters
    ----------
    server
        Where the project is.
    project_id
        The project.
    wanted
        Item -> how many people should answer it in all, earlier ones included.

    Raises
    ------
    InputError
        If the server refuses.
    ServerUnavailableError
        If it does not answer for long; asking again goes on from there.
    """
    if not wanted:
        return 0
    asked = 0
    for page in server.task_pages(project_id, annotations=False):
        for task in page:
            people = wanted.get(task.item_id or "", 0)
            if people > (task.overlap or 0):
                server.set_overlap(task.id, people)
                asked += 1
    return asked
