"""One folder or file for each question a user may ask; its name is that of the command and of the call."""
