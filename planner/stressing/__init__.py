"""Disruptions tried on a plan, one by one: what stops, who is short, how long each consumer is served.

``cases``    the disruptions to try
``branch``   operations after a blow, with the builds and stocks of the plan
``trial``    one case: solved, measured and audited
``study``    all cases, in parallel and resumable: ``planner.stress``
"""
