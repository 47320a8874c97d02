"""Why an instance has no plan, and which edits of its rows would give it one."""
