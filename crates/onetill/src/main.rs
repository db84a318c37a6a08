//! The program `onetill`.

use std::process::ExitCode;

/// Faster than the system's for the many small allocations of a request, which one thread makes and another
/// gives back.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    onetill::cli::main()
}
