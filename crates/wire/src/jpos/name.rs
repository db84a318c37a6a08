//! The names of fields, spelled as in the source ("名称字典"), its slips included.

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
    STORE_NO = "storeNo";
    TERMINAL_NO = "terminalNo";
    OPERATOR_NO = "operatorNo";
    TRACE_NO = "traceNo";
    BATCH_NO = "batchNo";
    SERIAL_NO = "serialNo";
    CARD_NO = "cardNo";
    TRACK2 = "track2";
    TRACK3 = "track3";
    PASSWORD = "password";
    MAC = "mac";
    CONSUME_TYPE = "consumeType";
    POINT_AMOUNT = "pointAmount";
    CASH_AMOUNT = "cashAmount";
    VAUCHER = "vaucher";
    TICKET = "ticket";
    REGISTER_TRACE_NO = "registerTraceNo";
    ORI_SERIAL_NO = "oriSerialNo";
    ORI_BATCH_NO = "oriBatchNo";
    ORI_TRACE_NO = "oriTraceNo";
    ORI_TRANS_TIME = "oriTransTime";
    ORI_TRANS_DATE = "oriTransDate";
    ORI_REGISTER_TRACE_NO = "oriRegisterTraceNo";
    MOBILE_NO = "mobileNo";
    VERIFY_CODE = "verifyCode";
    ID_TYPE = "idType";
    ID_NO = "idNo";
    POINT_DEBIT_COUNT = "pointDebitCount";
    POINT_DEBIT_AMOUNT = "pointDebitAmount";
    POINT_CREDIT_COUNT = "pointCeditCount";
    POINT_CREDIT_AMOUNT = "pointCreditAmount";
    TICKET_DEBIT_COUNT = "ticketDebitCount";
    TICKET_DEBIT_AMOUNT = "ticketDebitAmount";
    TICKET_CREDIT_COUNT = "ticketCreditCount";
    TICKET_CREDIT_AMOUNT = "ticketCreditAmount";
    TOTAL_TRANS_COUNT = "totalTransCount";
    CANCEL_COUNT = "cancelCount";
    REFUND_COUNT = "refundCount";
    CARD_ACTIVE_COUNT = "cardActiveCount";
    DETAILS = "details";
    FUNCTION = "function";
    ID = "id";
    NUM = "num";
    TYPE = "type";
    AMOUNT = "amount";
    NAME = "name";
    STATUS = "status";
    MESSAGE = "message";
    TRANS_TIME = "transTime";
    STORE_NAME = "storeName";
    WORKING_KEY = "workingKey";
    POINT_BALANCE = "pointBalance";
    AVAILABLE_POINT_BALANCE = "avaiablePointBalance";
    GENDER = "gender";
    GRADE = "grade";
    ADDRESS = "address";
    EMAIL = "email";
    USE_POINT = "usePoint";
    PRESENT_POINT = "persentPoint";
    ADVERTISEMENT = "advertisement";
    RETURN_POINT = "returnPoint";
    RETURN_PRESENT_POINT = "returnPersentPoint";
    RETURN_CASH = "returnCash";
    SUPPLY_CASH = "supplyCash";
    SETTLE_FLAG = "settleFlag";
    DIFFERENCES = "differences";
    FIELD = "field";
    HOST = "host";
    TERMINAL = "terminal";
    RESULT = "result";
}
