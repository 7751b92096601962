"""How the bundled generators are trained; nothing at run time imports this package."""
