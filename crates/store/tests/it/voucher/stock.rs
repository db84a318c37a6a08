//! Bulk stock: written once, found by digest and by name, and removed when it was never finished.

use super::{
    changes,
    samples::{
        carton, carton_no, change, code, code_use, digest, found, range, span, span_due, stored,
        unit,
    },
};
use crate::{
    fixture::{Fixture, on_each_store, write},
    loyalty::samples::OTHER,
    samples::TENANT,
};
use domain::{
    ids::Serial,
    loyalty::document::Document,
    voucher::{
        change::Verdict,
        code::{CodeDigest, CodeRange},
        code_use::CodeUse,
        rows::VoucherChanges,
        span::Span,
        stock::{Carton, Level, Unit},
    },
};
use store::{
    AdminOp, AdminReply, StoreError, Writer,
    contract::{FoundCode, Sight, StoredCounts, TreePage},
};

fn units(n: i64) -> Vec<Unit> {
    let mut units = vec![
        unit(Level::Carton, &format!("X{n}-carton"), range(n, 0, 11)),
        unit(Level::Package, &format!("B{n}-first"), range(n, 0, 5)),
        unit(Level::Package, &format!("B{n}-second"), range(n, 6, 11)),
    ];
    for reel in 0..4 {
        let first = reel * 3;
        units.push(Unit {
            sale_channel_order_id: Some(format!("{reel:032x}")),
            ..unit(
                Level::Reel,
                &format!("R{n}-{reel}"),
                range(n, first, first + 2),
            )
        });
    }
    units
}

/// The codes of a box, by their digests.
fn digests(n: i64) -> Vec<FoundCode> {
    let first = u32::try_from(n).unwrap() * 100;
    let all = (0..12).map(|index| found(first + index, code(n, index)));
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|it| it.digest);
    all
}

async fn fill(writer: &mut impl Writer, n: i64) {
    let codes = (0..12).map(|index| stored(code(n, index)));
    for op in [
        AdminOp::AddUnits(units(n)),
        AdminOp::AddCodes(codes.clone().take(7).collect()),
        AdminOp::AddCodes(codes.skip(7).collect()),
        AdminOp::AddDigests(digests(n)),
        AdminOp::AddDigests(Vec::new()),
    ] {
        assert_eq!(writer.admin(&op).await, Ok(AdminReply::Done));
    }
}

async fn counts(store: &impl Fixture, n: i64) -> (u64, u64, u64) {
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let counts = snapshot.stored_counts(carton_no(n)).await.unwrap();
    let StoredCounts {
        codes,
        digests,
        reels,
    } = counts;
    (codes, digests, reels)
}

async fn stock_is_found_by_digest_and_by_name(store: impl Fixture) {
    let mut writer = store.writer().await;
    for n in [1, 2] {
        fill(&mut writer, n).await;
    }
    drop(writer);
    let store = store.reopen().await;
    let reader = store.reader();
    for it in digests(1).into_iter().chain(digests(2)) {
        let leads = reader.codes_by_digest(vec![it.digest]).await;
        assert_eq!(leads, Ok(vec![it]));
    }
    let mut some: Vec<CodeDigest> = digests(2).iter().map(|it| it.digest).collect();
    some.truncate(3);
    some.push(digest(99));
    let mut leads = reader.codes_by_digest(some).await.unwrap();
    leads.sort_by_key(|it| it.digest);
    assert_eq!(leads, digests(2)[..3]);
    assert_eq!(reader.codes_by_digest(Vec::new()).await, Ok(Vec::new()));
    for it in units(1) {
        let named = reader.unit(TENANT, it.id.clone()).await;
        assert_eq!(named, Ok(Some(it.clone())));
        assert_eq!(reader.unit(OTHER, it.id.clone()).await, Ok(None));
        assert_eq!(reader.unit(TENANT, it.id.to_lowercase()).await, Ok(None));
    }
    let all: Vec<_> = (0..12).map(|index| stored(code(1, index))).collect();
    for (range, limit, expected) in [
        (range(1, 0, 11), 99, &all[..]),
        (range(1, 0, 11), 5, &all[..5]),
        (range(1, 3, 4), 99, &all[3..5]),
        (range(1, 11, u32::MAX), 99, &all[11..]),
        (range(3, 0, 11), 99, &[]),
    ] {
        let codes = reader.stored_codes(range, limit).await;
        assert_eq!(codes.as_deref(), Ok(expected), "{range:?}");
    }
    assert_eq!(counts(&store, 1).await, (12, 12, 4));
    assert_eq!(counts(&store, 3).await, (0, 0, 0));
}

async fn units_are_listed_within_a_range(store: impl Fixture) {
    let mut writer = store.writer().await;
    for n in [1, 2] {
        fill(&mut writer, n).await;
    }
    let all = units(1);
    let reader = store.reader();
    for (range, level, after, limit, expected) in [
        (range(1, 0, 11), Level::Carton, None, 9, &all[..1]),
        (range(1, 4, 4), Level::Carton, None, 9, &all[..1]),
        (range(1, 0, 11), Level::Package, None, 9, &all[1..3]),
        (range(1, 5, 6), Level::Package, None, 9, &all[1..3]),
        (range(1, 6, 6), Level::Package, None, 9, &all[2..3]),
        (range(1, 0, 11), Level::Reel, None, 9, &all[3..]),
        (range(1, 0, 11), Level::Reel, None, 2, &all[3..5]),
        (range(1, 0, 11), Level::Reel, Some(3), 9, &all[5..]),
        (range(1, 4, 7), Level::Reel, None, 9, &all[4..6]),
        (range(1, 4, 7), Level::Reel, Some(0), 9, &all[4..6]),
        (range(1, 4, 7), Level::Reel, Some(6), 9, &[]),
        (range(1, 12, 99), Level::Reel, None, 9, &[]),
    ] {
        let found = reader.units_in(range, level, after, limit).await;
        let context = format!("{range:?} {level:?} {after:?}");
        assert_eq!(found.as_deref(), Ok(expected), "{context}");
    }
}

async fn a_name_or_digest_of_another_is_refused_with_all_beside_it(store: impl Fixture) {
    let mut writer = store.writer().await;
    fill(&mut writer, 1).await;
    let taken = digests(1)[0].digest;
    let mut units = units(2);
    units.push(unit(Level::Reel, "R1-0", range(2, 0, 0)));
    let mut digests = digests(2);
    digests.push(FoundCode {
        digest: taken,
        ..found(999, code(2, 0))
    });
    for op in [AdminOp::AddUnits(units), AdminOp::AddDigests(digests)] {
        let refused = writer.admin(&op).await;
        assert!(
            matches!(refused, Err(StoreError::Refused(_))),
            "{refused:?}"
        );
    }
    assert_eq!(counts(&store, 2).await, (0, 0, 0));
    let leads = store.reader().codes_by_digest(vec![taken]).await.unwrap();
    assert_eq!(leads[0].code.carton, carton_no(1));
    // Another retailer's name is another name.
    let theirs = Unit {
        tenant: OTHER,
        ..unit(Level::Reel, "R1-0", range(2, 0, 0))
    };
    let added = writer.admin(&AdminOp::AddUnits(vec![theirs])).await;
    assert_eq!(added, Ok(AdminReply::Done));
}

async fn digests_that_begin_alike_lead_to_their_own_codes(store: impl Fixture) {
    let mut writer = store.writer().await;
    let alike = |last: u8, n: i64| {
        let mut digest = digest(7);
        digest.0[15] = last;
        FoundCode {
            digest,
            ..found(0, code(n, last.into()))
        }
    };
    let (first, second, third) = (alike(1, 1), alike(2, 1), alike(3, 2));
    for all in [vec![first, second], vec![third]] {
        let added = writer.admin(&AdminOp::AddDigests(all)).await;
        assert_eq!(added, Ok(AdminReply::Done));
    }
    let reader = store.reader();
    let leads = async |it: FoundCode| reader.codes_by_digest(vec![it.digest]).await.unwrap();
    for it in [first, second, third] {
        assert_eq!(leads(it).await, [it]);
    }
    assert_eq!(leads(alike(4, 1)).await, []);
    assert_eq!(counts(&store, 1).await, (0, 2, 0));
    let is_refused = async |writer: &mut _, it: FoundCode| {
        let added = Writer::admin(writer, &AdminOp::AddDigests(vec![it])).await;
        matches!(added, Err(StoreError::Refused(_)))
    };
    for it in [alike(1, 3), alike(2, 3), alike(3, 3)] {
        assert!(is_refused(&mut writer, it).await, "{it:?}");
    }
    let carton = carton_no(1);
    let remove = AdminOp::RemoveStock { carton, limit: 5 };
    assert_eq!(writer.admin(&remove).await, Ok(AdminReply::Removed(2)));
    // Nobody else has how it begins, but it is there.
    assert!(is_refused(&mut writer, alike(3, 3)).await);
    assert!(!is_refused(&mut writer, alike(2, 3)).await);
    assert_eq!(leads(third).await, [third]);
    assert_eq!(leads(alike(2, 3)).await, [alike(2, 3)]);
    assert_eq!(leads(first).await, []);
}

async fn what_was_never_finished_is_removed_in_parts(store: impl Fixture) {
    let mut writer = store.writer().await;
    for n in [1, 2] {
        fill(&mut writer, n).await;
    }
    let carton = carton_no(1);
    let remove = AdminOp::RemoveStock { carton, limit: 5 };
    // Of 12 digests, 12 codes and 7 units.
    for removed in [15, 12, 4, 0] {
        let reply = writer.admin(&remove).await;
        assert_eq!(reply, Ok(AdminReply::Removed(removed)));
    }
    assert_eq!(counts(&store, 1).await, (0, 0, 0));
    assert_eq!(counts(&store, 2).await, (12, 12, 4));
    let reader = store.reader();
    assert_eq!(reader.unit(TENANT, "X1-carton".to_owned()).await, Ok(None));
    // And all names are free again.
    fill(&mut writer, 1).await;
    assert_eq!(counts(&store, 1).await, (12, 12, 4));
}

/// A box of 12 codes in two spans; a till touched the third.
async fn fill_and_sell(writer: &mut impl Writer) -> ([Span; 2], CodeUse) {
    fill(writer, 1).await;
    let spans = [span(range(1, 0, 6)), span_due(range(1, 7, 11), 5)];
    let code_use = code_use(code(1, 2), 1, 0);
    let mut all = changes(VoucherChanges {
        spans: spans.to_vec(),
        uses_added: vec![code_use.clone()],
        ..VoucherChanges::default()
    });
    let carton = Document::Carton(Box::new(carton(TENANT, 1, 12)));
    all.loyalty.documents_added.push(carton);
    write(writer, all).await.unwrap();
    (spans, code_use)
}

async fn names_lead_to_codes_and_units_in_their_order(store: impl Fixture) {
    let mut writer = store.writer().await;
    fill(&mut writer, 1).await;
    let (codes, units) = (digests(1), units(1));
    let reader = store.reader();
    let named = |digest, name: &str| (digest, name.to_owned());
    // As a code, as a unit, as neither, as both, and the first once more.
    let asked = vec![
        named(codes[5].digest, "none"),
        named(digest(99), &units[2].id),
        named(digest(99), "none"),
        named(codes[0].digest, &units[0].id),
        named(codes[5].digest, "none"),
    ];
    let (code, unit) = (
        |at: usize| Some(codes[at]),
        |at: usize| Some(units[at].clone()),
    );
    let expected = vec![
        (code(5), None),
        (None, unit(2)),
        (None, None),
        (code(0), unit(0)),
        (code(5), None),
    ];
    assert_eq!(reader.named(TENANT, asked.clone()).await, Ok(expected));
    let nothing = vec![(None, None); asked.len()];
    assert_eq!(reader.named(OTHER, asked).await, Ok(nothing));
    assert_eq!(reader.named(TENANT, Vec::new()).await, Ok(Vec::new()));
}

/// A name leads to a code, to a unit, or to both; then the code's box counts.
async fn a_name_comes_with_all_that_is_told_of_it(store: impl Fixture) {
    let mut writer = store.writer().await;
    let (spans, code_use) = fill_and_sell(&mut writer).await;
    fill(&mut writer, 2).await;
    let reader = store.reader();
    let (codes, names) = (digests(1), units(1));
    let look = |digest, name: &str| reader.sight(TENANT, digest, name.to_owned());
    let by_index = |index| *codes.iter().find(|it| it.code.index == index).unwrap();
    for index in 0..12_u32 {
        let found = by_index(index);
        let (package, reel) = (usize::from(index > 5), index as usize / 3);
        let expected = Sight {
            code: Some(found),
            unit: None,
            carton: Some(carton(TENANT, 1, 12)),
            page: TreePage {
                packages: vec![names[1 + package].clone()],
                reels: vec![names[3 + reel].clone()],
                codes: vec![stored(found.code)],
                uses: (index == 2).then(|| code_use.clone()).into_iter().collect(),
                spans: vec![spans[usize::from(index > 6)].clone()],
            },
            activation: None,
        };
        assert_eq!(look(found.digest, "none").await, Ok(expected), "{index}");
        let theirs = reader.sight(OTHER, found.digest, "none".to_owned()).await;
        assert_eq!(theirs, Ok(Sight::default()));
    }
    // Once the change is there by which they are active.
    let activation = change(TENANT, "a'1", Verdict::TooMany);
    assert_eq!(spans[1].active_by(), Some(&activation.id));
    let mut all = changes(VoucherChanges::default());
    let document = Document::Change(Box::new(activation.clone()));
    all.loyalty.documents_added.push(document);
    write(&mut writer, all).await.unwrap();
    for (index, expected) in [(6, None), (7, Some(&activation))] {
        let sight = look(by_index(index).digest, "none").await.unwrap();
        assert_eq!(sight.activation.as_ref(), expected, "{index}");
    }
    let unit = look(digest(99), &names[4].id).await;
    let expected = Sight {
        unit: Some(names[4].clone()),
        carton: Some(carton(TENANT, 1, 12)),
        ..Sight::default()
    };
    assert_eq!(unit, Ok(expected));
    let both = look(by_index(3).digest, &units(2)[0].id).await.unwrap();
    assert_eq!(both.unit.as_ref(), Some(&units(2)[0]));
    assert_eq!(both.carton, Some(carton(TENANT, 1, 12)));
    assert_eq!(both.code, Some(by_index(3)));
    assert_eq!(look(digest(99), "none").await, Ok(Sight::default()));
}

/// A box's key is its serial as text, which a store may have to work out.
async fn a_name_leads_to_a_box_of_any_day(store: impl Fixture) {
    let mut writer = store.writer().await;
    let days = [0, 1, 58, 59, 789, 11_016, 20_779, 47_541, 2_932_896];
    for day in days {
        let name = format!("X-of-day-{day}");
        let serial = Serial(day * 1_000_000_000_000 + 863_999_990_907 * (day % 2));
        let its = Carton {
            serial,
            ..carton(TENANT, 1, 12)
        };
        let range = CodeRange {
            carton: serial,
            ..range(1, 0, 11)
        };
        let named = AdminOp::AddUnits(vec![unit(Level::Carton, &name, range)]);
        assert_eq!(writer.admin(&named).await, Ok(AdminReply::Done));
        let mut all = changes(VoucherChanges::default());
        let document = Document::Carton(Box::new(its.clone()));
        all.loyalty.documents_added.push(document);
        write(&mut writer, all).await.unwrap();
        let sight = store.reader().sight(TENANT, digest(99), name).await;
        assert_eq!(sight.map(|it| it.carton), Ok(Some(its)), "{day}");
    }
}

async fn a_page_of_a_tree_has_all_that_it_shows(store: impl Fixture) {
    let mut writer = store.writer().await;
    let (spans, code_use) = fill_and_sell(&mut writer).await;
    let units = units(1);
    let page = store.reader().tree_page(range(1, 2, 7), 6).await.unwrap();
    let codes = (2..8).map(|index| stored(code(1, index))).collect();
    let expected = TreePage {
        packages: units[1..3].to_vec(),
        reels: units[3..6].to_vec(),
        codes,
        uses: vec![code_use],
        spans: spans.to_vec(),
    };
    assert_eq!(page, expected);
    let beyond = store.reader().tree_page(range(1, 12, 20), 9).await;
    assert_eq!(beyond, Ok(TreePage::default()));
}

on_each_store! {
    stock_is_found_by_digest_and_by_name,
    names_lead_to_codes_and_units_in_their_order,
    a_name_comes_with_all_that_is_told_of_it,
    a_name_leads_to_a_box_of_any_day,
    a_page_of_a_tree_has_all_that_it_shows,
    units_are_listed_within_a_range,
    a_name_or_digest_of_another_is_refused_with_all_beside_it,
    digests_that_begin_alike_lead_to_their_own_codes,
    what_was_never_finished_is_removed_in_parts,
}
