"""The figures. `catalogue` lists them; each kind of figure has a module that collects and draws it.

`collect` gathers the numbers that a figure shows, as `content.FigureContent`, which is saved as the figure's
JSON file; `draw` makes the figure from this content alone.
"""
