//! Any message and any reply, for the properties.

use std::borrow::Cow;

use proptest::prelude::*;
use wire::voucher::reply::{
    Bill, CodeDetail, CodesReply, TraceEntry, TraceReply, Tree, VoucherBox, VoucherPkg, VoucherReel,
};
use wire::voucher::request::{
    Activate, ActiveByPartNo, Codes, ExtendData, FEN_MAX, Item, Items, Request, ResultQuery,
    SegmentKind, TraceQuery,
};
use wire::voucher::{
    Action, CivilTime, CodeStatus, PartNoReply, ReturnCode, StatusCode, TraceKind,
};

/// What has no `Debug`; an assertion that fails prints its text instead.
#[derive(Clone)]
pub struct Unseen<T>(pub T);

impl<T> std::fmt::Debug for Unseen<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<T>())
    }
}

pub fn action() -> impl Strategy<Value = Action> {
    prop::sample::select(Action::ALL)
}

fn text() -> impl Strategy<Value = String> {
    "[^\\x00-\\x1F\\x7F-\\x9F]{1,64}"
}

fn number() -> impl Strategy<Value = String> {
    "[!-~]{1,64}"
}

fn business_type() -> impl Strategy<Value = Option<u32>> {
    prop::option::of(prop_oneof![Just(12), 0..=999_999_999_u32])
}

fn item() -> impl Strategy<Value = Unseen<Item>> {
    "[0-9A-Za-z=-]{8,64}".prop_map(|text| Unseen(Item::parse(&text).unwrap()))
}

fn items() -> impl Strategy<Value = Unseen<Items>> {
    prop::collection::vec(item(), 1..5).prop_map(|items| {
        let items = items.into_iter().map(|item| item.0);
        Unseen(Items::new(items.collect()).unwrap())
    })
}

fn extend_data() -> impl Strategy<Value = ExtendData> {
    let text = || prop::option::of(text());
    (text(), text(), text(), text()).prop_map(|(shop_no, voucher_no, pos_serial_no, oms)| {
        ExtendData {
            shop_no,
            voucher_no,
            pos_serial_no,
            oms,
        }
    })
}

pub fn time() -> impl Strategy<Value = CivilTime> {
    let date = (1..=9999_i16, 1..=12_i8, 1..=28_i8);
    let clock = (0..=23_i8, 0..=59_i8, 0..=59_i8);
    (date, clock).prop_map(|(date, clock)| CivilTime::new(date, clock).unwrap())
}

fn activate() -> impl Strategy<Value = Unseen<Activate>> {
    (
        number(),
        items(),
        0..=FEN_MAX,
        business_type(),
        extend_data(),
    )
        .prop_map(
            |(trace_no, items, total_amount_fen, business_type, extend_data)| {
                Unseen(Activate {
                    trace_no,
                    items: items.0,
                    total_amount_fen,
                    business_type,
                    extend_data,
                })
            },
        )
}

fn codes() -> impl Strategy<Value = Unseen<Codes>> {
    (number(), items(), business_type()).prop_map(|(trace_no, items, business_type)| {
        Unseen(Codes {
            trace_no,
            items: items.0,
            business_type,
        })
    })
}

fn result_query() -> impl Strategy<Value = ResultQuery> {
    (number(), number(), business_type()).prop_map(
        |(trace_no, original_trace_no, business_type)| ResultQuery {
            trace_no,
            original_trace_no,
            business_type,
        },
    )
}

pub fn part_no() -> impl Strategy<Value = ActiveByPartNo> {
    let account = "[0-9A-Za-z._-]{1,32}";
    let ids = (account, account, "[!-~&&[^&]]{1,28}");
    let segment = (
        any::<bool>(),
        "[0-9]{6}",
        0..=9_999_999_u32,
        0..=9_999_999_u32,
    );
    let prices = prop::option::of((0..=FEN_MAX, 0..=FEN_MAX));
    let rest = (
        prop::option::of(0..=999_999_999_u32),
        prices,
        prop::option::of((time(), time())),
    );
    (ids, segment, rest).prop_filter_map(
        "a moment is no time of validity",
        |((partner_id, merchant_id, partner_order_id), segment, (number, prices, times))| {
            let (is_card, bin, one, other) = segment;
            let prices = if is_card {
                prices
            } else {
                Some(prices.unwrap_or((1, 2)))
            };
            let times = times.map(|(one, other)| (one.min(other), one.max(other)));
            if times.is_some_and(|(start, end)| start == end) {
                return None;
            }
            let kind = if is_card {
                SegmentKind::Card
            } else {
                SegmentKind::Voucher
            };
            Some(ActiveByPartNo {
                partner_id,
                merchant_id,
                partner_order_id,
                kind,
                bin: bin[..kind.bin_digits()].to_owned(),
                start: one.min(other),
                end: one.max(other),
                number,
                selling_price_fen: prices.map(|(one, other)| one.max(other)),
                cost_price_fen: prices.map(|(one, other)| one.min(other)),
                valid_start: times.map(|(start, _)| start),
                valid_end: times.map(|(_, end)| end),
            })
        },
    )
}

pub fn request() -> impl Strategy<Value = Unseen<Request>> {
    prop_oneof![
        activate().prop_map(|it| Unseen(Request::ActiveVoucher(it.0))),
        activate().prop_map(|it| Unseen(Request::ReelActiveVoucher(it.0))),
        result_query().prop_map(|it| Unseen(Request::ActiveResultQuery(it))),
        codes().prop_map(|it| Unseen(Request::DelVoucher(it.0))),
        codes().prop_map(|it| Unseen(Request::ReelDelVoucher(it.0))),
        codes().prop_map(|it| Unseen(Request::QueryVerifyInfo(it.0))),
        codes().prop_map(|it| Unseen(Request::QueryVoucher(it.0))),
        (number(), item()).prop_map(|(request_id, item)| {
            let item = item.0;
            Unseen(Request::QueryCodeTrace(TraceQuery { request_id, item }))
        }),
        part_no().prop_map(|it| Unseen(Request::ActiveByPartNo(it))),
    ]
}

fn detail() -> impl Strategy<Value = Unseen<CodeDetail<'static>>> {
    let texts = prop::array::uniform7("\\PC{0,20}".prop_map(Cow::<'static, str>::Owned));
    let numbers = (any::<u32>(), any::<i64>(), any::<i64>(), 0..=FEN_MAX);
    let times = (time(), prop::option::of(time()), prop::option::of(time()));
    let status = prop::sample::select(CodeStatus::ALL);
    (texts, numbers, times, status).prop_map(|(texts, numbers, times, status)| {
        let [order, desc, code, activity, sale, send, ticket] = texts;
        Unseen(CodeDetail {
            create_time: times.0,
            sale_channel_order_id: order,
            remain_times: numbers.0,
            status,
            status_desc: desc,
            code: Cow::Owned(format!("c{code}")),
            activity_id: numbers.1,
            activity_name: activity,
            sale_channel_name: sale,
            send_channel_name: send,
            ticket_id: numbers.2,
            ticket_name: ticket,
            face_value_fen: numbers.3,
            valid_start: times.1,
            valid_end: times.2,
        })
    })
}

/// Packages with at least one code in each reel, neighbours of different ids.
fn packages() -> impl Strategy<Value = Unseen<Vec<VoucherPkg>>> {
    let reel = prop::collection::vec(detail(), 1..3);
    let package = prop::collection::btree_map("\\PC{0,8}", reel, 1..3);
    prop::collection::btree_map("\\PC{0,8}", package, 1..3).prop_map(|packages| {
        let packages = packages.into_iter().map(|(pkg_id, reels)| VoucherPkg {
            pkg_id,
            reels: reels
                .into_iter()
                .map(|(reel_id, codes)| VoucherReel {
                    reel_id,
                    codes: codes.into_iter().map(|code| code.0).collect(),
                })
                .collect(),
        });
        Unseen(packages.collect())
    })
}

pub fn tree() -> impl Strategy<Value = Unseen<Option<Tree>>> {
    let boxes = prop::collection::btree_map("\\PC{0,8}", packages(), 1..3);
    prop_oneof![
        Just(Unseen(None)),
        packages().prop_map(|packages| Unseen(Some(Tree::Packages(packages.0)))),
        boxes.prop_map(|boxes| {
            let boxes = boxes.into_iter().map(|(box_id, packages)| VoucherBox {
                box_id,
                packages: packages.0,
            });
            Unseen(Some(Tree::Boxes(boxes.collect())))
        }),
    ]
}

fn bill() -> impl Strategy<Value = Bill> {
    (0..=FEN_MAX, 0..=FEN_MAX, 0..=FEN_MAX, "\\PC{0,20}").prop_map(
        |(paid_amount_fen, invoice_amount_fen, receipt_amount_fen, print_content)| Bill {
            paid_amount_fen,
            invoice_amount_fen,
            receipt_amount_fen,
            print_content,
        },
    )
}

/// An action with a reply to it; only lookups have bills.
pub fn codes_reply() -> impl Strategy<Value = (Action, CodesReply)> {
    let actions: Vec<_> = Action::ALL.iter().copied().filter(is_about_codes).collect();
    let numbers = (prop::option::of(number()), prop::option::of(number()));
    let rest = (
        any::<prop::sample::Index>(),
        text(),
        time(),
        numbers,
        prop::option::of(bill()),
    );
    (prop::sample::select(actions), rest).prop_map(|(action, (code, desc, at, numbers, bill))| {
        let codes: Vec<_> = ReturnCode::ALL
            .iter()
            .filter(|it| it.is_of(action))
            .collect();
        let is_lookup = matches!(action, Action::QueryVerifyInfo | Action::QueryVoucher);
        let mut reply = CodesReply::new(*codes[code.index(codes.len())], desc, at);
        reply.trace_no = numbers.0;
        reply.order_no = numbers.1;
        reply.bill = bill.filter(|_| is_lookup);
        (action, reply)
    })
}

fn is_about_codes(action: &Action) -> bool {
    !matches!(action, Action::QueryCodeTrace | Action::ActiveByPartNo)
}

fn entry() -> impl Strategy<Value = Unseen<TraceEntry>> {
    let texts = prop::array::uniform7("\\PC{0,20}");
    let kind = prop::sample::select(TraceKind::ALL);
    (time(), kind, texts, extend_data()).prop_map(|(at, kind, texts, extend_data)| {
        let [message, code, mid, shop_name, shop_no, tid, swift] = texts;
        Unseen(TraceEntry {
            at,
            kind,
            message,
            code: format!("c{code}"),
            mid,
            shop_name,
            shop_no,
            tid,
            swift,
            extend_data,
        })
    })
}

pub fn trace_reply() -> impl Strategy<Value = Unseen<TraceReply>> {
    let codes = ["00", "01", "02"].map(|code| ReturnCode::from_code(code).unwrap());
    let entries = prop::collection::vec(entry(), 0..4);
    let head = (prop::sample::select(codes.to_vec()), text(), any::<i64>());
    (head, prop::option::of(number()), entries).prop_map(|(head, request_id, entries)| {
        let (code, desc, trans_time_ms) = head;
        Unseen(TraceReply {
            code,
            desc,
            trans_time_ms,
            request_id,
            entries: entries.into_iter().map(|entry| entry.0).collect(),
        })
    })
}

pub fn part_no_reply() -> impl Strategy<Value = PartNoReply> {
    let status = prop::sample::select(StatusCode::ALL);
    (status, "\\PC{0,40}", prop::option::of(time())).prop_map(|(status, message, create_time)| {
        PartNoReply {
            status,
            message,
            create_time,
        }
    })
}
