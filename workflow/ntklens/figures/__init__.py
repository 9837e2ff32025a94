"""The paper's figures. Each module first collects the numbers that a figure shows, then draws them.

What is collected is the figure's JSON file: panels in reading order, each with its series (x, y and, where
there is one, the band from low to high), the fits, and where it all came from. Drawing reads
nothing else.
"""
