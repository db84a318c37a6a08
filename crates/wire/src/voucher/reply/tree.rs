//! The tree of codes: boxes of packages of reels, or packages on top.

use super::detail::CodeDetail;
use crate::voucher::name;
use crate::voucher::object::{MemberError, Object};

/// What stands on top of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TreeShape {
    /// `voucherBox`, for `businessType` 12.
    Boxes,
    /// `voucherPkg`, for every other.
    Packages,
}

/// Where a code lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place<'a> {
    /// `boxId`; not shown where packages stand on top.
    pub box_id: &'a str,
    /// `pkgId`.
    pub pkg_id: &'a str,
    /// `reelId`.
    pub reel_id: &'a str,
}

/// A whole tree, as a client holds one. No `Debug`: it holds codes that pay.
#[derive(Clone, PartialEq, Eq)]
pub enum Tree {
    /// `voucherBox`.
    Boxes(Vec<VoucherBox>),
    /// `voucherPkg`.
    Packages(Vec<VoucherPkg>),
}

/// A box. No `Debug`: see [`Tree`].
#[derive(Clone, PartialEq, Eq)]
pub struct VoucherBox {
    /// `boxId`.
    pub box_id: String,
    /// `voucherPkg`.
    pub packages: Vec<VoucherPkg>,
}

/// A package. No `Debug`: see [`Tree`].
#[derive(Clone, PartialEq, Eq)]
pub struct VoucherPkg {
    /// `pkgId`.
    pub pkg_id: String,
    /// `voucherReel`.
    pub reels: Vec<VoucherReel>,
}

/// A reel. No `Debug`: see [`Tree`].
#[derive(Clone, PartialEq, Eq)]
pub struct VoucherReel {
    /// `reelId`.
    pub reel_id: String,
    /// `codeDetail`.
    pub codes: Vec<CodeDetail<'static>>,
}

impl Tree {
    /// What stands on top.
    pub const fn shape(&self) -> TreeShape {
        match self {
            Self::Boxes(_) => TreeShape::Boxes,
            Self::Packages(_) => TreeShape::Packages,
        }
    }

    /// Every code with its place, in order. Where packages stand on top, `box_id` is empty.
    pub fn codes(&self) -> Vec<(Place<'_>, &CodeDetail<'static>)> {
        let mut codes = Vec::new();
        match self {
            Self::Boxes(boxes) => boxes.iter().for_each(|it| {
                collect(&it.box_id, &it.packages, &mut codes);
            }),
            Self::Packages(packages) => collect("", packages, &mut codes),
        }
        codes
    }

    /// The tree in a reply, if there is one.
    pub(super) fn read(object: &Object<'_>) -> Result<Option<Self>, MemberError> {
        if object.has(name::VOUCHER_BOX) {
            let boxes = object.list(name::VOUCHER_BOX, VoucherBox::read)?;
            Ok(Some(Self::Boxes(boxes)))
        } else if object.has(name::VOUCHER_PKG) {
            Ok(Some(Self::Packages(packages(object)?)))
        } else {
            Ok(None)
        }
    }
}

impl VoucherBox {
    fn read(object: &Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            box_id: object.text(name::BOX_ID)?,
            packages: packages(object)?,
        })
    }
}

impl VoucherPkg {
    fn read(object: &Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            pkg_id: object.text(name::PKG_ID)?,
            reels: object.list(name::VOUCHER_REEL, VoucherReel::read)?,
        })
    }
}

impl VoucherReel {
    fn read(object: &Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            reel_id: object.text(name::REEL_ID)?,
            codes: object.list(name::CODE_DETAIL, CodeDetail::read)?,
        })
    }
}

fn packages(object: &Object<'_>) -> Result<Vec<VoucherPkg>, MemberError> {
    object.list(name::VOUCHER_PKG, VoucherPkg::read)
}

fn collect<'t>(
    box_id: &'t str,
    packages: &'t [VoucherPkg],
    codes: &mut Vec<(Place<'t>, &'t CodeDetail<'static>)>,
) {
    for (package, reel) in packages
        .iter()
        .flat_map(|package| package.reels.iter().map(move |reel| (package, reel)))
    {
        let place = Place {
            box_id,
            pkg_id: &package.pkg_id,
            reel_id: &reel.reel_id,
        };
        codes.extend(reel.codes.iter().map(|code| (place, code)));
    }
}
