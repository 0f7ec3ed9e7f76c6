//! The sweeper: looks for holds that are due as long as any is open.

use trueup_core::ledger::Command;

use super::{Task, World};
use crate::audit::history::Event;
use crate::border;
use crate::planted::Bug;
use crate::server::{Request, SWEEP_MS};

impl World<'_> {
    /// A due hold is expired by whoever finds it.
    pub(super) fn begin_sweeping(&mut self) {
        if !self.server.sweeping && self.server.is_up {
            self.server.sweeping = true;
            let life = self.server.life;
            self.after(SWEEP_MS, Task::Sweep { life });
        }
    }

    pub(super) fn sweep(&mut self, life: u32) {
        if life != self.server.life {
            return;
        }
        self.server.sweeping = false;
        let clock = self.clock();
        let early_ms = if self.has(Bug::SweeperIsEarly) { 50_000 } else { 0 };
        let mut due = Vec::new();
        let mut open = false;
        for (account, rows) in self.server.rows.iter().enumerate() {
            for id in &rows.open {
                let Some(record) = rows.operations.get(id) else { continue };
                open = true;
                if record.expires_at <= clock.plus(early_ms) {
                    due.push((account, *id));
                }
            }
        }
        if self.has(Bug::SweeperSleeps) {
            due.clear();
        }
        if due.is_empty() && !self.has(Bug::SweeperSleeps) {
            self.note(Event::Swept { clock: clock.millis() });
        }
        for (account, operation) in due {
            let charged = operation.as_u128() & 1 == 1;
            let command = Command::Expire { operation, charged };
            self.submit(Request::of(account, border::actor_id(0), Some(command)));
        }
        if open {
            self.begin_sweeping();
        }
    }
}
