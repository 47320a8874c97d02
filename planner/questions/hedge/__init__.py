"""The plan that is best against many outcomes of its projects, by a sample of them.

``sample``    outcomes of all modules that could be started: capacity and cost
``master``    builds against cuts of the operations (the L-shaped method)
``search``    master and operations in turn, until the plan is known to be best to a gap
``verdict``   how far from the best plan of all outcomes, and against the plan that trusts in delivery
``insurance`` what each project that is built for safety is worth
``results``   everything as tables, text and folder
``study``     the call
"""
