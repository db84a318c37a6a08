//! Payment channels (appendix 2) and fund channels (appendix 3).

use crate::dictionary::dictionary;

dictionary! {
    /// A payment channel, `CHANNEL_TYPE` (appendix 2, table 9.2).
    ChannelType, u16, from u16, code, from_code;
    Auto = 0, "自动判定渠道", "detected from the customer's code";
    Alipay = 1, "支付宝", "Alipay";
    WeChat = 2, "微信", "WeChat Pay";
    ChinaMerchantsBank = 3, "招商银行", "China Merchants Bank";
    ChinaConstructionBank = 5, "中国建设银行", "China Construction Bank";
    AgriculturalBank = 9, "农行银行", "Agricultural Bank of China";
    PudongBank = 10, "浦发银行", "Shanghai Pudong Development Bank";
    Baidu = 24, "百度钱包", "Baidu Wallet";
    Bestpay = 27, "电信翼支付", "Bestpay";
    Qq = 31, "QQ钱包", "QQ Wallet";
    UnionPay = 32, "银联卡支付", "UnionPay";
    AlipayMobileWeb = 34, "支付宝手机网页支付", "Alipay mobile web";
}

dictionary! {
    /// What a payment was paid with, `FUND_CHANNEL` (appendix 3, table 9.3).
    FundChannel, &'static str, from &str, code, from_code;
    AlipayRedPacket = "00", "支付宝红包", "Alipay red packet";
    AlipayBalance = "10", "支付宝余额", "Alipay balance";
    AlipayPrepaidCard = "60", "支付宝预存卡", "Alipay prepaid card";
    AlipayPoints = "30", "支付宝集分宝", "Alipay points";
    AlipayCredit = "70", "支付宝信用支付", "Alipay credit";
    DiscountCoupon = "40", "折扣券", "discount coupon";
    PrepaidCard = "80", "预付卡", "prepaid card";
    ConsumerCredit = "90", "信用支付（消费信贷）", "consumer credit";
    WeChatPay = "11", "微信支付", "WeChat Pay";
    QqWallet = "12", "QQ钱包支付", "QQ Wallet";
    BaiduWallet = "13", "百度钱包支付", "Baidu Wallet";
    BestpayWallet = "14", "翼支付", "Bestpay";
    WeChatCashCoupon = "41", "微信现金券支付", "WeChat cash coupon";
    QqCashCoupon = "42", "QQ钱包现金券支付", "QQ Wallet cash coupon";
    BaiduCashCoupon = "43", "百度钱包现金券支付", "Baidu Wallet cash coupon";
    BestpayCashCoupon = "44", "翼支付现金券支付", "Bestpay cash coupon";
    AlipayWealth = "100", "支付宝理财专户", "Alipay wealth account";
    MerchantStoreCard = "101", "商户店铺卡", "merchant's store card";
    MerchantCoupon = "102", "商户优惠券", "merchant's coupon";
    AlipayBankCard = "103", "银行卡（支付宝渠道）", "bank card through Alipay";
    MerchantRedPacket = "104", "商户红包", "merchant's red packet";
    BankCard = "9001", "银行卡（银行渠道，包含借记卡和信用卡）", "bank card through a bank";
    RandomReduction = "9002", "随机减", "random reduction";
    FreeOfCharge = "9003", "免单", "free of charge";
    ReductionOverThreshold = "9004", "满立减", "reduction over a threshold";
    SingleItemOffer = "9005", "单品优惠", "single item offer";
    GiftOverThreshold = "9006", "满送商品", "gift over a threshold";
    CashVoucher = "9007", "代金券", "cash voucher";
    DiscountVoucher = "9008", "折扣券", "discount voucher";
}
