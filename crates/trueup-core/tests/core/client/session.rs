//! Who is there: visitors, accounts, and what must not pass from one to the other.

use trueup_core::client::{Event, Local, MAX_PENDING, TooManyPending};
use trueup_core::{Epoch, Map, Version};

use crate::kit::page::{Page, check, check_live};
use crate::kit::{START, charge, model, op};

#[test]
fn a_visitor_is_counted_here_alone() {
    check(
        "
        visitor premium=3      => anonymous premium 0+0+0/3
        begin a premium=1      => anonymous premium 0+0+1/3
        begin b premium=2      => anonymous premium 0+0+3/3
        begin c premium=1      => no room for 1 premium, 0 left
        sent a
        finished a             => anonymous premium 1+0+2/3
        failed b               => anonymous premium 1+0+0/3
        begin d premium=2      => anonymous premium 1+0+2/3
        push v9; premium 0+0/5
        refresh
        timer                  => none
        ",
    );
}

#[test]
fn another_account_starts_with_nothing_of_the_one_before() {
    check_live(
        "
        begin a premium=1                                   => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        refresh                                             => asks since 5 unless unchanged
        account two                                         => loading; asks whole
        push v7 since 5; premium 2+0/5; a settled premium=1
        finished a
        answer v3 of two; premium 0+0/9                     => live v3 premium 0+0+0/9
        push v7 since 5; premium 2+0/5; a settled premium=1
        visitor premium=3                                   => anonymous premium 0+0+0/3
        push v7 since 5; premium 2+0/5; a settled premium=1
        ",
    );
}

#[test]
fn the_reply_to_what_the_actor_before_began_says_nothing_to_this_one() {
    check_live(
        "
        begin a premium=1                                                            => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        account one                                                                  => loading; asks whole
        answer v5; premium 1+0/5; standard 0+0/20                                    => live v5 premium 1+0+0/5 standard 0+0+0/20
        begin b premium=1                                                            => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent b
        reply a v7 since 5; premium 3+0/5; standard 0+0/20; a settled premium=1; other_device premium 1 @6
        reply b v7 since 5; premium 3+0/5; standard 0+0/20; b settled premium=1; other_device premium 1 @6 => live v7 premium 3+0+0/5 standard 0+0+0/20; other_device: Used on another device: 1 premium.; b settled finished
        reply b v8 since 7; premium 4+0/5; standard 0+0/20; other_device premium 1
        ",
    );
}

#[test]
fn whose_session_it_is_is_learnt_from_an_answer_alone() {
    check_live(
        "
        begin a premium=1                                             => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        account ?                                                     => loading; asks whole
        push v7; premium 2+0/5; a settled premium=1
        answer v3 of two; premium 0+0/9                               => live v3 premium 0+0+0/9
        push v7; premium 2+0/5; a settled premium=1
        push v4 of two since 3; premium 1+0/9; other_device premium 1 => live v4 premium 1+0+0/9; other_device: Used on another device: 1 premium.
        ",
    );
}

#[test]
fn what_is_expected_to_be_refused_counts_nothing_until_the_server_says_otherwise() {
    check_live(
        "
        begin a premium=5                                                            => no room for 5 premium, 4 left
        sent a
        push v7 since 5; premium 1+0/9; standard 0+0/20; grant premium 4 @6; a refused => live v7 premium 1+0+0/9 standard 0+0+0/20; grant: You were given 4 premium.; a refused limit_reached
        begin b premium=9                                                            => no room for 9 premium, 8 left
        sent b
        push v9 since 7; premium 1+9/13; standard 0+0/20; grant premium 4 @8; b held premium=9 => live v9 premium 1+9+0/13 standard 0+0+0/20; admitted b: There was room after all: 9 premium were used.; grant: You were given 4 premium.
        ",
    );
}

#[test]
fn a_retry_of_the_same_action_is_the_same_operation() {
    check_live(
        "
        begin a premium=4                                                   => live v5 premium 1+0+4/5 standard 0+0+0/20
        sent a
        failed a                                                            => asks since 5 for a
        begin a premium=4
        sent a
        answer v6 since 5; premium 1+4/5; standard 0+0/20; a held premium=4 => live v6 premium 1+4+0/5 standard 0+0+0/20
        failed a                                                            => asks since 6 for a
        answer v6 since 6; premium 1+4/5; standard 0+0/20; a held premium=4
        ",
    );
}

#[test]
fn as_many_may_be_undecided_as_one_request_can_ask_for() {
    let mut page = Page::live();
    let mut begin = |n: usize, lines| {
        let id = op(n as u16);
        let begun = page.client.handle_begin(id, &charge(lines), START);
        page.client.handle_sent(id, START);
        begun
    };
    (0..MAX_PENDING).for_each(|n| assert!(begin(n, "-").is_ok()));
    assert_eq!(begin(MAX_PENDING, "-"), Err(TooManyPending));
}

#[test]
fn what_happened_since_the_app_was_last_told_is_told_once() {
    let mut page = Page::live();
    for n in 0..3 {
        page.client.handle_begin(op(n), &charge("premium=1"), START).unwrap();
    }
    let told: Vec<Event> = std::iter::from_fn(|| page.client.poll_event()).collect();
    assert_eq!(told, [Event::SaveNeeded, Event::ViewChanged]);
}

#[test]
fn what_was_expected_to_be_refused_and_never_left_stands_in_nobodys_way() {
    let mut page = Page::live();
    for n in 0..3 * MAX_PENDING {
        let begun = page.client.handle_begin(op(n as u16), &charge("premium=9"), START);
        assert!(begun.unwrap().refusal.is_some());
    }
    assert!(page.client.saved().unwrap().pending.is_empty());
}

#[test]
fn what_was_expected_to_be_refused_and_never_left_is_neither_watched_nor_asked_for() {
    check_live(
        "
        begin a premium=9 => no room for 9 premium, 4 left
        hidden
        timer             => none but the window's end
        visible
        reload            => live v5 premium 1+0+0/5 standard 0+0+0/20; asks since 5
        ",
    );
}

#[test]
fn what_never_left_is_taken_back_at_once() {
    check_live(
        "
        begin a premium=1 => live v5 premium 1+0+1/5 standard 0+0+0/20
        failed a          => live v5 premium 1+0+0/5 standard 0+0+0/20
        timer             => 27000..33000
        ",
    );
}

#[test]
fn what_requests_and_replies_need_is_known_from_the_first_answer_on() {
    let mut page = Page::new();
    assert_eq!((page.client.since(), page.client.epoch()), (None, None));
    page = Page::live();
    assert_eq!(page.client.since(), Some(Version(5)));
    assert_eq!(page.client.epoch().map(Epoch::as_str), Some("epoch-0"));
    assert!(page.client.local().is_none());

    let (known, unknown) = (model("gpt-5"), model("gpt-6"));
    assert!(!page.client.has_catalog());
    page.client.handle_catalog([(known.clone(), charge("premium=1"))].into_iter().collect());
    assert!(page.client.has_catalog());
    assert_eq!(page.client.charge_of(&known), Some(&charge("premium=1")));
    assert_eq!(page.client.charge_of(&unknown), None);

    let used = charge("premium=2").iter().map(|(meter, units)| (meter.clone(), units)).collect();
    page.client.handle_anonymous(Local::new(Map::new(), used), START);
    let local = page.client.local().expect("a visitor counts by themselves");
    assert_eq!(local.used.len(), 1);
    assert_eq!(page.client.since(), None);
}
