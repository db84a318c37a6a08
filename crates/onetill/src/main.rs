//! The program `onetill`.

use std::process::ExitCode;

/// Faster than the system's for the many small allocations of a request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    onetill::cli::main()
}
