"""What only maintainers run; not part of the wheel."""
