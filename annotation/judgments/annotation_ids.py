"""The `source_id` of a judgment that Label Studio made: its server, its project, its number.

Every Label Studio counts projects, annotations and users from 1. So a number is one annotation's
only together with the server it comes from.
"""

from dataclasses import dataclass

PREFIX = "label-studio:"
PATTERN = (
    PREFIX + r"(?:(?P<server>[0-9a-f]{8}):)?(?:(?P<project>\d+)(?P<created>-[0-9a-f]{8})?:)?"
    r"(?P<annotation>.+)"
)
"""What a `source_id` tells. An annotation's own id may be any text in exports made by hand."""
USER_NUMBER = r"(?:user-)?\d+"  # an annotator whose address is not told


@dataclass(frozen=True)
class AnnotationId:
    """What a `source_id` tells.

    Attributes
    ----------
    annotation : the id of the annotation
    project : the number of its project, or its key, which begins with the number; None if not told
    server : the key of its Label Studio; None where it is not told, as in exports
    """

    annotation: int | str
    project: str | None = None
    server: str | None = None

    def __str__(self) -> str:
        parts = (self.server, self.project, str(self.annotation))
        return PREFIX + ":".join(part for part in parts if part)


def annotation_source_id(project: object, annotation: int | str) -> str:
    """The `source_id` of an annotation in an export, with its project's number where it is told."""
    is_told = isinstance(project, int) and not isinstance(project, bool)
    return str(AnnotationId(annotation, str(project) if is_told else None))
