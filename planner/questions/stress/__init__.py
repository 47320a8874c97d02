"""Disruptions tried on a plan, one by one: what stops, who is short, how long each consumer is served.

``cases``    the disruptions to try, as rows of disruptions.csv
``planned``  what the plan itself does: the course that is disturbed
``disrupted_operations``  operations after a shock, with the builds and stocks of the plan
``trial``    one case: solved, measured and audited
``result``   tables and words
``stress``   all together: ``planner.stress``
"""
