"""The roadmap: what is signed now, what is decided when one knows more, and what waiting and knowing are worth.

``events``   what can happen: the instance's own scenarios, and projects that fail or come late
``tree``     the events, by the date of their news, as a small tree of scenarios
``worths``   the same instance with less freedom (one plan for all courses), or with more (knowing beforehand)
``roadmap``  the call, and ``result`` what it returns
"""
