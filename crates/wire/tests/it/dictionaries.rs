//! The dictionaries of appendices 2 to 5, row by row.

use wire::opengateway::code::RechargeStatus;
use wire::opengateway::{ChannelType, FundChannel, Locale, ReturnCode, State};

#[test]
fn appendix_2_channels() {
    let rows = [
        (0, "自动"),
        (1, "支付宝"),
        (2, "微信"),
        (3, "招商银行"),
        (5, "中国建设银行"),
        (9, "农行银行"),
        (10, "浦发银行"),
        (24, "百度钱包"),
        (27, "翼支付"),
        (31, "QQ钱包"),
        (32, "银联卡支付"),
        (34, "支付宝手机网页支付"),
    ];
    assert_eq!(ChannelType::ALL.len(), rows.len());
    for (code, name) in rows {
        let channel = ChannelType::from_code(code).unwrap();
        assert_eq!(channel.code(), code);
        assert!(channel.name(Locale::Zh).contains(name), "{code}");
    }
    assert_eq!(ChannelType::from_code(4), None);
}

#[test]
fn appendix_3_fund_channels() {
    let rows = [
        ("00", "支付宝红包"),
        ("10", "支付宝余额"),
        ("60", "支付宝预存卡"),
        ("30", "支付宝集分宝"),
        ("70", "支付宝信用支付"),
        ("40", "折扣券"),
        ("80", "预付卡"),
        ("90", "信用支付（消费信贷）"),
        ("11", "微信支付"),
        ("12", "QQ钱包支付"),
        ("13", "百度钱包支付"),
        ("14", "翼支付"),
        ("41", "微信现金券支付"),
        ("42", "QQ钱包现金券支付"),
        ("43", "百度钱包现金券支付"),
        ("44", "翼支付现金券支付"),
        ("100", "支付宝理财专户"),
        ("101", "商户店铺卡"),
        ("102", "商户优惠券"),
        ("103", "银行卡（支付宝渠道）"),
        ("104", "商户红包"),
        ("9001", "银行卡（银行渠道，包含借记卡和信用卡）"),
        ("9002", "随机减"),
        ("9003", "免单"),
        ("9004", "满立减"),
        ("9005", "单品优惠"),
        ("9006", "满送商品"),
        ("9007", "代金券"),
        ("9008", "折扣券"),
    ];
    assert_eq!(FundChannel::ALL.len(), rows.len());
    for (code, name) in rows {
        let channel = FundChannel::from_code(code).unwrap();
        assert_eq!((channel.code(), channel.name(Locale::Zh)), (code, name));
        assert!(channel.name(Locale::En).is_ascii());
    }
    assert_eq!(FundChannel::from_code("99"), None);
}

#[test]
fn appendix_4_states() {
    let rows = [
        (0, "待付款"),
        (1, "已付款"),
        (2, "已撤单"),
        (3, "申请撤单"),
        (4, "部分退款"),
        (5, "已退款"),
        (6, "交易关闭"),
        (7, "系统保留状态"),
        (8, "退款中"),
        (9, "退款失败"),
    ];
    assert_eq!(State::ALL.len(), rows.len());
    for (code, name) in rows {
        let state = State::from_code(code).unwrap();
        assert_eq!((state.code(), state.name(Locale::Zh)), (code, name));
    }
    assert_eq!(State::from_code(10), None);
    assert_eq!(RechargeStatus::ALL.len(), 4);
}

#[test]
fn appendix_5_return_codes() {
    let rows = [
        ("SUCCESS", "成功"),
        ("FAIL", "失败"),
        ("ILLEGAL_PARAMETER", "参数错误"),
        ("INVALID_SIGN", "签名错误"),
        ("AMT_ERROR", "金额错误"),
        ("DATABASE_ERROR", "数据库连接异常"),
        ("INVALID_CONTRACT", "无效的签约状态"),
        ("UNREGISTERED_BUSI", "未注册的商户"),
        ("EXCEPTION", "未知异常"),
        ("CHARGE_NONEXISTENT", "交易记录不存在"),
        ("SERVICE_UNAVAILABLE", "服务不可用"),
        ("HTTP_EXCEPTION", "HTTP请求异常"),
        ("IO_EXCEPTION", "IO异常"),
        ("CREATE_SECURITY_CONNECTION_ERROR", "创建安全链接失败"),
        ("AREADY_REVOKED", "该订单已经撤销"),
        ("SERIAL_REPEAT", "上行流水号与系统中重复"),
    ];
    assert_eq!(ReturnCode::ALL.len(), rows.len());
    for (text, name) in rows {
        let code = ReturnCode::decode(text).unwrap();
        assert_eq!((code.as_str(), code.name(Locale::Zh)), (text, name));
        assert!(code.name(Locale::En).is_ascii());
    }
    assert_eq!(ReturnCode::decode("SUCESS"), Some(ReturnCode::Success));
    assert_eq!(ReturnCode::decode("OTHER"), None);
}
