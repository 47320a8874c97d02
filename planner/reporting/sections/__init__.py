"""The sections of the page, one file each; a section about a question has the question's name."""
