//! A box that is being filled: units first, then codes in the order of their indices, then their
//! digests in the order of digests, since each kind is stored fastest so.

use super::{
    Progress, StockError,
    chance::Chance,
    mint::{self, CodeSerials},
};
use crate::app::{AppError, Gateway, voucher::codes::CodeVault};
use domain::{
    ids::TenantId,
    voucher::{
        code::{CodeDigest, CodeNo, CodeRange},
        stock::{Carton, Level, Shape, Unit},
    },
};
use std::ops::Range;
use store::{
    AdminOp, EngineError, StoreError,
    contract::{FoundCode, StoredCode},
};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// How many rows are stored in one commit: payments beside wait for no more.
const ROWS_A_COMMIT: usize = 2_000;
/// How many commits a step makes.
const COMMITS_A_STEP: usize = 8;
/// How often new names are made up where one is taken.
const TRIES_MAX: usize = 5;

/// Where a box's units and codes come from.
pub(super) enum Source {
    /// They are made here.
    Made {
        /// How it is packed.
        shape: Shape,
        /// The printed serials.
        serials: CodeSerials,
        /// How many reels are stored.
        reels_stored: u32,
    },
    /// They are given; up to which code packages and reels lie one behind the other.
    Given {
        /// Packages.
        packages_to: u32,
        /// Reels.
        reels_to: u32,
    },
}

impl Source {
    pub(super) const fn made(shape: Shape, serials: CodeSerials) -> Self {
        Self::Made {
            shape,
            serials,
            reels_stored: 0,
        }
    }

    pub(super) const fn given() -> Self {
        Self::Given {
            packages_to: 0,
            reels_to: 0,
        }
    }
}

/// A box that is being filled.
pub(super) struct Filling {
    carton: Carton,
    source: Source,
    /// Of the codes that are stored; sorted once all are.
    digests: Vec<(CodeDigest, u32)>,
    digests_stored: usize,
}

impl Filling {
    pub(super) const fn new(carton: Carton, source: Source) -> Self {
        Self {
            carton,
            source,
            digests: Vec::new(),
            digests_stored: 0,
        }
    }

    pub(super) const fn carton(&self) -> &Carton {
        &self.carton
    }

    /// Reels that are made, codes and digests.
    pub(super) fn progress(&self) -> Progress {
        let codes = u64::from(self.carton.codes);
        let (reels, of_reels) = match &self.source {
            Source::Made {
                shape,
                reels_stored,
                ..
            } => (*reels_stored, shape.packages * shape.reels),
            // Given units count as one row: they are all there, or not.
            Source::Given { .. } => (u32::from(self.units_cover()), 1),
        };
        Progress {
            done: u64::from(reels) + self.digests.len() as u64 + self.digests_stored as u64,
            of: u64::from(of_reels) + 2 * codes,
        }
    }

    fn units_cover(&self) -> bool {
        match self.source {
            Source::Made { .. } => true,
            Source::Given {
                packages_to,
                reels_to,
            } => packages_to == self.carton.codes && reels_to == self.carton.codes,
        }
    }

    fn has_all_codes(&self) -> bool {
        u32::try_from(self.digests.len()) == Ok(self.carton.codes)
    }

    /// Some commits of the stage it is in.
    pub(super) async fn step(&mut self, gateway: &Gateway) -> Result<(), StockError> {
        match &self.source {
            Source::Made {
                shape,
                reels_stored,
                ..
            } if *reels_stored < shape.packages * shape.reels => self.make_units(gateway).await,
            Source::Made { serials, .. } if !self.has_all_codes() => {
                let serials = serials.clone();
                self.make_codes(gateway, &serials).await
            }
            Source::Given { .. } if !self.has_all_codes() => Ok(()),
            Source::Made { .. } | Source::Given { .. } => {
                for _ in 0..COMMITS_A_STEP {
                    self.store_digests(gateway).await?;
                }
                Ok(())
            }
        }
    }

    async fn make_units(&mut self, gateway: &Gateway) -> Result<(), StockError> {
        let Source::Made {
            shape,
            reels_stored,
            ..
        } = &mut self.source
        else {
            return Ok(());
        };
        let rows = u32::try_from(ROWS_A_COMMIT / 2).unwrap_or(u32::MAX);
        let end = (*reels_stored + rows).min(shape.packages * shape.reels);
        for _ in 1..TRIES_MAX {
            let units = units_of(&self.carton, *shape, *reels_stored..end)?;
            match gateway.engine.admin(AdminOp::AddUnits(units)).await {
                Ok(_) => {
                    *reels_stored = end;
                    return Ok(());
                }
                // Somebody's name, by chance.
                Err(EngineError::Store(StoreError::Refused(_))) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StockError::Taken("names are taken too often".to_owned()))
    }

    /// Makes and stores codes; while some are stored the next are made.
    async fn make_codes(
        &mut self,
        gateway: &Gateway,
        serials: &CodeSerials,
    ) -> Result<(), StockError> {
        let (tenant, first) = (self.carton.tenant, self.next_code());
        let batches = batches(first.index, self.carton.codes);
        let mut batches = batches.take(COMMITS_A_STEP);
        let mut begin = || {
            let indices = batches.next()?;
            let index = indices.start;
            let serials = serials.clone();
            let make =
                move |chance: &mut Chance| indices.map(|it| serials.code(it, chance)).collect();
            Some(seal(gateway, tenant, CodeNo { index, ..first }, make))
        };
        let mut sealing = begin();
        while let Some(sealed) = sealing.take() {
            let (stored, digests) = sealed_by(sealed).await?;
            sealing = begin();
            gateway.engine.admin(AdminOp::AddCodes(stored)).await?;
            self.note(digests);
        }
        Ok(())
    }

    pub(super) async fn add_codes(
        &mut self,
        gateway: &Gateway,
        texts: Vec<Zeroizing<String>>,
    ) -> Result<(), StockError> {
        let is_given = matches!(self.source, Source::Given { .. });
        let codes = self.digests.len() + texts.len();
        if !is_given || codes > usize::try_from(self.carton.codes).unwrap_or(0) {
            return Err(StockError::Gap("codes"));
        }
        for texts in texts.chunks(ROWS_A_COMMIT) {
            let texts = texts.to_vec();
            let (tenant, first) = (self.carton.tenant, self.next_code());
            let sealing = seal(gateway, tenant, first, move |_| Ok(texts));
            let (stored, digests) = sealed_by(sealing).await?;
            gateway.engine.admin(AdminOp::AddCodes(stored)).await?;
            self.note(digests);
        }
        Ok(())
    }

    /// The first code that is not stored yet.
    fn next_code(&self) -> CodeNo {
        CodeNo {
            carton: self.carton.serial,
            index: u32::try_from(self.digests.len()).unwrap_or(u32::MAX),
        }
    }

    /// Keeps the digests of codes that are stored.
    fn note(&mut self, digests: Vec<(CodeDigest, u32)>) {
        self.digests.extend(digests);
        if self.has_all_codes() {
            self.digests.sort_unstable();
        }
    }

    async fn store_digests(&mut self, gateway: &Gateway) -> Result<(), StockError> {
        let left = self.digests.get(self.digests_stored..).unwrap_or_default();
        let (tenant, carton) = (self.carton.tenant, self.carton.serial);
        let some = left.iter().take(ROWS_A_COMMIT);
        let found: Vec<FoundCode> = some
            .map(|(digest, index)| FoundCode {
                digest: *digest,
                tenant,
                code: CodeNo {
                    carton,
                    index: *index,
                },
            })
            .collect();
        let count = found.len();
        if count > 0 {
            gateway.engine.admin(AdminOp::AddDigests(found)).await?;
            self.digests_stored += count;
        }
        Ok(())
    }

    pub(super) async fn add_units(
        &mut self,
        gateway: &Gateway,
        units: Vec<Unit>,
    ) -> Result<(), StockError> {
        let (mut packages, mut reels) = match self.source {
            Source::Made { .. } => return Err(StockError::Gap("units")),
            Source::Given {
                packages_to,
                reels_to,
            } => (packages_to, reels_to),
        };
        for unit in &units {
            let to = match unit.level {
                Level::Carton => return Err(StockError::Gap("units")),
                Level::Package => &mut packages,
                Level::Reel => &mut reels,
            };
            *to = follows(*to, &unit.range, self.carton.codes)?;
        }
        for units in units.chunks(ROWS_A_COMMIT) {
            let units = AdminOp::AddUnits(units.to_vec());
            gateway.engine.admin(units).await?;
        }
        self.source = Source::Given {
            packages_to: packages,
            reels_to: reels,
        };
        Ok(())
    }
}

/// Where the unit behind this one has to begin.
fn follows(expected: u32, range: &CodeRange, codes: u32) -> Result<u32, StockError> {
    let fits = range.first == expected && range.last >= range.first && range.last < codes;
    fits.then(|| range.last + 1)
        .ok_or(StockError::Gap("packages or reels"))
}

type Sealed = (Vec<StoredCode>, Vec<(CodeDigest, u32)>);

/// The indices from `first` on, as many at a time as one commit stores.
fn batches(first: u32, codes: u32) -> impl Iterator<Item = Range<u32>> {
    let rows = u32::try_from(ROWS_A_COMMIT).unwrap_or(u32::MAX);
    let starts = (first..codes).step_by(ROWS_A_COMMIT);
    starts.map(move |it| it..it.saturating_add(rows).min(codes))
}

/// Seals the codes that `make` brings, from `first` on. Thousands of seals are too long a work for
/// a thread that answers tills.
fn seal(
    gateway: &Gateway,
    tenant: TenantId,
    first: CodeNo,
    make: impl FnOnce(&mut Chance) -> Result<Vec<Zeroizing<String>>, AppError> + Send + 'static,
) -> JoinHandle<Result<Sealed, AppError>> {
    let vault = gateway.vouchers.codes.clone();
    tokio::task::spawn_blocking(move || {
        let texts = make(&mut Chance::new())?;
        seal_all(&vault, tenant, first, &texts)
    })
}

async fn sealed_by(sealing: JoinHandle<Result<Sealed, AppError>>) -> Result<Sealed, AppError> {
    sealing.await.unwrap_or_else(|error| {
        tracing::error!(%error, "sealing codes ended early");
        Err(AppError::Unforeseen)
    })
}

fn seal_all(
    vault: &CodeVault,
    tenant: TenantId,
    first: CodeNo,
    texts: &[Zeroizing<String>],
) -> Result<Sealed, AppError> {
    let mut stored = Vec::with_capacity(texts.len());
    let mut digests = Vec::with_capacity(texts.len());
    for (text, index) in texts.iter().zip(first.index..) {
        let code = CodeNo { index, ..first };
        let sealed = vault.seal(code, text)?;
        stored.push(StoredCode { code, sealed });
        digests.push((vault.digest(tenant, text), index));
    }
    Ok((stored, digests))
}

/// New reels of a box by their numbers from 0, each package before its first reel.
fn units_of(carton: &Carton, shape: Shape, reels: Range<u32>) -> Result<Vec<Unit>, AppError> {
    let mut chance = Chance::new();
    let mut units = Vec::new();
    let unit = |level, id, first: u32, codes: u32, order| Unit {
        tenant: carton.tenant,
        id,
        level,
        range: CodeRange {
            carton: carton.serial,
            first,
            last: first + codes - 1,
        },
        sale_channel_order_id: order,
    };
    for reel in reels {
        let first = reel * shape.codes;
        if reel % shape.reels == 0 {
            let id = mint::package(&mut chance)?;
            let codes = shape.reels * shape.codes;
            units.push(unit(Level::Package, id, first, codes, None));
        }
        let id = mint::reel(&mut chance, reel + 1)?;
        let order = mint::sale_channel_order_id(&mut chance)?;
        units.push(unit(Level::Reel, id, first, shape.codes, Some(order)));
    }
    Ok(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stored_some_at_a_time() {
        let of = |first, codes| batches(first, codes).collect::<Vec<_>>();
        assert_eq!(of(0, 2_000), [0..2_000]);
        assert_eq!(of(2_000, 4_001), [2_000..4_000, 4_000..4_001]);
        assert_eq!(of(7, 7), []);
    }

    #[test]
    fn units_lie_one_behind_the_other() {
        let range = |first, last| CodeRange {
            carton: domain::ids::Serial(1),
            first,
            last,
        };
        assert_eq!(follows(0, &range(0, 4), 10), Ok(5));
        assert_eq!(follows(5, &range(5, 9), 10), Ok(10));
        for (expected, range) in [
            (0, range(1, 4)),
            (5, range(4, 9)),
            (5, range(5, 10)),
            (5, range(5, 4)),
        ] {
            let wrong = Err(StockError::Gap("packages or reels"));
            assert_eq!(follows(expected, &range, 10), wrong, "{range:?}");
        }
    }
}
