//! The status codes (source: appendix 1). No other code can be expressed.

/// Makes an enum of the appendix: its codes, its texts, and `ALL` in its order.
macro_rules! statuses {
    ($( $(#[$meta:meta])* $name:ident = $code:literal, $text:literal; )+) => {
        /// A status code of the appendix.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Status {
            $( #[doc = concat!("`", $code, "`: ")] $(#[$meta])* $name, )+
        }

        impl Status {
            /// Every status, in the appendix's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code on the wire.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The appendix's text, for the cashier.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The status with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    /// done.
    Approved = "00", "交易成功";
    /// ask the issuer.
    CallIssuer = "01", "请联系发卡行";
    /// ask the issuer, on a special condition.
    CallIssuerSpecial = "02", "请联系发卡行";
    /// no such store.
    UnknownStore = "03", "商户未登记";
    /// keep the card.
    KeepCard = "04", "没收卡, 请联系收单行";
    /// wrong verification code or identity.
    WrongIdentity = "05", "请联系发卡行";
    /// an error.
    IssuerError = "06", "请联系发卡行";
    /// keep the card, on a special condition.
    KeepCardSpecial = "07", "没收卡, 请联系收单行";
    /// in progress.
    InProgress = "09", "请重试";
    /// not allowed for this transaction.
    NotAllowed = "12", "请重试";
    /// an amount of zero, or none at all.
    BadAmount = "13", "交易金额超限 请重试";
    /// no such card.
    UnknownCard = "14", "无效卡号, 请联系发卡行";
    /// no such issuer.
    UnknownIssuer = "15", "此卡不能受理";
    /// enter it again.
    EnterAgain = "19", "请联系发卡行";
    /// an invalid answer.
    InvalidAnswer = "20", "请联系发卡行";
    /// the card is not active.
    CardNotActive = "21", "请联系发卡行";
    /// in conflict with what has happened.
    Conflict = "22", "操作有误, 请重试";
    /// an unacceptable fee.
    UnacceptableFee = "23", "请联系发卡行";
    /// the original is not there.
    OriginalMissing = "25", "请联系发卡行";
    /// a field is missing or bad.
    BadField = "30", "请重试";
    /// an issuer that is not supported.
    IssuerNotSupported = "31", "此卡不能受理";
    /// expired, keep the card.
    ExpiredKeepCard = "33", "过期卡, 请联系发卡行";
    /// suspected fraud, keep the card.
    FraudKeepCard = "34", "没收卡, 请联系收单行";
    /// keep the card and ask the acquirer.
    CallAcquirerKeepCard = "35", "没收卡, 请联系收单行";
    /// restricted, keep the card.
    RestrictedKeepCard = "36", "此卡有误, 请换卡重试";
    /// keep the card and ask the acquirer's security.
    CallSecurityKeepCard = "37", "没收卡, 请联系收单行";
    /// too many wrong PINs, keep the card.
    PinTriesKeepCard = "38", "密码错误次数超限";
    /// no credit account.
    NoCreditAccount = "39", "请联系发卡行";
    /// no such function.
    UnknownFunction = "40", "请联系发卡行";
    /// the card is lost or blocked.
    CardBlocked = "41", "没收卡, 请联系收单行";
    /// no universal account.
    NoUniversalAccount = "42", "请联系发卡方";
    /// the card is stolen.
    CardStolen = "43", "没收卡, 请联系收单行";
    /// no investment account.
    NoInvestmentAccount = "44", "请联系发卡行";
    /// too few points or tickets.
    TooLittle = "51", "余额不足, 请查询";
    /// no cheque account.
    NoChequeAccount = "52", "请联系发卡行";
    /// no savings account.
    NoSavingsAccount = "53", "请联系发卡行";
    /// the card has expired.
    CardExpired = "54", "过期卡, 请联系发卡行";
    /// a wrong PIN.
    WrongPin = "55", "密码错, 请重试";
    /// no record of the card.
    NoCardRecord = "56", "请联系发卡行";
    /// the card is restricted.
    CardRestricted = "57", "请联系发卡行";
    /// the terminal is blocked, or not admitted.
    TerminalBlocked = "58", "终端无效, 请联系收单行或银联";
    /// suspected fraud.
    Fraud = "59", "请联系发卡行";
    /// ask the acquirer.
    CallAcquirer = "60", "请联系发卡行";
    /// over the limit.
    OverLimit = "61", "金额太大";
    /// a restricted card.
    RestrictedCard = "62", "请联系发卡行";
    /// a violation of security.
    SecurityViolation = "63", "请联系发卡行";
    /// another amount than the original's.
    AmountDiffers = "64", "请联系发卡行";
    /// too many of them.
    TooMany = "65", "超出取款次数限制";
    /// ask the acquirer's security.
    CallSecurity = "66", "请联系收单行或银联";
    /// the machine keeps the card.
    MachineKeepsCard = "67", "没收卡";
    /// the answer came too late.
    LateAnswer = "68", "交易超时, 请重试";
    /// the PIN is locked.
    PinLocked = "75", "密码错误次数超限";
    /// not checked in, or a wrong batch.
    CheckinNeeded = "77", "请向网络中心签到";
    /// send offline data again.
    SendOfflineAgain = "79", "POS 终端重传脱机数据";
    /// the day is being closed.
    DayClosing = "90", "请稍后重试";
    /// the issuer does not work.
    IssuerDown = "91", "请稍后重试";
    /// no way to the issuer.
    NoRoute = "92", "请稍后重试";
    /// against the law.
    AgainstLaw = "93", "请联系发卡行";
    /// the trace number was used for another message.
    DuplicateTrace = "94", "请稍后重试";
    /// an error in comparing books.
    ReconcileError = "95", "请稍后重试";
    /// an internal error; what was asked may be asked again.
    Internal = "96", "请稍后重试";
    /// no such terminal.
    UnknownTerminal = "97", "终端未登记, 请联系收单行或银联";
    /// no answer from the issuer.
    NoAnswer = "98", "交易超时, 请重试";
    /// the form of a PIN is wrong.
    PinFormat = "99", "校验错, 请重新签到";
    /// the MAC is missing or wrong.
    MacFailed = "A0", "校验错, 请重新签到";
}

impl Status {
    /// Whether a terminal takes this answer to a reversal as the end of it (source: "冲正交易");
    /// after any other it asks again.
    pub const fn ends_reversal(self) -> bool {
        matches!(
            self,
            Self::Approved | Self::OriginalMissing | Self::NotAllowed
        )
    }

    /// Whether the message goes on with the name of the field at fault.
    pub const fn names_field(self) -> bool {
        matches!(self, Self::BadField | Self::BadAmount)
    }
}
