"""What becomes of a plan when projects come late, dear, small or never.

``draws``       outcomes of projects, drawn evenly and the same for every plan
``operations``  the operations of a plan, re-solved for other capacities
``delivered``   the builds of a plan, and what becomes of the plan with other luck
``evaluation``  cost, shortage and dependence of a plan over many outcomes
``failures``    the same when a project, or all of an owner, never comes
"""
