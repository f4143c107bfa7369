//! The stack as a process: starting, ending, being killed, being two.
