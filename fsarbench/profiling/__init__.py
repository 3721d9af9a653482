"""What any assembly costs: parameters, operations, memory, time. No data and no weights needed."""
