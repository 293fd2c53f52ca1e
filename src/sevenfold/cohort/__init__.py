"""What is analysed: frozen arrays with a reason for everything that is missing."""
