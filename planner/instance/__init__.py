"""What is asked: the tables of an instance, read from a folder or workbook, checked whole, then frozen."""
