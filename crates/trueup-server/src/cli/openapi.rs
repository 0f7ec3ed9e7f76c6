//! `trueup openapi`.

use super::Failure;

pub(super) fn run() -> Result<(), Failure> {
    print!("{}", trueup_server::openapi::text()?);
    Ok(())
}
