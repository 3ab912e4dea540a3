"""What processes of ours that start others have in common."""

from __future__ import annotations

import ctypes
import signal
import sys

_kernel = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def die_with_the_parent() -> None:
    """To be called in a new process: one that is killed outright can stop nobody, so that on Linux the kernel asks
    its children to stop (prctl(2), PR_SET_PDEATHSIG)."""
    if _kernel is not None:
        _kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
