"""How long `labelmix --help` takes, against an interpreter that starts and ends.

No peer does the same work: the bare interpreter is the floor below which no command can get.
"""

import subprocess
import sys
from pathlib import Path

from _machine import interleaved_medians, write_result

COMMANDS = {
    "labelmix --help": "from budget.commands.app import main; main()",
    "python -c pass": "pass",
}


def start(code: str) -> str:
    """Run `code` with --help in a new interpreter, in the repository."""
    command = [sys.executable, "-c", code, "--help"]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


def main() -> None:
    """Time both and print the medians."""
    assert "labelmix" in start(COMMANDS["labelmix --help"])
    contestants = {name: lambda c=code: start(c) for name, code in COMMANDS.items()}
    timings = interleaved_medians(contestants, repetitions=15)
    for name, timing in timings.items():
        print(f"{name:18s} {timing['median']:.3f} s")
    write_result("command_start", {"timings": timings})


if __name__ == "__main__":
    main()
