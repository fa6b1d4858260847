"""What processes use, as Linux accounts it. Source: man 5 proc."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def tree_of(pid: int) -> list[int]:
    """Return a process and all that came from it."""
    children: dict[int, list[int]] = {}
    for path in _PROC.glob("[0-9]*"):
        if stat := _stat(int(path.name)):
            children.setdefault(int(stat[1]), []).append(int(path.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def cpu_s(pid: int) -> float:
    """Return the processor seconds that a process and all that came from it have used."""
    used = 0
    for one in tree_of(pid):
        if stat := _stat(one):
            used += sum(int(ticks) for ticks in stat[11:15])
    return used / _TICKS


def peak_mb(pid: int) -> float:
    """Return the most memory that a process and those it has left have had, in MiB."""
    total_kb = 0
    for one in tree_of(pid):
        try:
            status = Path(_PROC, str(one), "status").read_text(encoding="utf-8")
        except OSError:
            continue
        total_kb += next(
            (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0
        )
    return total_kb / 1024


def _stat(pid: int) -> list[str] | None:
    """Return the fields after the process's name, None for a process that is gone."""
    try:
        text = Path(_PROC, str(pid), "stat").read_text(encoding="utf-8")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
