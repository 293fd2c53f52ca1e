"""Running a trial: what may happen next, a visit, a rehearsal, and the virtual ICU that answers in one."""
