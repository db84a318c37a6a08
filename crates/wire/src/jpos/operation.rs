//! The operations, their paths, and the versions under which they are served.

/// The segment between the version and the function.
const JPOS: &str = "jpos";
/// Most bytes of a body.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Most bytes of the body of [`Operation::SettleDetails`], which holds a batch's journal.
const JOURNAL_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A major version of the protocol (source: "版本控制"). This is the table of versions: a server
/// keeps at most two of them side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `v1`.
    V1,
}

impl Version {
    /// Every version that is served, the oldest first.
    pub const ALL: [Self; 1] = [Self::V1];

    /// The first segment of a path.
    pub const fn segment(self) -> &'static str {
        match self {
            Self::V1 => "v1",
        }
    }
}

/// Why a path leads nowhere. All become [`Status::UnknownFunction`](super::Status); only
/// [`Self::UnknownFunction`] comes with HTTP 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Not of this dialect: the second segment is not `jpos`.
    #[error("the path is not /VERSION/jpos/...")]
    Foreign,
    /// No version of this name is served.
    #[error("the path names a version that is not served; v1 is")]
    UnknownVersion,
    /// The version is served, and has no such function.
    #[error("the path names no function of this version")]
    UnknownFunction,
}

/// Makes the enum of operations with the paths behind `/{version}/jpos/`.
macro_rules! operations {
    ($( $(#[$meta:meta])* $name:ident = $path:literal; )+) => {
        /// An operation (source: "接口列表").
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $( $(#[$meta])* $name, )+
        }

        impl Operation {
            /// Every operation, in the source's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The path after `/{version}/jpos/`; also the word for it in a journal.
            pub const fn function(self) -> &'static str {
                match self { $(Self::$name => $path),+ }
            }

            /// The operation of a path after `/{version}/jpos/`.
            pub fn from_function(function: &str) -> Option<Self> {
                match function {
                    $($path => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

operations! {
    /// Check-in: the batch and fresh working keys.
    Checkin = "terminal/checkin";
    /// A card's balances, vouchers and holder.
    Cards = "cards";
    /// A sale.
    Consume = "trans/consume";
    /// Undoes a sale whose reply was lost.
    ConsumeReversal = "trans/consumeReversal";
    /// Cancels (voids) a sale of the same batch.
    Cancel = "trans/cancel";
    /// Undoes a cancellation whose reply was lost.
    CancelReversal = "trans/cancelReversal";
    /// Takes a sale back at any later time.
    Refund = "refunds";
    /// Undoes a refund of the same batch.
    RefundCancel = "refunds/cancel";
    /// Undoes a refund whose reply was lost; the source names none.
    RefundReversal = "refunds/reversal";
    /// Undoes a refund's cancellation whose reply was lost; the source names none.
    RefundCancelReversal = "refunds/cancelReversal";
    /// A card's tickets.
    Tickets = "tickets";
    /// Redeems tickets.
    TicketConsume = "tickets/consume";
    /// Undoes a redemption whose reply was lost.
    TicketConsumeReversal = "tickets/consumeReversal";
    /// Sends a code to a mobile phone.
    SendVerifyCode = "mobile/sendVerifyCode";
    /// Binds a stocked card to its holder.
    CardActive = "card/active";
    /// Compares a batch's totals, and closes it when they are equal.
    Settle = "trans/settle";
    /// Takes the journal of a batch whose totals differ; the source asks for it and names no path.
    SettleDetails = "trans/settle/details";
}

impl Operation {
    /// Reads a path such as `/v1/jpos/trans/consume`.
    ///
    /// # Errors
    ///
    /// [`PathError`], which tells a foreign path, an unknown version and an unknown function apart.
    pub fn parse_path(path: &str) -> Result<(Version, Self), PathError> {
        let mut segments = path.strip_prefix('/').unwrap_or("").splitn(3, '/');
        let (version, jpos) = (segments.next(), segments.next());
        if jpos != Some(JPOS) {
            return Err(PathError::Foreign);
        }
        let known = Version::ALL
            .into_iter()
            .find(|known| Some(known.segment()) == version);
        let version = known.ok_or(PathError::UnknownVersion)?;
        let operation = Self::from_function(segments.next().unwrap_or(""));
        Ok((version, operation.ok_or(PathError::UnknownFunction)?))
    }

    /// The path that a client asks.
    pub fn path(self, version: Version) -> String {
        format!("/{}/{JPOS}/{}", version.segment(), self.function())
    }

    /// The operation that this one undoes; `None` unless it is a reversal.
    pub const fn reverses(self) -> Option<Self> {
        match self {
            Self::ConsumeReversal => Some(Self::Consume),
            Self::CancelReversal => Some(Self::Cancel),
            Self::RefundReversal => Some(Self::Refund),
            Self::RefundCancelReversal => Some(Self::RefundCancel),
            Self::TicketConsumeReversal => Some(Self::TicketConsume),
            Self::Checkin
            | Self::Cards
            | Self::Consume
            | Self::Cancel
            | Self::Refund
            | Self::RefundCancel
            | Self::Tickets
            | Self::TicketConsume
            | Self::SendVerifyCode
            | Self::CardActive
            | Self::Settle
            | Self::SettleDetails => None,
        }
    }

    /// The operation that undoes this one; `None` when nothing needs to be undone.
    pub fn reversal(self) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|other| other.reverses() == Some(self))
    }

    /// Whether a message of this kind is told from others by its trace number, and a repetition
    /// gets the stored reply. The others are answered afresh; reversals have rules of their own.
    pub const fn is_keyed(self) -> bool {
        match self {
            Self::Consume
            | Self::Cancel
            | Self::Refund
            | Self::RefundCancel
            | Self::TicketConsume
            | Self::CardActive
            | Self::Settle
            | Self::SettleDetails => true,
            Self::Checkin
            | Self::Cards
            | Self::ConsumeReversal
            | Self::CancelReversal
            | Self::RefundReversal
            | Self::RefundCancelReversal
            | Self::Tickets
            | Self::TicketConsumeReversal
            | Self::SendVerifyCode => false,
        }
    }

    /// Whether a terminal's journal holds messages of this kind.
    pub const fn is_journalled(self) -> bool {
        self.is_keyed() && !matches!(self, Self::Settle | Self::SettleDetails)
    }

    /// Most bytes of the body.
    pub const fn body_bytes_max(self) -> usize {
        if matches!(self, Self::SettleDetails) {
            JOURNAL_BYTES_MAX
        } else {
            BODY_BYTES_MAX
        }
    }
}
