"""The plan that is best over many outcomes of its projects: a two-stage stochastic programme, solved on a sample.

The first stage are closures and what starts before the news, the second what each outcome starts later, and its
operations (sample average approximation).

``sample``     capacity and cost of all modules that could be started, in each outcome of a sample; who decides on them
``master``     the master problem: builds against cuts of the operations (the L-shaped method)
``search``     master and operations in turn, until the best plan for a sample is known to a gap
``verdict``    how far a plan is from the best over all outcomes, with confidence intervals
``insurance``  what each project that is built for safety is worth
``result``     the result as tables, text and folder
``hedge``      the call
"""
