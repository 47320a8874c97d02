"""Studies: how cost, dependence and decisions answer to other numbers.

``study``    a study as it is written in a file, checked
``changes``  what is varied, and the instance with it
``metrics``  what is measured of a plan
``trials``   samples solved in parallel, and kept
``results``  ``planner.sensitivity``: tornado, flips, indices
``chart``    the tornado as a page
"""
