//! Whether what an app is told as the reason of a movement is one.

use super::history::{Cause, Op, Shown, State};
use super::pages::Page;
use super::{Auditor, Invariant, Violation};

impl Auditor {
    /// An operation that is named has that reason in its record, or ended so just now; a grant, a plan
    /// or a window that is named moved that meter since the page was last looked at.
    pub(super) fn check_reasons(
        &self,
        page: &Page,
        account: u8,
        shown: &Shown,
        ended: &[(Op, State, Cause)],
    ) -> Result<(), Violation> {
        let Some((epoch, version)) = shown.place.filter(|_| !shown.corrected.is_empty()) else {
            return Ok(());
        };
        let book = self.book(account, epoch)?;
        let before = page.place.filter(|(known, _)| *known == epoch);
        let from = before.map_or(0, |(_, version)| version) + 1;
        let happened = |kinds: &[&str], meter| {
            (from..=version).any(|at| {
                let is_kind = book.made_by(at).is_some_and(|(kind, _)| kinds.contains(&kind));
                is_kind && book.shifts(at).iter().any(|it| it.meter == meter)
            })
        };
        for moved in &shown.corrected {
            let is_true = match (moved.op, moved.cause) {
                (Some(op), cause) => {
                    let record = book.records.get(&op).and_then(|record| record.at(version));
                    record.is_some_and(|it| it.cause == cause)
                        || ended.iter().any(|(it, _, why)| (*it, *why) == (op, cause))
                }
                (None, "grant") => happened(&["grant"], moved.meter),
                (None, "window_reset") => happened(&["window"], moved.meter),
                (None, "plan_changed") => happened(&["terms"], moved.meter),
                (None, cause) => matches!(cause, "other_device" | "reset"),
            };
            Invariant::ExactlyOnce.check(is_true, || {
                format!("page {} tells a reason that is none: {moved:?}", shown.tab)
            })?;
        }
        Ok(())
    }
}
