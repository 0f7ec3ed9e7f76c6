//! The client that ships.

use trueup_core::client::{Begun, Client, Deadline, Event, Local, Request, Saved, Settings};
use trueup_core::view::View;
use trueup_core::{Charge, Epoch, Map, MeterId, OperationId, Timestamp, Units, Version};

use super::{Design, Input};

/// `trueup_core`'s machine, told everything as its driver tells it.
#[derive(Debug)]
pub struct Ours {
    client: Client,
    visible: bool,
    online: bool,
}

impl Default for Ours {
    fn default() -> Self {
        Self { client: Client::new(Settings::default()), visible: true, online: true }
    }
}

impl Ours {
    /// Whatever the page tells, the driver looks at all of it.
    fn look_at_page(&mut self, now: Timestamp) {
        self.client.handle_visible(self.visible, now);
        self.client.handle_online(self.online, now);
    }
}

impl Design for Ours {
    fn handle(&mut self, input: &Input, now: Timestamp) {
        let client = &mut self.client;
        match input {
            Input::Account(account, saved) => {
                let saved = saved.as_ref().map(|saved| (**saved).clone());
                client.handle_account(Some(account.clone()), saved, now);
            }
            Input::Visitor(used) => {
                let local = Local::new(crate::visitor_limits(), used.clone());
                client.handle_anonymous(local, now);
            }
            Input::Sent(id) => client.handle_sent(*id, now),
            Input::Heard(id) => client.handle_activity(*id, now),
            Input::Finished(id) => client.handle_finished(*id, now),
            Input::Failed(id) => client.handle_failed(*id, now),
            Input::Visible(visible) => {
                self.visible = *visible;
                self.look_at_page(now);
            }
            Input::Online(online) => {
                self.online = *online;
                self.look_at_page(now);
            }
            Input::Refresh => client.handle_refresh(),
            Input::Timeout => client.handle_timeout(now),
            Input::Reply(id, snapshot) => client.handle_reply(*id, snapshot, now),
            Input::Snapshot(snapshot) => client.handle_snapshot(snapshot, now),
            Input::Answer(id, snapshot) => client.handle_answer(*id, snapshot, now),
            Input::NotModified(id) => client.handle_not_modified(*id, now),
            Input::Failure(id, retry_after_ms) => client.handle_failure(*id, *retry_after_ms, now),
            Input::FenceRefused(id) => client.handle_fence_refused(*id, now),
        }
    }

    fn begin(&mut self, id: OperationId, charge: &Charge, now: Timestamp) -> Option<Begun> {
        self.client.handle_begin(id, charge, now).ok()
    }

    fn event(&mut self) -> Option<Event> {
        self.client.poll_event()
    }

    fn request(&mut self, now: Timestamp) -> Option<Request> {
        self.client.poll_request(now)
    }

    fn deadline(&self) -> Option<Deadline> {
        self.client.poll_timeout()
    }

    fn saved(&self) -> Option<Saved> {
        self.client.saved()
    }

    fn used_alone(&self) -> Option<Map<MeterId, Units>> {
        self.client.local().map(|local| local.used.clone())
    }

    fn since(&self) -> Option<Version> {
        self.client.since()
    }

    fn server_time(&self, now: Timestamp) -> Timestamp {
        self.client.server_time(now)
    }

    fn epoch(&self) -> Option<Epoch> {
        self.client.epoch().cloned()
    }

    fn view(&self) -> &View {
        self.client.view()
    }
}
