"""What happens to a plan when its projects come late, at higher cost, smaller than planned or never.

An *outcome* says for every project what becomes of it. The builds of the plan are held, and its operations are
re-solved for the capacities of the outcome (the recourse of stochastic programming).

``draws``          outcomes, drawn quasi-randomly and the same for every plan
``modules``        capacity and cost of one module in an outcome
``recourse``       the operations as linear programmes that are solved for given capacities
``operations``     the operations of an instance, with promises that can be broken
``delivered``      the builds of a plan, and its result in an outcome
``delivery_risk``  cost, shortage and dependence of a plan over many outcomes
``failures``       the same when a project, or all projects of an owner, never come
"""
