//! A reply with a tree of any size, written in pieces.

use super::codes::CodesReply;
use super::detail::CodeDetail;
use super::tree::{Place, TreeShape};
use crate::json;
use crate::voucher::name;

/// A level of the tree, from the top.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Box,
    Package,
    Reel,
}

/// Writes a reply code by code. It holds what was not taken yet and the place of the last code,
/// so a tree of any size needs no more memory than its largest piece. No `Debug`: codes may pay.
///
/// Boxes, packages and reels begin and end by themselves where the place changes; codes come in
/// the order of the tree.
pub struct ReplyWriter {
    out: String,
    tail: String,
    shape: TreeShape,
    last: Option<Last>,
}

/// The place of the last code.
struct Last {
    box_id: String,
    pkg_id: String,
    reel_id: String,
}

impl ReplyWriter {
    /// Begins a reply: what stands before the tree is written.
    pub fn new(reply: &CodesReply, shape: TreeShape) -> Self {
        let mut out = reply.head().to_json();
        // The closing brace comes with the tail.
        out.pop();
        Self {
            out,
            tail: reply.tail().to_json(),
            shape,
            last: None,
        }
    }

    /// Writes a code.
    pub fn code(&mut self, place: Place<'_>, code: &CodeDetail<'_>) {
        match self.last.as_ref().map(|last| last.differs_at(place)) {
            None => self.begin_tree(place),
            Some(Some(level)) => self.go_on_at(level, place),
            Some(None) => self.out.push(','),
        }
        code.write(&mut self.out);
    }

    /// Bytes that were not taken yet.
    pub const fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether everything was taken.
    pub const fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Takes what is written so far: the next piece of the body.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Ends the reply: the last piece of the body.
    pub fn finish(mut self) -> String {
        if self.last.is_some() {
            self.end(self.top());
            self.out.push(']');
        }
        match self.tail.strip_prefix('{') {
            Some("}") | None => self.out.push('}'),
            Some(members) => {
                self.out.push(',');
                self.out.push_str(members);
            }
        }
        self.out
    }

    fn begin_tree(&mut self, place: Place<'_>) {
        let list = match self.shape {
            TreeShape::Boxes => name::VOUCHER_BOX,
            TreeShape::Packages => name::VOUCHER_PKG,
        };
        self.out.push_str(&format!(",\"{list}\":["));
        self.begin(self.top(), place);
    }

    /// Ends everything from a level down and begins it anew at another place.
    fn go_on_at(&mut self, level: Level, place: Place<'_>) {
        let level = level.max(self.top());
        self.end(level);
        self.out.push(',');
        self.begin(level, place);
    }

    fn begin(&mut self, from: Level, place: Place<'_>) {
        if from <= Level::Box {
            self.begin_one(name::BOX_ID, place.box_id, name::VOUCHER_PKG);
        }
        if from <= Level::Package {
            self.begin_one(name::PKG_ID, place.pkg_id, name::VOUCHER_REEL);
        }
        self.begin_one(name::REEL_ID, place.reel_id, name::CODE_DETAIL);
        self.last = Some(Last {
            box_id: place.box_id.to_owned(),
            pkg_id: place.pkg_id.to_owned(),
            reel_id: place.reel_id.to_owned(),
        });
    }

    fn begin_one(&mut self, id_name: &str, id: &str, list: &str) {
        self.out.push_str(&format!("{{\"{id_name}\":"));
        json::write_text(&mut self.out, id);
        self.out.push_str(&format!(",\"{list}\":["));
    }

    fn end(&mut self, from: Level) {
        self.out.push_str(match from {
            Level::Box => "]}]}]}",
            Level::Package => "]}]}",
            Level::Reel => "]}",
        });
    }

    const fn top(&self) -> Level {
        match self.shape {
            TreeShape::Boxes => Level::Box,
            TreeShape::Packages => Level::Package,
        }
    }
}

impl Last {
    /// The topmost level at which another place lies elsewhere.
    fn differs_at(&self, place: Place<'_>) -> Option<Level> {
        if self.box_id != place.box_id {
            Some(Level::Box)
        } else if self.pkg_id != place.pkg_id {
            Some(Level::Package)
        } else if self.reel_id != place.reel_id {
            Some(Level::Reel)
        } else {
            None
        }
    }
}
