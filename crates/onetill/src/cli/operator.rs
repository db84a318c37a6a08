//! Who gives an order: named, or who is logged in.

use clap::Args;

/// Who gives an order, for the record.
#[derive(Args, Clone)]
pub struct OperatorArgs {
    /// Who does it, for the record [default: $USER]
    #[arg(long, value_name = "NAME", global = true)]
    by: Option<String>,
}

impl OperatorArgs {
    /// The name for the record.
    #[must_use]
    pub fn name(&self) -> String {
        named(self.by.clone())
    }
}

/// `by`, or who is logged in.
#[must_use]
pub fn named(by: Option<String>) -> String {
    let user = || std::env::var("USER").ok().filter(|it| !it.is_empty());
    by.or_else(user).unwrap_or_else(|| "operator".to_owned())
}
