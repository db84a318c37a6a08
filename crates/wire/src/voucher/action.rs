//! The actions and their paths.

/// What comes before an action's name in a path, after the configured prefix.
const API: &str = "/ebuyweb-posp/api/";
/// The same for [`Action::ActiveByPartNo`], which has a path of its own.
const B2B: &str = "/b2b/code/";

/// Why a path leads to no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Not of this dialect.
    #[error("the path is neither {API}ACTION nor {B2B}activeByPartNo")]
    Foreign,
    /// Of this dialect, and no action of it.
    #[error("the path names no action")]
    UnknownAction,
}

/// Makes the enum of actions with their names.
macro_rules! actions {
    ($( $(#[$meta:meta])* $variant:ident = $name:literal; )+) => {
        /// An action.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $( $(#[$meta])* $variant, )+
        }

        impl Action {
            /// Every action, in the sources' order, those without a name there after them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, the last segment of the path.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The action of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

actions! {
    /// Activates codes.
    ActiveVoucher = "activeVoucher";
    /// What became of an activation.
    ActiveResultQuery = "activeResultQuery";
    /// Voids codes.
    DelVoucher = "delVoucher";
    /// Codes with their state.
    QueryVerifyInfo = "queryVerifyInfo";
    /// Activates reels and what holds them.
    ReelActiveVoucher = "reelActiveVoucher";
    /// Voids reels and what holds them.
    ReelDelVoucher = "reelDelVoucher";
    /// Codes with their state; the sources show its reply and name no action.
    QueryVoucher = "queryVoucher";
    /// A code's history; the sources show its reply and name no action.
    QueryCodeTrace = "queryCodeTrace";
    /// Activates a segment of card numbers; the only action that is signed.
    ActiveByPartNo = "activeByPartNo";
}

/// A kind of change that a partner's `traceNo` names once for ever. The samples use one number
/// for an activation and for a void, so each kind has numbers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// activeVoucher and reelActiveVoucher.
    Activation,
    /// delVoucher and reelDelVoucher.
    Void,
}

impl Action {
    /// Reads a path from which the configured prefix was taken away.
    ///
    /// # Errors
    ///
    /// [`PathError`], which tells a foreign path and an unknown action apart.
    pub fn parse_path(path: &str) -> Result<Self, PathError> {
        let name = path.strip_prefix(API).or_else(|| path.strip_prefix(B2B));
        let action = Self::from_name(name.ok_or(PathError::Foreign)?);
        let is_at_home = |action: &Self| path.starts_with(action.folder());
        action.filter(is_at_home).ok_or(PathError::UnknownAction)
    }

    /// The path that a client asks, after the configured prefix.
    pub fn path(self) -> String {
        format!("{}{}", self.folder(), self.name())
    }

    /// What its `traceNo` names once for ever; `None` when it is answered afresh each time, or
    /// has no `traceNo`.
    pub const fn change(self) -> Option<Change> {
        match self {
            Self::ActiveVoucher | Self::ReelActiveVoucher => Some(Change::Activation),
            Self::DelVoucher | Self::ReelDelVoucher => Some(Change::Void),
            Self::ActiveResultQuery
            | Self::QueryVerifyInfo
            | Self::QueryVoucher
            | Self::QueryCodeTrace
            | Self::ActiveByPartNo => None,
        }
    }

    const fn folder(self) -> &'static str {
        match self {
            Self::ActiveVoucher
            | Self::ActiveResultQuery
            | Self::DelVoucher
            | Self::QueryVerifyInfo
            | Self::ReelActiveVoucher
            | Self::ReelDelVoucher
            | Self::QueryVoucher
            | Self::QueryCodeTrace => API,
            Self::ActiveByPartNo => B2B,
        }
    }
}
