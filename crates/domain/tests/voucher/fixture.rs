//! A partner, three ticket types and a shop, and what they ask for.

use super::world::{Act, World};
use domain::{
    channel::{ChannelNo, Decline, PayOutcome, Receipt, RefundOutcome, ReverseOutcome},
    command::{
        Began, BeginPayment, BeginRefund, Cancel, CancelMode, CancelReply, GiveUp, Learned,
        RecordPay, RecordRefund, RecordReverse, RefundReply,
        voucher::{
            ChangeReply, ChangeStock, ExpireSpan, FinishCarton, OpenCarton, PutPartner, Request,
            Target,
        },
    },
    ids::{ClaimKey, ClaimSpace, MerchantNo, Serial, TenantId},
    ledger::Account,
    loyalty::{
        calendar::Zone,
        document::{Document, DocumentKey},
    },
    money::Fen,
    payment::{Details, Flow, Payment, PaymentState, PaymentStatus, VoucherPart},
    refund::Refund,
    rows::PaymentRef,
    time::UnixMs,
    voucher::{
        change::{Change, ChangeId, ChangeKind, Conflict, Obstacle, Remarks, Verdict},
        code::{CodeNo, CodeRange},
        partner::{DayCount, Partner, PartnerEntry, PartnerNo, PartnerSettings},
        span::Span,
        status::{Standing, standing},
        stock::Carton,
        ticket::{ActivityNo, Terms, Validity, VoucherTicketNo},
    },
};

pub const TENANT: TenantId = TenantId(1);
pub const PARTNER: PartnerNo = PartnerNo(1504);
pub const MERCHANT: MerchantNo = MerchantNo(17);
pub const ZONE: Zone = Zone { offset_s: 8 * 3600 };
/// 2026-11-22T12:00:00 in Shanghai.
pub const NOON: UnixMs = UnixMs(1_795_320_000_000);
pub const DAY_S: i64 = 86_400;

/// A ticket type.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub ticket: VoucherTicketNo,
    pub terms: Terms,
}

const fn kind(ticket: u32, uses: u32, face: i64, validity: Validity) -> Kind {
    Kind {
        ticket: VoucherTicketNo(ticket),
        terms: Terms {
            uses,
            face_value: Fen::new(face),
            validity,
        },
    }
}

/// Pays 50 yuan, once, whenever.
pub const CASH: Kind = kind(500_811, 1, 5_000, Validity::Forever);
/// Pays 10 yuan, three times, within two days.
pub const TRIPLE: Kind = kind(500_812, 3, 1_000, Validity::Days(2));
/// For goods, twice, within two days.
pub const GOODS: Kind = kind(500_813, 2, 0, Validity::Days(2));

pub fn range(carton: Serial, first: u32, last: u32) -> CodeRange {
    CodeRange {
        carton,
        first,
        last,
    }
}

pub fn code(carton: Serial, index: u32) -> CodeNo {
    CodeNo { carton, index }
}

impl World {
    pub fn new() -> Self {
        Self {
            now: NOON,
            ..Self::default()
        }
    }

    /// A box of `codes` codes in stock.
    pub fn issue(&mut self, kind: Kind, codes: u32) -> Serial {
        let carton = self.carton_of(kind, codes);
        let serial = carton.serial;
        self.issue_all(vec![carton]);
        serial
    }

    /// Boxes in stock, issued in one batch.
    pub fn issue_all(&mut self, cartons: Vec<Carton>) {
        let mut acts: Vec<Box<dyn Act>> = Vec::new();
        for carton in cartons {
            let (tenant, serial) = (carton.tenant, carton.serial);
            acts.push(Box::new(OpenCarton { carton }));
            acts.push(Box::new(FinishCarton { tenant, serial }));
        }
        self.together(&acts);
        assert!(self.documents.len() >= acts.len() / 2);
    }

    /// A box of `codes` codes that are active.
    pub fn sold(&mut self, kind: Kind, codes: u32) -> Serial {
        let carton = self.issue(kind, codes);
        self.done(ChangeKind::Activate, &[range(carton, 0, codes - 1)]);
        carton
    }

    pub fn carton_of(&mut self, kind: Kind, codes: u32) -> Carton {
        let serial = self.serial();
        Carton {
            tenant: TENANT,
            serial,
            id: format!("X-{serial}"),
            partner: PARTNER,
            codes,
            shape: None,
            activity: ActivityNo(500_706),
            activity_name: "Autumn".to_owned(),
            sale_channel: "counter".to_owned(),
            send_channel: "printer".to_owned(),
            ticket: kind.ticket,
            ticket_name: format!("{}", kind.ticket.0),
            terms: kind.terms,
            cards: None,
            ready: false,
            issued_at: self.now,
            custody: vec![],
        }
    }

    pub fn carton(&self, serial: Serial) -> &Carton {
        match &self.documents[&DocumentKey::carton(TENANT, serial)] {
            Document::Carton(carton) => carton,
            other => panic!("{other:?}"),
        }
    }

    pub fn target(&self, range: CodeRange) -> Target {
        let carton = self.carton(range.carton);
        Target {
            range,
            ticket: carton.ticket,
            terms: carton.terms,
            term: carton.terms.validity.term(ZONE, self.now),
        }
    }

    /// A change under a number that was never used before: the partner's own, or an operator's
    /// where codes are frozen or freed.
    pub fn change(&mut self, kind: ChangeKind, ranges: &[CodeRange]) -> ChangeStock {
        let serial = self.serial();
        let number = serial.0.to_string();
        let house = matches!(kind, ChangeKind::Freeze | ChangeKind::Unfreeze);
        let id = if house {
            ChangeId::of_house(kind, serial)
        } else {
            ChangeId::of_partner(PARTNER, kind, &number)
        };
        let targets: Vec<Target> = ranges.iter().map(|it| self.target(*it)).collect();
        ChangeStock {
            change: Change {
                tenant: TENANT,
                id,
                kind,
                serial,
                partner: (!house).then_some(PARTNER),
                operator: house.then(|| "root".to_owned()),
                number,
                content: 0,
                at: self.now,
                total: Fen::new(100),
                remarks: Remarks::default(),
                ranges: vec![],
                verdict: Verdict::Unknown(vec![]),
            },
            request: Request::Found(targets),
            part_serials: (0..3).map(|_| self.serial()).collect(),
            day: ZONE.day(self.now),
            dry_run: false,
            forget_refusal: false,
        }
    }

    /// What becomes of a change that nobody asked for before.
    pub fn verdict(&mut self, change: &ChangeStock) -> Verdict {
        match self.run(change) {
            ChangeReply::New(change) => change.verdict,
            other => panic!("{other:?}"),
        }
    }

    /// Changes codes, which must be possible.
    pub fn done(&mut self, kind: ChangeKind, ranges: &[CodeRange]) -> ChangeStock {
        let change = self.change(kind, ranges);
        let verdict = self.verdict(&change);
        assert!(matches!(verdict, Verdict::Done(_)), "{verdict:?}");
        change
    }

    /// What is in the way of a change.
    pub fn conflicts(&mut self, kind: ChangeKind, ranges: &[CodeRange]) -> Vec<Conflict> {
        let change = self.change(kind, ranges);
        match self.verdict(&change) {
            Verdict::Conflict(it) => it.first,
            other => panic!("{other:?}"),
        }
    }

    /// The ends of the spans of a box.
    pub fn ends(&self, carton: Serial) -> Vec<(u32, u32)> {
        let all = range(carton, 0, u32::MAX);
        let spans = self.spans_in(&all);
        spans.map(|it| (it.range.first, it.range.last)).collect()
    }

    pub fn span_of(&self, code: CodeNo) -> &Span {
        self.spans_in(&code.range()).next().unwrap()
    }

    pub fn standing(&self, code: CodeNo) -> Standing {
        let uses = self.carton(code.carton).terms.uses;
        standing(self.span_of(code), self.uses.get(&code), uses, self.now)
    }

    /// Writes off what is due.
    pub fn expire(&mut self) {
        for range in self.due() {
            let expiry = self.expiry(range);
            assert!(self.run(&expiry), "{range:?}");
        }
    }

    /// The spans that are due.
    pub fn due(&self) -> Vec<CodeRange> {
        let due = |it: &&Span| it.due_at().is_some_and(|at| at <= self.now);
        let due = self.spans.values().filter(due);
        due.map(|it| it.range).collect()
    }

    pub fn expiry(&mut self, range: CodeRange) -> ExpireSpan {
        let serial = self.serial();
        let carton = self.carton(range.carton);
        ExpireSpan {
            tenant: TENANT,
            range,
            ticket: carton.ticket,
            terms: carton.terms,
            serial,
        }
    }

    /// The partner with a limit to what it may activate in a day.
    pub fn limit(&mut self, codes_per_day: Option<i64>) {
        let partner = Partner {
            tenant: TENANT,
            number: PARTNER,
            merchant_id: "M1".to_owned(),
            name: "Riverside Gifts".to_owned(),
            blocked: false,
            tokens: vec![],
            networks: vec![],
            keys: vec![],
            reply_key: None,
            settings: PartnerSettings {
                codes_per_day,
                ..PartnerSettings::default()
            },
            history: vec![],
            activated: DayCount::default(),
            updated_at: self.now,
        };
        let seen_at = self.partner().map(|it| it.updated_at);
        let entry = PartnerEntry {
            at: self.now,
            by: "root".to_owned(),
            what: "limit".to_owned(),
        };
        assert!(self.run(&PutPartner {
            partner,
            seen_at,
            entry
        }));
    }

    pub fn partner(&self) -> Option<&Partner> {
        match self.documents.get(&DocumentKey::partner(TENANT, PARTNER))? {
            Document::Partner(partner) => Some(partner),
            other => panic!("{other:?}"),
        }
    }

    pub fn uses_at(&self, account: fn(VoucherTicketNo) -> Account, kind: Kind) -> i64 {
        self.balance(account(kind.ticket)).abs()
    }
}

/// Payments.
impl World {
    /// A payment of `price` fen that a code pays a part of.
    pub fn payment(&mut self, price: i64, code: Option<CodeNo>) -> Payment {
        let serial = self.serial();
        let merchant_serial = format!("M{serial}");
        let voucher = code.map(|code| {
            let carton = self.carton(code.carton);
            VoucherPart::of(code, carton.ticket, &carton.terms, Fen::new(price))
        });
        let pays = voucher.map_or(0, |it| it.pays.get());
        Payment {
            tenant: TENANT,
            serial,
            merchant: MERCHANT,
            key: ClaimKey::of(TENANT, MERCHANT, ClaimSpace::Payment, &merchant_serial),
            merchant_serial,
            flow: Flow::PayerCode,
            channel: ChannelNo(1),
            amount: Fen::new(price - pays),
            created_at: self.now,
            expires_at: self.now.plus_s(80),
            details: Details {
                voucher,
                store_id: Some("S1".to_owned()),
                device_id: "T1".to_owned(),
                ..Details::default()
            },
            credential: None,
            state: PaymentState::Open {
                cancel_requested: false,
            },
        }
    }

    pub fn begin(&mut self, payment: Payment) -> Began {
        let payment = Box::new(payment);
        self.run(&BeginPayment {
            payment,
            code: None,
        })
    }

    /// A payment that is open and holds a use of `code`.
    pub fn held(&mut self, price: i64, code: CodeNo) -> Serial {
        let payment = self.payment(price, Some(code));
        let serial = payment.serial;
        let voucher = payment.details.voucher;
        assert_eq!(self.begin(payment), Began::New(voucher));
        serial
    }

    /// A payment that is paid, in part by a use of `code`.
    pub fn bought(&mut self, price: i64, code: CodeNo) -> Serial {
        let payment = self.payment(price, Some(code));
        let serial = payment.serial;
        if matches!(self.begin(payment), Began::New(_)) {
            self.tell(serial, PayOutcome::Paid(receipt()));
        }
        assert_eq!(self.status(serial), PaymentStatus::Paid);
        serial
    }

    pub fn status(&self, serial: Serial) -> PaymentStatus {
        self.payments[&serial].status()
    }

    pub fn tell(&mut self, serial: Serial, outcome: PayOutcome) -> Learned {
        let told = self.told(serial, outcome);
        self.run(&told)
    }

    pub fn told(&mut self, serial: Serial, outcome: PayOutcome) -> RecordPay {
        RecordPay {
            tenant: TENANT,
            serial,
            outcome,
            credential: None,
            refund_serial: self.serial(),
        }
    }

    pub fn give_up(&mut self, serial: Serial) {
        self.run(&GiveUp {
            tenant: TENANT,
            serial,
        });
    }

    pub fn reverse(&mut self, serial: Serial, outcome: ReverseOutcome) -> Learned {
        let reversed = self.reversed(serial, outcome);
        self.run(&reversed)
    }

    pub fn reversed(&mut self, serial: Serial, outcome: ReverseOutcome) -> RecordReverse {
        RecordReverse {
            tenant: TENANT,
            serial,
            outcome,
            refund_serial: self.serial(),
        }
    }

    pub fn cancel(&mut self, serial: Serial) -> CancelReply {
        let refund_serial = self.serial();
        self.run(&Cancel {
            payment: PaymentRef::Serial(TENANT, serial),
            merchant: MERCHANT,
            mode: CancelMode::Direct,
            refund_serial,
        })
    }

    pub fn refunding(&mut self, payment: Serial, number: &str, fen: i64) -> BeginRefund {
        BeginRefund {
            tenant: TENANT,
            payment: PaymentRef::Serial(TENANT, payment),
            merchant: MERCHANT,
            serial: self.serial(),
            key: ClaimKey::of(TENANT, MERCHANT, ClaimSpace::Refund, number),
            merchant_serial: Some(number.to_owned()),
            amount: Fen::new(fen),
        }
    }

    /// Asks for a refund under a number that was never used before.
    pub fn refund(&mut self, payment: Serial, fen: i64) -> RefundReply {
        let number = format!("R{}", self.serial);
        let begin = self.refunding(payment, &number, fen);
        self.run(&begin)
    }

    /// A refund that begins.
    pub fn begun(&mut self, payment: Serial, fen: i64) -> Refund {
        match self.refund(payment, fen) {
            RefundReply::New(_, refund) => *refund,
            other => panic!("{other:?}"),
        }
    }

    pub fn hear(&mut self, refund: &Refund, outcome: RefundOutcome) {
        self.run(&RecordRefund {
            tenant: TENANT,
            payment: refund.payment,
            refund: refund.serial,
            outcome,
        });
    }
}

pub fn receipt() -> Receipt {
    Receipt {
        channel_serial: "C1".to_owned(),
        paid_at: NOON,
        bills: vec![],
        buyer_id: None,
        channel_result: None,
    }
}

pub fn paid() -> PayOutcome {
    PayOutcome::Paid(receipt())
}

pub fn declined() -> PayOutcome {
    PayOutcome::Declined(Decline::ByPayer)
}

pub const fn conflict(range: CodeRange, why: Obstacle) -> Conflict {
    Conflict { range, why }
}
