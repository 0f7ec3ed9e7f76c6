//! The client that ships.

use trueup_core::client::{Begun, Client, Deadline, Event, Request, Saved, Settings};
use trueup_core::view::View;
use trueup_core::{Charge, Epoch, OperationId, Timestamp, Version};

use super::{Design, Input};

/// `trueup_core`'s machine, told everything as it comes.
#[derive(Debug)]
pub struct Ours(Client);

impl Default for Ours {
    fn default() -> Self {
        Self(Client::new(Settings::default()))
    }
}

impl Design for Ours {
    fn handle(&mut self, input: &Input, now: Timestamp) {
        let client = &mut self.0;
        match input {
            Input::Account(account, saved) => {
                let saved = saved.as_ref().map(|saved| (**saved).clone());
                client.handle_account(Some(account.clone()), saved, now);
            }
            Input::Sent(id) => client.handle_sent(*id, now),
            Input::Heard(id) => client.handle_activity(*id, now),
            Input::Finished(id) => client.handle_finished(*id, now),
            Input::Failed(id) => client.handle_failed(*id, now),
            Input::Visible(visible) => client.handle_visible(*visible, now),
            Input::Online(online) => client.handle_online(*online, now),
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
        self.0.handle_begin(id, charge, now).ok()
    }

    fn event(&mut self) -> Option<Event> {
        self.0.poll_event()
    }

    fn request(&mut self, now: Timestamp) -> Option<Request> {
        self.0.poll_request(now)
    }

    fn deadline(&self) -> Option<Deadline> {
        self.0.poll_timeout()
    }

    fn saved(&self) -> Option<Saved> {
        self.0.saved()
    }

    fn since(&self) -> Option<Version> {
        self.0.since()
    }

    fn server_time(&self, now: Timestamp) -> Timestamp {
        self.0.server_time(now)
    }

    fn epoch(&self) -> Option<Epoch> {
        self.0.epoch().cloned()
    }

    fn view(&self) -> &View {
        self.0.view()
    }
}
