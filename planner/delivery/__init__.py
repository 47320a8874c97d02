"""What becomes of a plan when projects come late, dear, small or never.

``draws``       outcomes of projects, drawn evenly and the same for every plan
``operations``  the operations of a plan, re-solved for other capacities
``evaluation``  cost, shortage and dependence of a plan over many outcomes
"""
