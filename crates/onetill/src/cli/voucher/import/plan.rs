//! What is in a file of codes: its boxes and how they are packed. What is wrong is told with its
//! line and without the code, which pays.

use crate::{
    admin::voucher::boxes::NewUnit,
    cli::{CommandError, csv, voucher::printed::HEADER},
};
use domain::voucher::{
    code::may_be_code,
    stock::{CODES_MAX, Level},
};
use sha2::{Digest, Sha256};
use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};
use zeroize::Zeroizing;

/// A row. No `Debug`: the code pays.
pub(super) struct Row {
    /// Its line, from 1.
    pub(super) line: usize,
    carton: String,
    package: String,
    reel: String,
    /// The code.
    pub(super) code: Zeroizing<String>,
}

/// The rows of a file, one after the other.
pub(super) struct Rows {
    name: String,
    lines: std::iter::Enumerate<std::io::Lines<BufReader<File>>>,
}

impl Rows {
    pub(super) fn open(file: &Path) -> Result<Self, CommandError> {
        let name = file.display().to_string();
        let opened = File::open(file).map_err(|error| format!("{name}: {error}"))?;
        let mut lines = BufReader::new(opened).lines().enumerate();
        let header = lines.next().map(|(_, it)| it).transpose()?;
        // Spreadsheets put a mark in front of UTF-8.
        let header = header.unwrap_or_default();
        if header.trim_start_matches('\u{feff}').trim() != HEADER {
            return Err(format!("{name}: line 1: the columns must be {HEADER}").into());
        }
        Ok(Self { name, lines })
    }

    /// At most `count` rows; none at the end.
    pub(super) fn take(&mut self, count: usize) -> Result<Vec<Row>, CommandError> {
        let mut rows = Vec::with_capacity(count.min(10_000));
        while rows.len() < count {
            match self.next()? {
                Some(row) => rows.push(row),
                None => break,
            }
        }
        Ok(rows)
    }

    fn next(&mut self) -> Result<Option<Row>, CommandError> {
        for (index, text) in self.lines.by_ref() {
            let text = Zeroizing::new(text?);
            if text.trim().is_empty() {
                continue;
            }
            let line = index + 1;
            let row = read_row(line, &text);
            return row.map(Some).map_err(|what| self.wrong(line, what));
        }
        Ok(None)
    }

    fn wrong(&self, line: usize, what: &str) -> CommandError {
        format!("{}: line {line}: {what}; nothing was imported", self.name).into()
    }
}

fn read_row(line: usize, text: &str) -> Result<Row, &'static str> {
    let cells = csv::cells(text).map_err(|_| "a quotation mark is not closed")?;
    let [carton, package, reel, code]: [String; 4] =
        cells.try_into().map_err(|_| "there must be four cells")?;
    let row = Row {
        line,
        carton,
        package,
        reel,
        code: Zeroizing::new(code),
    };
    let names = [&row.carton, &row.package, &row.reel];
    if !names.iter().all(|it| may_be_code(it)) {
        return Err("a name is 8 to 64 letters, digits, dashes or equal signs");
    }
    if !may_be_code(&row.code) {
        return Err("a code is 8 to 64 letters, digits, dashes or equal signs");
    }
    Ok(row)
}

/// A box of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BoxPlan {
    /// Its printed name.
    pub(super) id: String,
    /// How many codes.
    pub(super) codes: u32,
    /// Its packages and reels, in the order in which they begin.
    pub(super) units: Vec<NewUnit>,
}

/// What is in a file.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Its boxes.
    pub(super) boxes: Vec<BoxPlan>,
    /// How many codes in all.
    pub(super) codes: u64,
    names: HashSet<String>,
}

impl Plan {
    /// Reads a file; each name may begin once, and each code be there once.
    pub(super) fn read(file: &Path) -> Result<Self, CommandError> {
        let mut rows = Rows::open(file)?;
        let mut plan = Self::default();
        let mut seen = HashSet::new();
        while let Some(row) = rows.next()? {
            let digest = Sha256::digest(row.code.as_bytes());
            let digest: [u8; 16] = digest.first_chunk().copied().unwrap_or_default();
            if !seen.insert(digest) {
                return Err(rows.wrong(row.line, "this code is there twice"));
            }
            let added = plan.add(&row);
            added.map_err(|what| rows.wrong(row.line, what))?;
        }
        if plan.boxes.is_empty() {
            return Err(rows.wrong(2, "there are no codes"));
        }
        Ok(plan)
    }

    /// All names of boxes, packages and reels.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.names.iter()
    }

    fn add(&mut self, row: &Row) -> Result<(), &'static str> {
        if self.boxes.last().is_none_or(|it| it.id != row.carton) {
            self.begin(&row.carton)?;
            self.boxes.push(BoxPlan {
                id: row.carton.clone(),
                codes: 0,
                units: Vec::new(),
            });
        }
        let is_new = |level: Level, id: &str, boxes: &[BoxPlan]| {
            let units = boxes.last().map_or(&[][..], |it| &it.units);
            let newest = units.iter().rev().find(|it| it.level == level);
            newest.is_none_or(|it| it.id != id)
        };
        let new_package = is_new(Level::Package, &row.package, &self.boxes);
        if new_package {
            self.begin(&row.package)?;
        }
        // A reel does not go on in another package.
        let new_reel = is_new(Level::Reel, &row.reel, &self.boxes) || new_package;
        if new_reel {
            self.begin(&row.reel)?;
        }
        let new_package = new_package.then_some((Level::Package, &row.package));
        let new_reel = new_reel.then_some((Level::Reel, &row.reel));
        if let Some(carton) = self.boxes.last_mut() {
            new_package
                .into_iter()
                .chain(new_reel)
                .for_each(|(level, id)| carton.begin(level, id));
            carton.push()?;
        }
        self.codes += 1;
        Ok(())
    }

    fn begin(&mut self, name: &str) -> Result<(), &'static str> {
        let is_first = self.names.insert(name.to_owned());
        is_first
            .then_some(())
            .ok_or("the rows of a box, a package or a reel must stand together")
    }
}

impl BoxPlan {
    fn begin(&mut self, level: Level, id: &str) {
        self.units.push(NewUnit {
            id: id.to_owned(),
            level,
            first: self.codes,
            last: self.codes,
            sale_channel_order_id: None,
        });
    }

    /// One more code, in the newest package and reel.
    fn push(&mut self) -> Result<(), &'static str> {
        for level in [Level::Package, Level::Reel] {
            let newest = self.units.iter_mut().rev().find(|it| it.level == level);
            if let Some(unit) = newest {
                unit.last = self.codes;
            }
        }
        self.codes += 1;
        (self.codes <= CODES_MAX)
            .then_some(())
            .ok_or("the box has too many codes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(rows: &[&str]) -> Result<Plan, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("codes.csv");
        let text = format!("{HEADER}\n{}\n", rows.join("\n"));
        fs::write(&path, text).unwrap();
        Plan::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn packing_may_be_uneven() {
        let plan = read(&[
            "XBOX0001,BPKG0001,REEL0001,code-0001",
            "XBOX0001,BPKG0001,REEL0001,code-0002",
            "XBOX0001,BPKG0001,REEL0002,code-0003",
            "XBOX0001,BPKG0002,REEL0003,code-0004",
            "XBOX0002,BPKG0003,REEL0004,code=0005",
        ]);
        let plan = plan.unwrap();
        assert_eq!((plan.boxes.len(), plan.codes), (2, 5));
        let units = plan.boxes[0].units.iter();
        let units: Vec<_> = units
            .map(|it| (it.id.as_str(), it.first, it.last))
            .collect();
        let expected = [
            ("BPKG0001", 0, 2),
            ("REEL0001", 0, 1),
            ("REEL0002", 2, 2),
            ("BPKG0002", 3, 3),
            ("REEL0003", 3, 3),
        ];
        assert_eq!(units, expected);
        assert_eq!((plan.boxes[1].codes, plan.names().count()), (1, 9));
    }

    #[test]
    fn a_wrong_line_is_named_without_its_code() {
        let good = "XBOX0001,BPKG0001,REEL0001,code-0001";
        for (row, why) in [
            ("XBOX0001,BPKG0001,REEL0001,code-0001", "there twice"),
            ("XBOX0001,BPKG0001,REEL0001", "four cells"),
            ("XBOX0001,BPKG0001,REEL0001,a,b", "four cells"),
            ("XBOX0001,BPKG0001,REEL0001,short", "a code is 8 to 64"),
            ("XBOX0001,BPKG0001,R 1,code-0002", "a name is 8 to 64"),
            (
                "XBOX0001,BPKG0002,REEL0001,code-0002",
                "must stand together",
            ),
            (
                "XBOX0001,XBOX0001,REEL0002,code-0002",
                "must stand together",
            ),
        ] {
            let error = read(&[good, row]).unwrap_err();
            assert!(error.contains("line 3") && error.contains(why), "{error}");
            assert!(!error.contains("code-000"), "{error}");
        }
        assert!(read(&[]).unwrap_err().contains("there are no codes"));
        let left = [
            "XBOX0002,BPKG0002,REEL0002,code-0002",
            "XBOX0001,BPKG0003,REEL0003,code-0003",
        ];
        let error = read(&[good, left[0], left[1]]).unwrap_err();
        assert!(error.contains("line 4"), "{error}");
    }
}
