"""Disruptions tried on a plan, one by one: what stops, who is short, how long each consumer is served.

``cases``    the disruptions to try, as rows of disruptions.csv
``planned``  what the plan itself does: the course that is disturbed
``branch``   operations after a blow, with the builds and stocks of the plan
``trial``    one case: solved, measured and audited
``kept``     finished cases, from which a stopped study goes on
``workers``  processes, or a Dask cluster
``results``  tables and words
``study``    all together: ``planner.stress``
"""
