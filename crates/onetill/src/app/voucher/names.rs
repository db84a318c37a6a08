//! What a printed name leads to: a box, a package or a reel by its name, a code by its text.

use super::{
    partners::KnownPartner,
    tree::{Page, Paid},
};
use crate::app::{AppError, Gateway, loyalty::documents};
use domain::{
    ids::{Serial, TenantId},
    loyalty::document::{Document, DocumentKey, DocumentKind},
    voucher::{
        code::{CodeRange, may_be_code},
        partner::PartnerNo,
        stock::{Carton, Level},
    },
};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

/// How many rows one question to the store brings at most.
const PAGE_ROWS: u32 = 500;

/// What a name leads to.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its codes.
    pub range: CodeRange,
    /// What it is; `None` for a single code.
    pub level: Option<Level>,
    /// The box they lie in.
    pub carton: Arc<Carton>,
}

/// What one name leads to.
pub enum OneFound {
    /// A box, a package or a reel.
    Unit(Found),
    /// A code, with all that is told of it.
    Code(Page, Paid),
}

/// Codes, and what they are; `None` for a single one.
type Place = (CodeRange, Option<Level>);

/// Boxes as they were read for one request.
#[derive(Default)]
struct Cartons(HashMap<Serial, Option<Arc<Carton>>>);

impl Cartons {
    async fn get(
        &mut self,
        gateway: &Gateway,
        tenant: TenantId,
        serial: Serial,
    ) -> Result<Option<Arc<Carton>>, AppError> {
        match self.0.entry(serial) {
            Entry::Occupied(it) => Ok(it.get().clone()),
            Entry::Vacant(it) => {
                let carton = gateway.carton(tenant, serial).await?;
                Ok(it.insert(carton.map(Arc::new)).clone())
            }
        }
    }
}

impl Gateway {
    /// A box that is ready.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn carton(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> Result<Option<Carton>, AppError> {
        let key = DocumentKey::carton(tenant, serial);
        let found = self.reader.document(key).await?;
        Ok(found.and_then(documents::carton).filter(|it| it.ready))
    }

    /// What each name leads to; `None` where it is nobody's, or not this partner's.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn find_names(
        &self,
        partner: &KnownPartner,
        names: &[&str],
    ) -> Result<Vec<Option<Found>>, AppError> {
        let number = partner.partner.number;
        let mut found = self.find_all_names(partner.partner.tenant, names).await?;
        for it in &mut found {
            *it = it.take().filter(|it| it.carton.partner == number);
        }
        Ok(found)
    }

    /// What one name leads to, and if it is a code's all that is told of it, in one look at the
    /// store; `None` where it is nobody's, or not this partner's.
    ///
    /// # Errors
    /// When the store failed, or rows of a box are missing.
    pub async fn find_one(
        &self,
        partner: &KnownPartner,
        name: &str,
    ) -> Result<Option<OneFound>, AppError> {
        if !may_be_code(name) {
            return Ok(None);
        }
        let partner = &partner.partner;
        let digest = self.vouchers.codes.digest(partner.tenant, name);
        let sight = self.reader.sight(partner.tenant, digest, name.to_owned());
        let sight = sight.await?;
        let theirs = sight
            .carton
            .filter(|it| it.ready && it.partner == partner.number);
        let Some(carton) = theirs.map(Arc::new) else {
            return Ok(None);
        };
        if sight.code.is_some() {
            let page = self.page_as_it_stands(carton, sight.page)?;
            let mut paid = Paid::default();
            sight.activation.iter().for_each(|it| paid.add(it));
            return Ok(Some(OneFound::Code(page, paid)));
        }
        Ok(sight.unit.map(|unit| {
            OneFound::Unit(Found {
                range: unit.range,
                level: Some(unit.level),
                carton,
            })
        }))
    }

    /// What each name leads to, whichever partner of the tenant has it.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn find_all_names(
        &self,
        tenant: TenantId,
        names: &[&str],
    ) -> Result<Vec<Option<Found>>, AppError> {
        let mut cartons = Cartons::default();
        let mut found = Vec::with_capacity(names.len());
        for place in self.find_places(tenant, names).await? {
            found.push(match place {
                Some((range, level)) => {
                    let carton = cartons.get(self, tenant, range.carton).await?;
                    carton.map(|carton| Found {
                        range,
                        level,
                        carton,
                    })
                }
                None => None,
            });
        }
        Ok(found)
    }

    /// Where names lead, in one look at the store.
    async fn find_places(
        &self,
        tenant: TenantId,
        names: &[&str],
    ) -> Result<Vec<Option<Place>>, AppError> {
        let may_be = names.iter().filter(|it| may_be_code(it));
        let asked = may_be.map(|it| {
            let digest = self.vouchers.codes.digest(tenant, it);
            (digest, (*it).to_owned())
        });
        let named = self.reader.named(tenant, asked.collect()).await?;
        let mut places = named.into_iter().map(|named| match named {
            (Some(code), _) => Some((code.code.range(), None)),
            (None, Some(unit)) => Some((unit.range, Some(unit.level))),
            (None, None) => None,
        });
        let of = |name: &&str| may_be_code(name).then(|| places.next().flatten()).flatten();
        Ok(names.iter().map(of).collect())
    }

    /// All boxes of a partner that are ready.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn cartons_of(
        &self,
        tenant: TenantId,
        partner: PartnerNo,
    ) -> Result<Vec<Arc<Carton>>, AppError> {
        let mut cartons = Vec::new();
        let mut after = None;
        loop {
            let kind = DocumentKind::Carton;
            let page = self
                .reader
                .documents(kind, Some(tenant), after, PAGE_ROWS)
                .await?;
            let Some(last) = page.last().map(Document::key) else {
                return Ok(cartons);
            };
            after = Some((last.tenant, last.key));
            let found = page.into_iter().filter_map(documents::carton);
            let theirs = found.filter(|it| it.ready && it.partner == partner);
            cartons.extend(theirs.map(Arc::new));
        }
    }
}
