//! Voucher codes as columns. Spans and events are read and written whole, so they are one JSON
//! text beside their keys; uses are summed, so each of their fields is a column.

use super::{
    corrupt,
    loyalty::{read, unread, write},
};
use crate::contract::{FoundCode, StoreError};
use domain::{
    ids::{Serial, TenantId},
    time::UnixMs,
    voucher::{
        code::{CodeDigest, CodeNo, CodeRange},
        code_use::{CodeAct, CodeEvent, CodeUse, KeptEvent},
        span::Span,
        stock::{Level, Unit},
    },
};

codes!(level_code, level_from, Level, {
    Level::Carton => 1 => Level::Carton,
    Level::Package => 2 => Level::Package,
    Level::Reel => 3 => Level::Reel,
});

/// The stored number of a level.
pub(crate) const fn level(level: Level) -> i16 {
    level_code(level)
}

/// A column that holds what counts or numbers codes.
fn count(stored: i64) -> Result<u32, StoreError> {
    u32::try_from(stored).map_err(|_| corrupt("number of a code", &stored))
}

/// A code by the columns of its box and its index there.
pub(crate) fn code(carton: i64, index: i64) -> Result<CodeNo, StoreError> {
    Ok(CodeNo {
        carton: Serial(carton),
        index: count(index)?,
    })
}

fn range(carton: i64, first: i64, last: i64) -> Result<CodeRange, StoreError> {
    if first > last {
        return Err(corrupt("range of codes", &format!("{first} to {last}")));
    }
    Ok(CodeRange {
        carton: Serial(carton),
        first: count(first)?,
        last: count(last)?,
    })
}

/// A digest by its column.
fn digest(stored: &[u8]) -> Result<CodeDigest, StoreError> {
    let digest = stored.try_into().map(CodeDigest);
    digest.map_err(|_| corrupt("digest", &format!("{} bytes", stored.len())))
}

/// Where a digest leads, by its columns.
pub(crate) fn found(
    stored: &[u8],
    tenant: i64,
    carton: i64,
    index: i64,
) -> Result<FoundCode, StoreError> {
    Ok(FoundCode {
        digest: digest(stored)?,
        tenant: TenantId(tenant),
        code: code(carton, index)?,
    })
}

/// A box, package or reel as columns.
#[derive(Clone, Debug)]
pub(crate) struct FlatUnit {
    pub tenant: i64,
    pub id: String,
    /// 1 box, 2 package, 3 reel.
    pub level: i16,
    pub carton: i64,
    pub first: i64,
    pub last: i64,
    pub sale_channel_order_id: Option<String>,
}

impl FlatUnit {
    pub(crate) fn of(unit: &Unit) -> Self {
        Self {
            tenant: unit.tenant.0,
            id: unit.id.clone(),
            level: level_code(unit.level),
            carton: unit.range.carton.0,
            first: i64::from(unit.range.first),
            last: i64::from(unit.range.last),
            sale_channel_order_id: unit.sale_channel_order_id.clone(),
        }
    }

    pub(crate) fn read(self) -> Result<Unit, StoreError> {
        Ok(Unit {
            tenant: TenantId(self.tenant),
            id: self.id,
            level: level_from(self.level)?,
            range: range(self.carton, self.first, self.last)?,
            sale_channel_order_id: self.sale_channel_order_id,
        })
    }
}

/// A span as columns.
#[derive(Clone, Debug)]
pub(crate) struct FlatSpan {
    pub tenant: i64,
    pub carton: i64,
    pub first: i64,
    pub last: i64,
    /// Where it is written: when a worker has to look at it. It follows from the body, so it is
    /// not read.
    pub due_at: Option<i64>,
    pub body: String,
}

impl FlatSpan {
    pub(crate) fn of(span: &Span) -> Result<Self, StoreError> {
        let CodeRange {
            carton,
            first,
            last,
        } = span.range;
        let body = write(span).map_err(|error| {
            let text = format!("span {first} of box {carton} cannot be written: {error}");
            StoreError::Corrupt(text)
        })?;
        Ok(Self {
            tenant: span.tenant.0,
            carton: carton.0,
            first: i64::from(first),
            last: i64::from(last),
            due_at: span.due_at().map(|it| it.0),
            body,
        })
    }

    pub(crate) fn read(self) -> Result<Span, StoreError> {
        let named = || format!("span {} of box {}", self.first, Serial(self.carton));
        let span: Span = read(&self.body).map_err(|error| unread(&named(), &error))?;
        let at = (
            TenantId(self.tenant),
            range(self.carton, self.first, self.last)?,
        );
        if (span.tenant, span.range) == at {
            return Ok(span);
        }
        let text = format!("{}: its body is another's", named());
        Err(StoreError::Corrupt(text))
    }
}

/// What tills did with a code, as columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlatUse {
    pub tenant: i64,
    pub carton: i64,
    pub idx: i64,
    pub used: i64,
    pub reserved: i64,
    pub events: i64,
    pub newest: Option<i64>,
    pub last: Option<i64>,
    /// What became of it, when, and the subject of the event before, where its newest event is kept in its
    /// row.
    pub act: Option<i16>,
    pub at: Option<i64>,
    pub before: Option<i64>,
}

codes!(act_code, act_from, CodeAct, {
    CodeAct::Used => 1 => CodeAct::Used,
    CodeAct::GivenBack => 2 => CodeAct::GivenBack,
});

impl FlatUse {
    pub(crate) fn of(code_use: &CodeUse) -> Self {
        Self {
            tenant: code_use.tenant.0,
            carton: code_use.code.carton.0,
            idx: i64::from(code_use.code.index),
            used: i64::from(code_use.used),
            reserved: i64::from(code_use.reserved),
            events: i64::from(code_use.events),
            newest: code_use.newest.map(|it| it.0),
            last: code_use.last.map(|it| it.0),
            act: code_use.kept.map(|it| act_code(it.act)),
            at: code_use.kept.map(|it| it.at.0),
            before: code_use.kept.and_then(|it| it.before).map(|it| it.0),
        }
    }

    pub(crate) fn read(self) -> Result<CodeUse, StoreError> {
        let code_use = CodeUse {
            tenant: TenantId(self.tenant),
            code: code(self.carton, self.idx)?,
            used: count(self.used)?,
            reserved: count(self.reserved)?,
            events: count(self.events)?,
            newest: self.newest.map(Serial),
            last: self.last.map(Serial),
            kept: self.kept()?,
        };
        // Otherwise its history would begin nowhere, or in the middle.
        let begins = (code_use.events > 0) == code_use.last.is_some();
        let has_kept = code_use.kept.is_none() || code_use.events > 0;
        let leads = code_use
            .kept
            .is_none_or(|it| it.before.is_some() == (code_use.events > 1));
        if begins && has_kept && leads {
            return Ok(code_use);
        }
        let text = format!("{} events, the newest of {:?}", self.events, self.last);
        Err(corrupt("code with a history", &text))
    }

    fn kept(&self) -> Result<Option<KeptEvent>, StoreError> {
        match (self.act, self.at, self.before) {
            (None, None, None) => Ok(None),
            (Some(act), Some(at), before) => Ok(Some(KeptEvent {
                act: act_from(act)?,
                at: UnixMs(at),
                before: before.map(Serial),
            })),
            wrong => Err(corrupt("kept event of a code", &format!("{wrong:?}"))),
        }
    }
}

/// An event of a code as columns.
#[derive(Clone, Debug)]
pub(crate) struct FlatCodeEvent {
    pub tenant: i64,
    pub subject: i64,
    pub carton: i64,
    pub idx: i64,
    pub number: i64,
    /// The subject of the event before it, where a statement follows it. It follows from the body,
    /// so it is not read.
    pub before: Option<i64>,
    pub body: String,
}

impl FlatCodeEvent {
    pub(crate) fn of(event: &CodeEvent) -> Result<Self, StoreError> {
        let CodeNo { carton, index } = event.code;
        let body = write(event).map_err(|error| {
            let text = format!("an event of code {index} of box {carton}: {error}");
            StoreError::Corrupt(text)
        })?;
        Ok(Self {
            tenant: event.tenant.0,
            subject: event.subject.0,
            carton: carton.0,
            idx: i64::from(index),
            number: i64::from(event.number),
            before: event.before.map(|it| it.0),
            body,
        })
    }

    pub(crate) fn read(self) -> Result<CodeEvent, StoreError> {
        let Self { idx, number, .. } = self;
        let named = || {
            let carton = Serial(self.carton);
            format!("event {number} of code {idx} of box {carton}")
        };
        let event: CodeEvent = read(&self.body).map_err(|error| unread(&named(), &error))?;
        Ok(CodeEvent {
            tenant: TenantId(self.tenant),
            code: code(self.carton, idx)?,
            number: count(number)?,
            subject: Serial(self.subject),
            ..event
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        time::UnixMs,
        voucher::{
            change::ChangeId,
            code_use::{CodeAct, Scene},
            span::{Activation, Stage},
            ticket::Term,
        },
    };

    const CARTON: Serial = Serial(20_779_000_000_000_001);

    fn span() -> Span {
        Span {
            tenant: TenantId(1),
            range: CodeRange {
                carton: CARTON,
                first: 5,
                last: u32::MAX,
            },
            stage: Stage::Active(Activation {
                by: ChangeId::from_stored("1504/A/x".to_owned()),
                at: UnixMs(1),
                term: Term {
                    from: None,
                    until: Some(UnixMs(9)),
                },
                expired: false,
            }),
            frozen: true,
        }
    }

    #[test]
    fn a_span_under_another_key_is_corrupt() {
        let flat = FlatSpan::of(&span()).unwrap();
        assert_eq!(flat.due_at, Some(9));
        assert_eq!(flat.clone().read(), Ok(span()));
        let doctors: [fn(&mut FlatSpan); 5] = [
            |it| it.tenant = 2,
            |it| it.carton += 1,
            |it| it.first -= 1,
            |it| it.last -= 1,
            |it| it.last = it.first - 1,
        ];
        for doctor in doctors {
            let mut doctored = flat.clone();
            doctor(&mut doctored);
            let read = doctored.read();
            assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
        }
    }

    #[test]
    fn a_code_whose_events_lead_nowhere_is_corrupt() {
        let code = CodeNo {
            carton: CARTON,
            index: 7,
        };
        let used = CodeUse {
            used: 1,
            events: 1,
            newest: Some(Serial(3)),
            last: Some(Serial(3)),
            ..CodeUse::untouched(TenantId(1), code)
        };
        let mut keeps = used.clone();
        assert_eq!(keeps.keep(CodeAct::GivenBack, UnixMs(4), Serial(5)), None);
        let kept = FlatUse::of(&keeps);
        assert_eq!(kept.read(), Ok(keeps));
        let flat = FlatUse::of(&used);
        assert_eq!(flat.read(), Ok(used));
        for wrong in [
            FlatUse { at: None, ..kept },
            FlatUse { act: None, ..kept },
            FlatUse {
                act: Some(3),
                ..kept
            },
            FlatUse {
                before: None,
                ..kept
            },
            FlatUse { events: 1, ..kept },
            FlatUse {
                events: 0,
                last: None,
                ..kept
            },
            FlatUse { last: None, ..flat },
            FlatUse { events: 0, ..flat },
            FlatUse {
                idx: 1 << 32,
                ..flat
            },
            FlatUse {
                reserved: -1,
                ..flat
            },
        ] {
            let read = wrong.read();
            assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
        }
    }

    #[test]
    fn an_event_is_what_its_columns_and_its_text_say() {
        let event = CodeEvent {
            tenant: TenantId(1),
            code: CodeNo {
                carton: CARTON,
                index: 7,
            },
            number: 2,
            act: CodeAct::GivenBack,
            at: UnixMs(4),
            subject: Serial(3),
            before: Some(Serial(2)),
            scene: None,
        };
        let flat = FlatCodeEvent::of(&event).unwrap();
        assert_eq!(flat.body, r#"{"a":"G","t":4,"b":2}"#);
        assert_eq!(flat.clone().read(), Ok(event.clone()));
        let doctors: [fn(&mut FlatCodeEvent); 3] = [
            |it| it.idx = -1,
            |it| it.number = 1 << 32,
            |it| it.body = r#"{"a":"Used"}"#.to_owned(),
        ];
        for doctor in doctors {
            let mut doctored = flat.clone();
            doctor(&mut doctored);
            let read = doctored.read();
            assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
        }
        // As former versions wrote it.
        let long = FlatCodeEvent {
            body: r#"{"tenant":1,"code":{"b":20779000000000001,"i":7},"number":2,
                "act":"GivenBack","at":4,"subject":3,"before":2,"scene":{}}"#
                .to_owned(),
            ..flat
        };
        let event = CodeEvent {
            scene: Some(Scene::default()),
            ..event
        };
        assert_eq!(long.read(), Ok(event));
    }
}
