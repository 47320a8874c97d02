"""The explorer: a local page that answers while a limit, a price or a project is changed.

``server`` is what the browser talks to, ``workers`` the processes that solve, ``answers`` what they say, ``controls``
what the page lets a reader change, in the language of what-ifs. The page draws with the code of the report.
"""
