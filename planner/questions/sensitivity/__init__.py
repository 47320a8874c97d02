"""Studies: how cost, dependence and decisions answer to other numbers.

``study_file``   a study as it is written in a file, checked
``changes``      what is varied, and the instance with it
``metrics``      what is measured of a plan
``trials``       samples solved in parallel, and kept
``result``       tornado, flips, indices, and their words
``sensitivity``  all together: ``planner.sensitivity``
``chart``        the tornado as a page
"""
