//! What happened to one code, oldest first: its activation, its uses and their reversals, its
//! voiding.

use super::names::Found;
use crate::app::{AppError, Gateway};
use domain::{
    time::UnixMs,
    voucher::{
        change::Change,
        code::CodeNo,
        code_use::{CodeAct, CodeEvent, Scene},
        span::{Span, Stage},
    },
};

/// How many events of a code one question to the store brings at most.
const PAGE_ROWS: u32 = 500;

/// One entry of a code's history.
#[derive(Clone, Debug)]
pub enum Entry {
    /// It became active.
    Activated(UnixMs, Option<Box<Change>>),
    /// It became void.
    Voided(UnixMs, Option<Box<Change>>),
    /// A till used it, or gave a use back.
    Till(Box<AtTill>),
}

/// What happened to a code at a till.
#[derive(Clone, Debug)]
pub struct AtTill {
    /// What happened.
    pub event: CodeEvent,
    /// Where, whether or not the event itself tells.
    pub scene: Scene,
}

impl Entry {
    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> UnixMs {
        match self {
            Self::Activated(at, _) | Self::Voided(at, _) => *at,
            Self::Till(it) => it.event.at,
        }
    }

    /// Whether a use was given back.
    #[must_use]
    pub const fn is_give_back(&self) -> bool {
        match self {
            Self::Till(it) => matches!(it.event.act, CodeAct::GivenBack),
            Self::Activated(..) | Self::Voided(..) => false,
        }
    }
}

impl Gateway {
    /// The history of a code.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn trace(&self, found: &Found, code: CodeNo) -> Result<Vec<Entry>, AppError> {
        let spans = self.reader.spans(code.range(), None, 1).await?;
        let mut entries = Vec::new();
        let Some(span) = spans.first() else {
            return Ok(entries);
        };
        self.note_activation(found, span, &mut entries).await?;
        self.note_events(code, &mut entries).await?;
        if let Stage::Void(it) = &span.stage {
            let change = self.change(found.carton.tenant, &it.by).await?;
            entries.push(Entry::Voided(it.at, change.map(Box::new)));
        }
        Ok(entries)
    }

    async fn note_activation(
        &self,
        found: &Found,
        span: &Span,
        entries: &mut Vec<Entry>,
    ) -> Result<(), AppError> {
        if let Some(it) = span.activation() {
            let change = self.change(found.carton.tenant, &it.by).await?;
            entries.push(Entry::Activated(it.at, change.map(Box::new)));
        }
        Ok(())
    }

    async fn note_events(&self, code: CodeNo, entries: &mut Vec<Entry>) -> Result<(), AppError> {
        let events = self.events_of(code).await?;
        for some in events.chunks(PAGE_ROWS as usize) {
            let of_payments = some.iter().filter(|it| it.scene.is_none());
            let payments = of_payments.map(|it| (it.tenant, it.subject)).collect();
            let payments = self.reader.payments_by_serial(payments).await?;
            let scene_of = |event: &CodeEvent| {
                let payment = || payments.iter().find(|it| it.serial == event.subject);
                let scene = event.scene.clone();
                scene.or_else(|| payment().map(Scene::of_payment))
            };
            for event in some {
                let scene = scene_of(event).ok_or_else(|| {
                    let CodeEvent { subject, .. } = event;
                    tracing::error!(%subject, "a payment that used a code is not there");
                    AppError::Unforeseen
                })?;
                let event = event.clone();
                entries.push(Entry::Till(Box::new(AtTill { event, scene })));
            }
        }
        Ok(())
    }

    /// The events of a code, oldest first.
    pub(super) async fn events_of(&self, code: CodeNo) -> Result<Vec<CodeEvent>, AppError> {
        let (mut events, mut from) = (Vec::new(), None);
        loop {
            let page = self.reader.code_events(code, from, PAGE_ROWS).await?;
            from = page.last().and_then(CodeEvent::earlier);
            events.extend(page);
            if from.is_none() {
                events.reverse();
                return Ok(events);
            }
        }
    }
}
