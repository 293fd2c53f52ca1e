"""One patient's biology as a page, and the machinery that makes a kernel, a Jacobian and equations from it."""
