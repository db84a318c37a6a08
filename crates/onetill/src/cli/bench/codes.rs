//! Voucher codes, as `onetill voucher issue` wrote them for the printer.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::mix::Dice;
use super::{BenchError, file_error};

/// Codes to pay with and to ask about, in an order of their own. No `Debug`: they may pay.
pub(super) struct Codes {
    texts: Vec<Box<str>>,
    boxes: Vec<CodeBox>,
    /// How many were taken to pay with.
    taken: AtomicUsize,
}

/// A box, with two of its codes to see by how all of it stands.
pub(super) struct CodeBox {
    /// Its printed name.
    pub(super) name: String,
    /// The first and the last code of it that the file names.
    pub(super) ends: [Box<str>; 2],
}

impl Codes {
    /// Reads a file of rows of box, package, reel and code.
    pub(super) fn read(path: &Path, seed: u64) -> Result<Self, BenchError> {
        let file = File::open(path).map_err(file_error(path))?;
        let mut lines = BufReader::new(file).lines();
        let mut codes = Self {
            texts: Vec::new(),
            boxes: Vec::new(),
            taken: AtomicUsize::new(0),
        };
        let mut known = HashMap::new();
        // The header names the columns.
        lines.next().transpose().map_err(file_error(path))?;
        for line in lines {
            let line = line.map_err(file_error(path))?;
            codes.add(&line, &mut known).ok_or_else(|| {
                let name = path.display();
                BenchError::Setting(format!(
                    "{name}: every line must be `boxId,pkgId,reelId,code`"
                ))
            })?;
        }
        if codes.texts.is_empty() {
            let text = format!("{} has no codes", path.display());
            return Err(BenchError::Setting(text));
        }
        shuffle(&mut codes.texts, &mut Dice::new(seed));
        Ok(codes)
    }

    fn add(&mut self, line: &str, known: &mut HashMap<String, usize>) -> Option<()> {
        let mut cells = line.trim_end().split(',');
        let name = cells.next()?;
        let code: Box<str> = cells.nth(2).filter(|it| !it.is_empty())?.into();
        match known.get(name).and_then(|at| self.boxes.get_mut(*at)) {
            Some(CodeBox {
                ends: [_, last], ..
            }) => last.clone_from(&code),
            None => {
                known.insert(name.to_owned(), self.boxes.len());
                self.boxes.push(CodeBox {
                    name: name.to_owned(),
                    ends: [code.clone(), code.clone()],
                });
            }
        }
        self.texts.push(code);
        Some(())
    }

    /// The boxes, in the file's order.
    pub(super) fn boxes(&self) -> &[CodeBox] {
        &self.boxes
    }

    /// A code that was not taken before, in this run; `None` when there is no more.
    pub(super) fn take(&self) -> Option<&str> {
        let at = self.taken.fetch_add(1, Ordering::Relaxed);
        self.texts.get(at).map(AsRef::as_ref)
    }

    /// One of the codes, whichever.
    pub(super) fn any(&self, dice: &mut Dice) -> &str {
        let at = dice.below(self.texts.len());
        self.texts.get(at).map_or("", AsRef::as_ref)
    }
}

/// Customers do not come in the order in which codes were printed.
fn shuffle(texts: &mut [Box<str>], dice: &mut Dice) {
    for left in (1..texts.len()).rev() {
        texts.swap(left, dice.below(left + 1));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Codes, BenchError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("codes.csv");
        fs::write(&path, text).unwrap();
        Codes::read(&path, 1)
    }

    #[test]
    fn each_code_is_taken_once_and_in_no_order() {
        let rows: String = (0..50).map(|it| format!("X1,B,R,{it:03}\n")).collect();
        let codes = read(&format!("boxId,pkgId,reelId,code\n{rows}")).unwrap();
        let taken: Vec<&str> = std::iter::from_fn(|| codes.take()).collect();
        assert!(!taken.is_sorted());
        let each: BTreeSet<&str> = taken.iter().copied().collect();
        assert_eq!((taken.len(), each.len()), (50, 50));
        assert!(each.contains(codes.any(&mut Dice::new(7))));
    }

    #[test]
    fn boxes_have_their_first_and_last_code() {
        let codes = read("h\nX1,B,R,a\nX2,B,R,b\nX1,B,R,c\nX1,B,R,d\n").unwrap();
        let boxes = codes.boxes().iter();
        let boxes: Vec<_> = boxes
            .map(|it| (&*it.name, it.ends.each_ref().map(AsRef::as_ref)))
            .collect();
        assert_eq!(boxes, [("X1", ["a", "d"]), ("X2", ["b", "b"])]);
    }

    #[test]
    fn what_is_no_file_of_codes_is_told() {
        for text in [
            "",
            "boxId,pkgId,reelId,code\n",
            "h\nX1,B,R\n",
            "h\nX1,B,R,\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
