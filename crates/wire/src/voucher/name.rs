//! The names of members, spelled as in the sources.

/// Makes a constant of each name.
macro_rules! names {
    ($( $name:ident = $text:literal; )+) => {
        $(
            #[doc = concat!("`", $text, "`.")]
            pub const $name: &str = $text;
        )+
    };
}

names! {
    TRACE_NO = "traceNo";
    ORIGINAL_TRACE_NO = "originalTraceNo";
    QRCODE = "qrcode";
    TOTAL_AMOUNT = "totalAmount";
    BUSINESS_TYPE = "businessType";
    EXTEND_DATA = "extendData";
    SHOP_NO = "shopNo";
    VOUCHER_NO = "voucherNo";
    POS_SERIAL_NO = "posSerialNo";
    OMS = "oms";
    REQUEST_ID = "requestId";
    VER = "ver";
    PARTNER_ID = "partnerId";
    MERCHANT_ID = "merchantId";
    SIGN = "sign";
    PARTNER_ORDER_ID = "partnerOrderId";
    TYPE = "type";
    BIN = "bin";
    CODE_TYPE = "codeType";
    START_CARD_SE = "startCardSe";
    END_CARD_SE = "endCardSe";
    NUMBER = "number";
    SELLING_PRICE = "sellingPrice";
    COST_PRICE = "costPrice";
    VALID_START = "validStart";
    VALID_END = "valid_end";
    ORDER_NO = "orderNo";
    TRANS_DATE = "transDate";
    TRANS_TIME = "transTime";
    RETURN_CODE = "returnCode";
    RETURN_DESC = "returnDesc";
    RETURN_DATA = "returnData";
    RETURN_MSG = "returnMsg";
    VOUCHER_BOX = "voucherBox";
    BOX_ID = "boxId";
    VOUCHER_PKG = "voucherPkg";
    PKG_ID = "pkgId";
    VOUCHER_REEL = "voucherReel";
    REEL_ID = "reelId";
    CODE_DETAIL = "codeDetail";
    CREATE_TIME = "createTime";
    SALE_CHANNEL_ORDER_ID = "saleChannelOrderId";
    REMAIN_TIMES = "remainTimes";
    STATUS = "status";
    TICKET_NAME = "ticketName";
    CODE = "code";
    ACTIVITY_ID = "activityId";
    CODE_VALID_END = "validEnd";
    SEND_CHANNEL_NAME = "sendChannelName";
    TICKET_ID = "ticketId";
    SALE_CHANNEL_NAME = "saleChannelName";
    FACE_VALUE = "faceValue";
    CREATE_DATE = "createDate";
    ACTIVITY_NAME = "activityName";
    STATUS_DESC = "statusDesc";
    PAID_AMOUNT = "paidAmount";
    INVOICE_AMOUNT = "invoiceAmount";
    RECEIPT_AMOUNT = "receiptAmount";
    PRINT_DETAIL = "printDetail";
    CONTENT = "content";
    DATE_TIME = "dateTime";
    MID = "mid";
    SHOP_NAME = "shopName";
    TID = "tid";
    SWIFT = "swift";
    STATUS_CODE = "statusCode";
    MESSAGE = "message";
}
