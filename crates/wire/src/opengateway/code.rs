//! Return codes (appendix 5), order states (appendix 4) and the language of messages.

use crate::dictionary::dictionary;

pub use crate::locale::Locale;

dictionary! {
    /// A return code (appendix 5, table 9.5).
    ReturnCode, &'static str, from &str, as_str, from_exact;
    Success = "SUCCESS", "成功", "success";
    Fail = "FAIL", "失败", "failure";
    IllegalParameter = "ILLEGAL_PARAMETER", "参数错误", "illegal parameter";
    InvalidSign = "INVALID_SIGN", "签名错误", "invalid signature";
    AmtError = "AMT_ERROR", "金额错误", "wrong amount";
    DatabaseError = "DATABASE_ERROR", "数据库连接异常", "database unavailable";
    InvalidContract = "INVALID_CONTRACT", "无效的签约状态", "no valid contract";
    UnregisteredBusi = "UNREGISTERED_BUSI", "未注册的商户", "unknown merchant";
    Exception = "EXCEPTION", "未知异常", "unforeseen error";
    ChargeNonexistent = "CHARGE_NONEXISTENT", "交易记录不存在", "no such transaction";
    ServiceUnavailable = "SERVICE_UNAVAILABLE", "服务不可用", "service unavailable";
    HttpException = "HTTP_EXCEPTION", "HTTP请求异常", "HTTP request failed";
    IoException = "IO_EXCEPTION", "IO异常", "I/O failed";
    CreateSecurityConnectionError = "CREATE_SECURITY_CONNECTION_ERROR", "创建安全链接失败",
        "no secure connection";
    AreadyRevoked = "AREADY_REVOKED", "该订单已经撤销", "the order is already cancelled";
    SerialRepeat = "SERIAL_REPEAT", "上行流水号与系统中重复", "the serial was used before";
}

impl ReturnCode {
    /// The code as a client reads it. The appendix misspells `SUCCESS` as `SUCESS`;
    /// both are read, only the former is written.
    pub fn decode(text: &str) -> Option<Self> {
        match text {
            "SUCESS" => Some(Self::Success),
            other => Self::from_exact(other),
        }
    }
}

dictionary! {
    /// An order's state (appendix 4, table 9.4).
    State, u8, from u8, code, from_code;
    Unpaid = 0, "待付款", "awaiting payment";
    Paid = 1, "已付款", "paid";
    Cancelled = 2, "已撤单", "cancelled";
    CancelRequested = 3, "申请撤单", "cancel requested";
    PartlyRefunded = 4, "部分退款", "partly refunded";
    Refunded = 5, "已退款", "refunded";
    Closed = 6, "交易关闭", "closed";
    Reserved = 7, "系统保留状态", "reserved for queries";
    Refunding = 8, "退款中", "refund in progress";
    RefundFailed = 9, "退款失败", "refund failed";
}

dictionary! {
    /// A top-up's status (table 10.4, `status`).
    RechargeStatus, u8, from u8, code, from_code;
    Created = 0, "初始", "created";
    AtProvider = 1, "充值中", "at the provider";
    Done = 2, "充值完成", "done";
    Failed = 3, "充值失败", "failed";
}
