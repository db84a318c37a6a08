//! Files that appear whole or not at all.

use crate::contract::StoreError;
use std::{fs::File, io, path::Path};

/// Gives the finished file `partial` its name `to`, durably.
pub fn publish(partial: &Path, to: &Path) -> Result<(), StoreError> {
    let published = sync(partial)
        .and_then(|()| std::fs::rename(partial, to))
        .and_then(|()| sync(directory_of(to)));
    published.map_err(|error| StoreError::Down(format!("{}: {error}", to.display())))
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn directory_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}
