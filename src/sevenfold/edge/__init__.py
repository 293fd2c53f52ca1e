"""What both edges share, the command line and the pages: a trial's keys, and what its vault has to know."""
