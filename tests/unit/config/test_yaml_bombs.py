"""Documents made to exhaust a reader, read in a process with little time and memory."""

import subprocess
import sys

import pytest

from waystation.config.yaml_reader import HAS_LIBYAML

BOMBS = """\
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (400 * 2**20, 400 * 2**20))
resource.setrlimit(resource.RLIMIT_CPU, (8, 8))
import time
from waystation.config.yaml_reader import YamlError, read_yaml

def laughs(opening, closing):
    lines = ["a0: &a0 [x, x]"]
    for n in range(1, 60):
        lines.append(f"a{n}: &a{n} " + opening + ", ".join([f"*a{n - 1}"] * 10) + closing)
    return "\\n".join(lines)

merges = "\\n".join(["m0: &m0 {a: 1, b: 2}"] + [
    f"m{n}: &m{n} {{<<: [" + ", ".join([f"*m{n - 1}"] * 10) + f"], k{n}: 1}}" for n in range(1, 60)
])
bombs = {
    "laughs": laughs("[", "]"),
    "merges": merges,
    "wide merge": "<<: [" + ", ".join(f"{{k{n}: 1}}" for n in range(19000)) + "]",
    "deep list": "[" * 200_000,
    "deep mapping": "{a: " * 60_000,
    "deep block": "- " * 100_000,
    "long keys": "? " * 100_000,
    "digits": "[" + "9" * 250_000 + "]",
    "anchors": "\\n".join(f"- &a{n}" for n in range(25_000)),
    "doubts": "\\n".join(["- no"] * 50_000),
    "quotes": "'" * 250_000,
    "comments": "# x\\n" * 60_000 + "[",
    "blanks": "\\n" * 250_000 + "[",
}
for name, text in bombs.items():
    # The pure parser is some ten times slower: a part of each bomb shows that cost stays linear.
    for use_libyaml, size in ((True, 2**18), (False, 2**16)):
        started = time.process_time()
        try:
            read_yaml(text.encode()[:size], use_libyaml=use_libyaml)
        except YamlError:
            pass
        spent = time.process_time() - started
        if spent > 1:
            sys.exit(f"{name} took {spent:.1f} s with libyaml={use_libyaml}")
"""


@pytest.mark.skipif(not HAS_LIBYAML, reason="both parsers are measured")
def test_bombs_cost_little_time_and_memory():
    done = subprocess.run(
        [sys.executable, "-c", BOMBS],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
