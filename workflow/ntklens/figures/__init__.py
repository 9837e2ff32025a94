"""The figures: `catalogue` says which there are, and every other module draws one kind, or helps to.

A kind first collects the numbers that a figure shows, then draws them. What is collected is the figure's
JSON file: panels in reading order, each with its series (x, y and, where there is one, the band from low to
high; null where a number is not defined), the fits, and where it all came from. Drawing reads nothing else.
"""
