"""Other people's formats, read as they are: every cell is text until a mapping says what it means."""
