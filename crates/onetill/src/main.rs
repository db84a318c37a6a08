//! Onetill.
fn main() {}
