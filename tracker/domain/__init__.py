"""What is true of tasks and people, whoever asks and wherever they are kept. Imports the standard library alone."""
