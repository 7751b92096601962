"""Another program's window: it has the keyboard, and says what it is given."""

from __future__ import annotations

import sys

from Xlib import X, display


def main() -> None:
    """Open a window, take the focus, print "focus" and then every key code that is pressed in it."""
    connection = display.Display()
    screen = connection.screen()
    window = screen.root.create_window(0, 0, 200, 100, 0, screen.root_depth, event_mask=X.KeyPressMask | X.ExposureMask)
    window.map()
    while connection.next_event().type != X.Expose:
        pass
    window.set_input_focus(X.RevertToParent, X.CurrentTime)
    connection.sync()
    say("focus")
    while True:
        event = connection.next_event()
        if event.type == X.KeyPress:
            say(f"key {event.detail}")


def say(line: str) -> None:
    """Tell the test at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
