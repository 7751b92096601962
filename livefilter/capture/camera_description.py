"""What is known of a camera before it is opened."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CameraDescription:
    """One camera.

    index: its number in OpenCV's backend; it may change when cameras are plugged in.
    path: the system's own name for the device; None where the system gives none.
    backend: OpenCV's number of the backend in which `index` counts.
    virtual: it is software, perhaps our own output, so it is never chosen automatically.
    bus: the socket that it is plugged into, as Linux names it (usb-0000:00:14.0-6); None elsewhere.
    """

    index: int
    name: str
    path: str | None
    backend: int
    virtual: bool = False
    bus: str | None = None

    def __str__(self) -> str:
        by_number = f"camera {self.index}"
        return by_number if self.name == by_number else f"{by_number} ({self.name})"
