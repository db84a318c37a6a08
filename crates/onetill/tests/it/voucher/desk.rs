//! Partners with stock, and a partner's middleware.

use crate::support::{
    house::House,
    http::{self, Reply},
};
use domain::{
    command::voucher::{FinishCarton, OpenCarton, PutPartner},
    ids::{Serial, TenantId},
    money::Fen,
    voucher::{
        code::{CodeNo, CodeRange},
        partner::{Partner, PartnerEntry, PartnerKey, PartnerNo, PartnerSettings, Token},
        stock::{Cards, Carton, Level, Shape, Unit},
        ticket::{ActivityNo, Terms, Validity, VoucherTicketNo},
    },
};
use onetill::app::Gateway;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{
    AdminOp,
    contract::{FoundCode, StoredCode},
};

/// The token of [`PARTNER`].
pub const TOKEN: &str = "demo-partner-token";
/// A partner that owns all stock of these tests.
pub const PARTNER: PartnerNo = PartnerNo(1504);
/// The token of a partner that owns nothing.
pub const OTHER_TOKEN: &str = "demo-partner-token-2";

/// How stock is to be made.
#[derive(Clone)]
pub struct Stock {
    /// The box's printed name.
    pub id: &'static str,
    /// How it is packed.
    pub shape: Shape,
    /// What each code is good for.
    pub terms: Terms,
    /// The ticket type.
    pub ticket: u32,
    /// Card numbers.
    pub cards: Option<Cards>,
}

impl Stock {
    /// A box of 2 packages of 2 reels of 5 codes, each good for `uses` uses of `fen`.
    pub fn of(uses: u32, fen: i64) -> Self {
        Self {
            id: "X22169-3141157-33475",
            shape: Shape {
                packages: 2,
                reels: 2,
                codes: 5,
            },
            terms: Terms {
                uses,
                face_value: Fen::new(fen),
                validity: Validity::Forever,
            },
            ticket: 500_811,
            cards: None,
        }
    }
}

/// The text of a box's code.
pub fn code(carton: &str, index: u32) -> String {
    let carton: String = carton.chars().filter(char::is_ascii_digit).collect();
    format!("1001901{carton}{index:06}-M4DEDSfV")
}

/// The name of a box's reel.
pub fn reel(carton: &str, index: u32) -> String {
    format!("R{index}-{}", &carton[1..])
}

/// The name of a box's package.
pub fn package(carton: &str, index: u32) -> String {
    format!("B{index}-{}", &carton[1..])
}

/// The tenant that the demo's merchants belong to.
pub async fn tenant(house: &House) -> TenantId {
    let tenants = house.gateway().reader.tenants().await.unwrap();
    tenants.iter().find(|it| it.name == "demo").unwrap().id
}

/// Makes both partners, and a box of the first.
pub async fn stocked(house: &House, stock: &Stock) {
    let gateway = house.gateway();
    for (number, token) in [(PARTNER, TOKEN), (PartnerNo(1505), OTHER_TOKEN)] {
        put_partner(house, number, token, PartnerSettings::default(), Vec::new()).await;
    }
    issue(gateway, tenant(house).await, stock).await;
}

/// Makes a partner, or sets it anew.
pub async fn put_partner(
    house: &House,
    number: PartnerNo,
    token: &str,
    settings: PartnerSettings,
    keys: Vec<PartnerKey>,
) {
    let gateway = house.gateway();
    let partners = &gateway.vouchers.partners;
    let seen_at = partners.by_number(number).map(|it| it.partner.updated_at);
    let partner = Partner {
        tenant: tenant(house).await,
        number,
        merchant_id: "10001".to_owned(),
        name: "partner".to_owned(),
        blocked: false,
        tokens: vec![Token {
            digest: partners.digest(token),
            until: None,
        }],
        networks: Vec::new(),
        keys,
        reply_key: None,
        settings,
        history: Vec::new(),
        activated: Default::default(),
        updated_at: house.now(),
    };
    let entry = PartnerEntry {
        at: house.now(),
        by: "test".to_owned(),
        what: "put".to_owned(),
    };
    let put = PutPartner {
        partner,
        seen_at,
        entry,
    };
    assert!(gateway.run(put).await.unwrap());
    partners.refresh(gateway.reader.as_ref()).await.unwrap();
}

/// Makes a box with its codes.
pub async fn issue(gateway: &Arc<Gateway>, tenant: TenantId, stock: &Stock) {
    let codes = stock.shape.codes_in_carton().unwrap();
    let carton = Carton {
        shape: Some(stock.shape),
        cards: stock.cards.clone(),
        ..carton(gateway, tenant, stock, codes)
    };
    let serial = carton.serial;
    let units = units(tenant, serial, stock, codes);
    let texts: Vec<String> = (0..codes).map(|index| code(stock.id, index)).collect();
    issue_as(gateway, carton, units, &texts).await;
}

/// A box of the partner's, unevenly packed.
pub fn carton(gateway: &Gateway, tenant: TenantId, stock: &Stock, codes: u32) -> Carton {
    Carton {
        tenant,
        serial: gateway.next_serial().unwrap(),
        id: stock.id.to_owned(),
        partner: PARTNER,
        codes,
        shape: None,
        activity: ActivityNo(500_706),
        activity_name: "活动-2018年6月".to_owned(),
        sale_channel: "销售渠道".to_owned(),
        send_channel: "发送渠道".to_owned(),
        ticket: VoucherTicketNo(stock.ticket),
        ticket_name: "咖啡券".to_owned(),
        terms: stock.terms,
        cards: None,
        ready: false,
        issued_at: gateway.now(),
        custody: Vec::new(),
    }
}

/// Makes a box with these units, and codes of these texts.
pub async fn issue_as(gateway: &Arc<Gateway>, carton: Carton, units: Vec<Unit>, texts: &[String]) {
    let (tenant, serial) = (carton.tenant, carton.serial);
    assert!(gateway.run(OpenCarton { carton }).await.unwrap());
    let units = AdminOp::AddUnits(units);
    gateway.engine.admin(units).await.unwrap();
    let numbers = (0..u32::try_from(texts.len()).unwrap()).map(|index| CodeNo {
        carton: serial,
        index,
    });
    let numbers: Vec<CodeNo> = numbers.collect();
    let vault = &gateway.vouchers.codes;
    let stored = numbers.iter().zip(texts).map(|(code, text)| StoredCode {
        code: *code,
        sealed: vault.seal(*code, text).unwrap(),
    });
    let stored = AdminOp::AddCodes(stored.collect());
    gateway.engine.admin(stored).await.unwrap();
    let found = numbers.iter().zip(texts).map(|(code, text)| FoundCode {
        digest: vault.digest(tenant, text),
        tenant,
        code: *code,
    });
    let found = AdminOp::AddDigests(found.collect());
    gateway.engine.admin(found).await.unwrap();
    assert!(gateway.run(FinishCarton { tenant, serial }).await.unwrap());
}

fn units(tenant: TenantId, carton: Serial, stock: &Stock, codes: u32) -> Vec<Unit> {
    let unit = |id: String, level, first: u32, len: u32| Unit {
        tenant,
        id,
        level,
        range: CodeRange {
            carton,
            first,
            last: first + len - 1,
        },
        sale_channel_order_id: (level == Level::Reel).then(|| format!("{first:032x}")),
    };
    let Shape {
        packages,
        reels,
        codes: of_reel,
    } = stock.shape;
    let of_package = reels * of_reel;
    let mut units = vec![unit(stock.id.to_owned(), Level::Carton, 0, codes)];
    units.extend((0..packages).map(|it| {
        let id = package(stock.id, it);
        unit(id, Level::Package, it * of_package, of_package)
    }));
    units.extend((0..packages * reels).map(|it| {
        let id = reel(stock.id, it);
        unit(id, Level::Reel, it * of_reel, of_reel)
    }));
    units
}

/// A partner's middleware.
pub struct Desk<'a> {
    house: &'a House,
    headers: String,
}

/// What the gateway answered.
pub struct Answer {
    /// The HTTP status.
    pub http: u16,
    /// The reply.
    pub json: Value,
}

impl Answer {
    /// `returnCode`.
    pub fn code(&self) -> &str {
        self.json["returnCode"].as_str().unwrap()
    }

    /// `returnDesc`.
    pub fn desc(&self) -> &str {
        self.json["returnDesc"].as_str().unwrap()
    }

    /// The answer, if its `returnCode` is this one.
    pub fn expect(self, code: &str) -> Self {
        assert_eq!(self.code(), code, "{}", self.json);
        self
    }

    /// Every code of a tree with boxes on top: its text, status and uses left.
    pub fn codes(&self) -> Vec<(String, String, i64)> {
        let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
        let boxes = list(&self.json, "voucherBox");
        let packages = boxes.iter().flat_map(|it| list(it, "voucherPkg"));
        let packages: Vec<Value> = packages.chain(list(&self.json, "voucherPkg")).collect();
        let reels = packages.iter().flat_map(|it| list(it, "voucherReel"));
        let codes = reels.flat_map(|it| list(&it, "codeDetail"));
        codes
            .map(|it| {
                let text = |name: &str| it[name].as_str().unwrap().to_owned();
                (
                    text("code"),
                    text("status"),
                    it["remainTimes"].as_i64().unwrap(),
                )
            })
            .collect()
    }

    /// The statuses of all codes, each once.
    pub fn statuses(&self) -> Vec<String> {
        let mut statuses: Vec<String> = self.codes().into_iter().map(|it| it.1).collect();
        statuses.dedup();
        statuses
    }
}

impl<'a> Desk<'a> {
    /// The middleware of who shows this token.
    pub fn new(house: &'a House, token: &str) -> Self {
        Self {
            house,
            headers: format!("Authorization: Bearer {token}\r\n"),
        }
    }

    /// Middleware that shows nothing.
    pub fn without_token(house: &'a House) -> Self {
        Self {
            house,
            headers: String::new(),
        }
    }

    /// Asks for an action.
    pub async fn ask(&self, action: &str, body: Value) -> Answer {
        let path = format!("/ebuyweb-posp/api/{action}");
        read(&self.send(&path, body.to_string().as_bytes()).await)
    }

    /// Sends a body to a path.
    pub async fn send(&self, path: &str, body: &[u8]) -> Reply {
        let bytes = http::request(&http::post(path, body), &self.headers);
        http::exchange(self.house.address, &bytes).await
    }

    /// activeVoucher.
    pub async fn activate(&self, trace_no: &str, names: &[String]) -> Answer {
        let qrcode = names.join(",");
        let body = json!({"traceNo": trace_no, "qrcode": qrcode, "totalAmount": "3000", "businessType": 12});
        self.ask("activeVoucher", body).await
    }

    /// delVoucher.
    pub async fn void(&self, trace_no: &str, names: &[String]) -> Answer {
        let body = json!({"traceNo": trace_no, "qrcode": names.join(","), "businessType": 12});
        self.ask("delVoucher", body).await
    }

    /// queryVerifyInfo.
    pub async fn look(&self, names: &[String]) -> Answer {
        let body = json!({"traceNo": "q", "qrcode": names.join(","), "businessType": 12});
        self.ask("queryVerifyInfo", body).await
    }

    /// queryCodeTrace.
    pub async fn trace(&self, name: &str) -> Answer {
        let body = json!({"requestId": "1754016596841", "qrcode": name});
        self.ask("queryCodeTrace", body).await
    }
}

/// Reads a reply, in pieces or whole.
pub fn read(reply: &Reply) -> Answer {
    let body = if reply.header("transfer-encoding") == Some("chunked") {
        put_together(&reply.body)
    } else {
        reply.body.clone()
    };
    let json = serde_json::from_slice(&body)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)));
    Answer {
        http: reply.status,
        json,
    }
}

/// A body that came in chunks.
pub fn put_together(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = bytes.windows(2).position(|it| it == b"\r\n").unwrap();
        let len = std::str::from_utf8(&bytes[..end]).unwrap();
        let len = usize::from_str_radix(len, 16).unwrap();
        if len == 0 {
            return whole;
        }
        whole.extend_from_slice(&bytes[end + 2..end + 2 + len]);
        bytes = &bytes[end + 2 + len + 2..];
    }
}
