"""Whose project it is: a pilot's own mark in the project's description.

A title is no identity: two people may choose the same. The mark is random and kept in the pilot's
folder, where the answers of its gold questions are, so that no other folder takes the project for
its own.
"""

import re
import uuid

from annotation.label_studio.records import ProjectRecord
from annotation.label_studio.state import PilotState

_MARK = re.compile(r"labelmix pilot ([0-9a-f]{32})\b")


def pilot_identity(state: PilotState) -> str:
    """The pilot's identity, 32 hexadecimal digits; it is made and kept where there is none."""
    known = state.about("pilot_identity")
    if known is not None:
        return known
    made = uuid.uuid4().hex
    with state.transaction():
        state.remember(pilot_identity=made)
    return made


def identity_of(project: ProjectRecord) -> str | None:
    """The identity of the pilot that a project belongs to; None if it has no mark."""
    found = _MARK.search(project.description or "")
    return found[1] if found else None


def marked(description: str | None, identity: str) -> str:
    """A project's description with the mark; it takes the place of another pilot's."""
    mark = f"labelmix pilot {identity}"
    text = (description or "").strip()
    if _MARK.search(text):
        return _MARK.sub(mark, text)
    line = f"Keep this line, by which labelmix knows the project: {mark}"
    return f"{text}\n{line}" if text else line
