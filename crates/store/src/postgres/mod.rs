//! The shared store of several gateway nodes.
