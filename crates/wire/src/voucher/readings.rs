//! What the sources no longer say: their Chinese text is lost, field names and samples remain.
//! Every reading of ours stands here and nowhere else, so that it is corrected in one place.

use super::action::Action;
use crate::dictionary::dictionary;

/// `businessType` that asks for the level of boxes.
pub const BUSINESS_TYPE_BOX: u32 = 12;
/// `codeType` where it is absent, and the only one there is.
pub const CODE_TYPE: u32 = 3;
/// `ver` of activeByPartNo.
pub const VERSION: u32 = 2;
/// `content` of `printDetail` in every sample.
pub const PRINT_CONTENT: &str = "00||";

dictionary! {
    /// `returnCode`. It follows the field tables, by action; the samples have `00` and `P00` for
    /// success, which are read, not written, where the table has a code of its own.
    ReturnCode, &'static str, from &str, code, from_code;
    Activating = "A00", "SUCCESS", "SUCCESS";
    NotActivable = "A02", "部分券处于不可激活状态，未进行激活",
        "some codes cannot be activated, none was";
    ActivationError = "A03", "其他异常，未进行激活", "another error, nothing was activated";
    AllActive = "R00", "SUCCESS", "SUCCESS";
    InProgress = "R01", "正在激活中", "the activation is in progress";
    ActivationFailed = "R02", "激活失败", "the activation failed";
    UnknownActivation = "R03", "原流水号不存在", "no activation of this trace number";
    Voided = "V00", "SUCCESS", "SUCCESS";
    NotVoidable = "V01", "部分券处于不可作废状态，未进行作废",
        "some codes cannot be voided, none was";
    VoidError = "V02", "其他异常，未进行作废", "another error, nothing was voided";
    Found = "H00", "success", "success";
    NothingKnown = "H01", "券信息不存在", "nothing is known of this code";
    InfoError = "H02", "其他异常", "another error";
    VoucherFound = "P00", "success", "success";
    VoucherUnknown = "P01", "券信息不存在", "nothing is known of this code";
    TraceFound = "00", "success", "success";
    TraceUnknown = "01", "券信息不存在", "nothing is known of this code";
    TraceError = "02", "其他异常", "another error";
}

dictionary! {
    /// `status` of a code, with its `statusDesc`.
    CodeStatus, &'static str, from &str, code, from_code;
    InStock = "01", "在库", "in stock";
    Activating = "02", "激活中", "being activated";
    Active = "03", "已激活", "active";
    UsedUp = "04", "已使用", "used up";
    Void = "05", "已作废", "void";
    Expired = "06", "已过期", "expired";
    Reserved = "07", "使用中", "reserved by open payments";
    Frozen = "08", "已冻结", "frozen";
}

dictionary! {
    /// `type` of an entry in a code's history, with its `returnMsg`: the sample has four Chinese
    /// characters for the first kind and an English word for the second.
    TraceKind, &'static str, from &str, code, from_code;
    Activated = "1", "激活成功", "activated";
    Used = "2", "SUCCESS", "SUCCESS";
    UseReversed = "3", "SUCCESS", "SUCCESS";
    Voided = "4", "作废成功", "voided";
}

dictionary! {
    /// `statusCode` of activeByPartNo, with its `message`. The first three are the source's; it
    /// has none for refusals.
    StatusCode, u16, from u16, code, from_code;
    Created = 100, "SUCCESS", "SUCCESS";
    InProgress = 80, "处理中", "in progress";
    Done = 81, "处理完成", "done";
    BadField = 400, "参数错误", "a field is missing or wrong";
    NotAdmitted = 401, "验签失败", "the signature or the caller is not accepted";
    UnknownSegment = 404, "卡券号段不存在", "no such segment";
    NotActivable = 409, "部分券处于不可激活状态，未进行激活",
        "some codes cannot be activated, none was";
    Unavailable = 503, "系统繁忙，请用原订单号重试", "not available: send it again under the same number";
}

impl ReturnCode {
    /// The code with which an action was carried out; `None` for activeByPartNo, which has a
    /// [`StatusCode`].
    pub const fn success(action: Action) -> Option<Self> {
        match action {
            Action::ActiveVoucher | Action::ReelActiveVoucher => Some(Self::Activating),
            Action::ActiveResultQuery => Some(Self::AllActive),
            Action::DelVoucher | Action::ReelDelVoucher => Some(Self::Voided),
            Action::QueryVerifyInfo => Some(Self::Found),
            Action::QueryVoucher => Some(Self::VoucherFound),
            Action::QueryCodeTrace => Some(Self::TraceFound),
            Action::ActiveByPartNo => None,
        }
    }

    /// The action's "other error": what an unadmitted caller and a bad field are answered with.
    /// Two actions have no such code: there it is the one that says nothing is known. `None` for
    /// activeByPartNo.
    pub const fn other_error(action: Action) -> Option<Self> {
        match action {
            Action::ActiveVoucher | Action::ReelActiveVoucher => Some(Self::ActivationError),
            Action::ActiveResultQuery => Some(Self::UnknownActivation),
            Action::DelVoucher | Action::ReelDelVoucher => Some(Self::VoidError),
            Action::QueryVerifyInfo => Some(Self::InfoError),
            Action::QueryVoucher => Some(Self::VoucherUnknown),
            Action::QueryCodeTrace => Some(Self::TraceError),
            Action::ActiveByPartNo => None,
        }
    }

    /// Whether the action was carried out, or accepted.
    pub const fn is_success(self) -> bool {
        match self {
            Self::Activating
            | Self::AllActive
            | Self::Voided
            | Self::Found
            | Self::VoucherFound
            | Self::TraceFound => true,
            Self::NotActivable
            | Self::ActivationError
            | Self::InProgress
            | Self::ActivationFailed
            | Self::UnknownActivation
            | Self::NotVoidable
            | Self::VoidError
            | Self::NothingKnown
            | Self::InfoError
            | Self::VoucherUnknown
            | Self::TraceUnknown
            | Self::TraceError => false,
        }
    }

    /// Whether a reply to this action may have this code.
    pub const fn is_of(self, action: Action) -> bool {
        match self {
            Self::Activating | Self::NotActivable | Self::ActivationError => {
                matches!(action, Action::ActiveVoucher | Action::ReelActiveVoucher)
            }
            Self::AllActive
            | Self::InProgress
            | Self::ActivationFailed
            | Self::UnknownActivation => matches!(action, Action::ActiveResultQuery),
            Self::Voided | Self::NotVoidable | Self::VoidError => {
                matches!(action, Action::DelVoucher | Action::ReelDelVoucher)
            }
            Self::Found | Self::NothingKnown | Self::InfoError => {
                matches!(action, Action::QueryVerifyInfo)
            }
            Self::VoucherFound | Self::VoucherUnknown => matches!(action, Action::QueryVoucher),
            Self::TraceFound | Self::TraceUnknown | Self::TraceError => {
                matches!(action, Action::QueryCodeTrace)
            }
        }
    }

    /// The code of a reply to an action, as a client reads it. The samples' success is read too.
    pub fn decode(action: Action, text: &str) -> Option<Self> {
        let exact = Self::from_code(text).filter(|code| code.is_of(action));
        let is_samples = matches!(
            (action, text),
            (Action::QueryVerifyInfo, "P00")
                | (
                    Action::ActiveVoucher
                        | Action::ReelActiveVoucher
                        | Action::ActiveResultQuery
                        | Action::DelVoucher
                        | Action::ReelDelVoucher,
                    "00"
                )
        );
        exact.or_else(|| is_samples.then(|| Self::success(action)).flatten())
    }
}

impl StatusCode {
    /// Whether the order stands: created, in progress or done.
    pub const fn is_success(self) -> bool {
        match self {
            Self::Created | Self::InProgress | Self::Done => true,
            Self::BadField
            | Self::NotAdmitted
            | Self::UnknownSegment
            | Self::Unavailable
            | Self::NotActivable => false,
        }
    }
}
