//! `apply`: what each snapshot does to what is shown. Meters are settled+held+pending/limit.

use crate::kit::page::{check, check_live};

#[test]
fn an_operation_counts_from_its_beginning_and_leaves_the_sum_with_its_first_record() {
    check_live(
        "
        begin a premium=1                                                    => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        push v6 since 5; premium 1+1/5; standard 0+0/20; a held premium=1    => live v6 premium 1+1+0/5 standard 0+0+0/20
        finished a
        push v7 since 5; premium 2+0/5; standard 0+0/20; a settled premium=1 => live v7 premium 2+0+0/5 standard 0+0+0/20; a settled finished
        ",
    );
}

#[test]
fn two_operations_in_flight_are_told_apart() {
    check_live(
        "
        begin a premium=1                                                            => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        begin b premium=1                                                            => live v5 premium 1+0+2/5 standard 0+0+0/20
        sent b
        push v7 since 5; premium 1+2/5; standard 0+0/20; a held @6 premium=1; b held @7 premium=1 => live v7 premium 1+2+0/5 standard 0+0+0/20
        push v8 since 5; premium 2+1/5; standard 0+0/20; b settled premium=1; a held @6 premium=1 => live v8 premium 2+1+0/5 standard 0+0+0/20; b settled finished
        push v9 since 8; premium 2+0/5; standard 0+0/20; a released                  => live v9 premium 2+0+0/5 standard 0+0+0/20; provider_failed a: The reply failed: your premium was returned.; a released provider_failed
        ",
    );
}

#[test]
fn what_is_older_or_of_somebody_else_changes_nothing() {
    check_live(
        "
        begin a premium=1                                                    => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        push v4 since 1; premium 0+0/5; a settled premium=1
        push v9 of two; premium 0+0/5; a settled premium=1
        push v5 since 1; premium 1+0/5; standard 0+0/20
        push v7 since 5; premium 2+0/5; standard 0+0/20; a settled premium=1 => live v7 premium 2+0+0/5 standard 0+0+0/20; a settled finished
        push v6 since 5; premium 1+1/5; standard 0+0/20; a held premium=1
        push v7 since 5; premium 2+0/5; standard 0+0/20; a settled premium=1
        ",
    );
}

#[test]
fn a_snapshot_that_begins_after_the_base_is_not_taken_but_fetched_from_there() {
    check_live(
        "
        begin a premium=1                                                            => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        push v9 since 7; premium 3+0/5; standard 0+0/20; a settled premium=1         => asks since 5 unless unchanged
        answer v9 since 5; premium 3+0/5; standard 0+0/20; a settled @8 premium=1; other_device premium 1 => live v9 premium 3+0+0/5 standard 0+0+0/20; other_device: Used on another device: 1 premium.; a settled finished
        ",
    );
}

#[test]
fn a_reset_is_taken_only_when_it_tells_of_everything_that_anybody_may_know() {
    check_live(
        "
        begin a premium=1                                                        => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        begin b standard=1                                                       => live v5 premium 1+0+1/5 standard 0+0+1/20
        push v9 reset; premium 3+0/5; standard 1+0/20                            => asks since 5 unless unchanged
        answer v10 reset; premium 3+0/5; standard 1+0/20                         => asks since 5 for a b
        answer v10 reset; premium 3+0/5; standard 1+0/20; a settled @8 premium=1 => live v10 premium 3+0+0/5 standard 1+0+1/20; reset: Your usage was brought up to date with the server.; a settled finished
        sent b
        ",
    );
}

#[test]
fn what_a_copy_of_the_page_fenced_stops_counting_whatever_can_be_told() {
    check_live(
        "
        begin a premium=1                                                  => live v5 premium 1+0+1/5 standard 0+0+0/20
        push v9 reset; premium 3+0/5; standard 1+0/20                      => asks since 5 unless unchanged
        answer v9 reset; premium 3+0/5; standard 1+0/20                    => asks since 5 for a
        answer v9 reset; premium 3+0/5; standard 1+0/20; a fenced @8       => live v9 premium 3+0+0/5 standard 1+0+0/20; never_arrived a: The message never arrived: your premium was returned.; reset: Your usage was brought up to date with the server.; a fenced never_arrived
        ",
    );
}

#[test]
fn what_was_begun_after_the_question_is_not_covered_by_another_operation() {
    check_live(
        "
        begin a premium=1                                                        => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        push v9 reset; premium 3+0/5; standard 1+0/20                            => asks since 5 unless unchanged
        answer v9 reset; premium 3+0/5; standard 1+0/20                          => asks since 5 for a
        begin b standard=1                                                       => live v5 premium 1+0+1/5 standard 0+0+1/20
        sent b
        answer v10 reset; premium 3+0/5; standard 2+0/20; a settled @8 premium=1 => asks since 5 for a b
        answer v10 reset; premium 3+0/5; standard 2+0/20; a settled @8 premium=1; b settled standard=1 => live v10 premium 3+0+0/5 standard 2+0+0/20; reset: Your usage was brought up to date with the server.; a settled finished; b settled finished
        ",
    );
}

#[test]
fn a_reload_goes_on_from_figures_that_the_answer_confirms() {
    check_live(
        "
        begin a premium=1                                                            => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        push v6 since 5; premium 1+1/5; standard 0+0/20; a held premium=1            => live v6 premium 1+1+0/5 standard 0+0+0/20
        reload                                                                       => live v6 premium 1+1+0/5 standard 0+0+0/20; asks since 6 for a
        answer v6 since 6; premium 1+1/5; standard 0+0/20; a held premium=1
        refresh                                                                      => asks since 6 for a
        answer v6 reset; premium 1+1/5; standard 0+0/20
        push v6 reset; premium 1+1/5; standard 0+0/20
        push v7 since 6; premium 2+0/5; standard 0+0/20; a settled premium=1         => live v7 premium 2+0+0/5 standard 0+0+0/20; a settled finished
        ",
    );
}

#[test]
fn what_was_begun_while_kept_figures_were_confirmed_changes_nothing_about_them() {
    check_live(
        "
        reload                                    => live v5 premium 1+0+0/5 standard 0+0+0/20; asks since 5
        begin a premium=1                         => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        answer v5; premium 1+0/5; standard 0+0/20
        timer                                     => 27000..33000
        ",
    );
}

#[test]
fn a_page_that_cannot_follow_still_says_what_it_has_seen() {
    check_live(
        "
        begin a premium=1                                                            => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        refresh                                                                      => asks since 5 unless unchanged
        answer v9 reset; premium 3+0/5; standard 1+0/20                              => asks since 5 for a
        answer v10 reset; premium 2+1/5; standard 1+0/20; a held @8 premium=1        => live v10 premium 2+1+0/5 standard 1+0+0/20; reset: Your usage was brought up to date with the server.
        finished a
        push v11 since 10; premium 3+0/5; standard 1+0/20; a settled premium=1       => live v11 premium 3+0+0/5 standard 1+0+0/20; a settled finished
        ",
    );
}

#[test]
fn another_epoch_begins_anew_and_asks_for_everything() {
    check_live(
        "
        begin a premium=1                                                         => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        begin b premium=1                                                         => live v5 premium 1+0+2/5 standard 0+0+0/20
        push v2 epoch 1; premium 0+0/5; standard 0+0/20                           => asks since 5 for a b
        answer v2 epoch 1; premium 0+0/5; standard 0+0/20                         => live v2 premium 0+0+2/5 standard 0+0+0/20; reset: Your usage was brought up to date with the server.; fences a since 2
        answer v3 epoch 1 since 2; premium 0+0/5; standard 0+0/20; a fenced       => live v3 premium 0+0+1/5 standard 0+0+0/20; never_arrived a: The message never arrived: your premium was returned.; a fenced never_arrived
        push v9 since 5; premium 4+0/5; standard 0+0/20
        sent b
        push v4 epoch 1 since 3; premium 0+1/5; standard 0+0/20; b held premium=1 => live v4 premium 0+1+0/5 standard 0+0+0/20
        ",
    );
}

#[test]
fn another_epoch_is_asked_for_before_a_fence_is_tried_in_it() {
    check_live(
        "
        begin a premium=1                                                            => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        begin b premium=1                                                            => live v5 premium 1+0+2/5 standard 0+0+0/20
        sent b
        begin c premium=1                                                            => live v5 premium 1+0+3/5 standard 0+0+0/20
        sent c
        finished a
        finished b
        at 1000
        timeout                                                                      => asks since 5 for a b
        answer v5; premium 1+0/5; standard 0+0/20                                    => fences a since 5
        answer v2 epoch 1 reset; premium 0+0/5; standard 0+0/20; a fenced            => asks since 5 for a b c
        answer v3 epoch 1; premium 0+1/5; standard 0+0/20; a fenced @2; c held premium=1 => live v3 premium 0+1+1/5 standard 0+0+0/20; never_arrived a: The message never arrived: your premium was returned.; reset: Your usage was brought up to date with the server.; a fenced never_arrived; fences b since 3
        ",
    );
}

#[test]
fn a_first_load_counts_nothing_twice() {
    check(
        "
        account one                                   => loading; asks whole
        begin a premium=1
        sent a
        answer v6; premium 0+1/5                      => asks whole for a
        answer v7; premium 1+0/5; a settled premium=1 => live v7 premium 1+0+0/5; a settled finished
        ",
    );
}

#[test]
fn a_first_load_leaves_alone_what_is_on_its_way() {
    check(
        "
        account one                                                       => loading; asks whole
        begin a premium=1
        sent a
        answer v6; premium 0+0/5                                          => asks whole for a
        answer v7; premium 0+0/5; standard 0+0/20                         => live v7 premium 0+0+1/5 standard 0+0+0/20
        push v8 since 7; premium 0+1/5; standard 0+0/20; a held premium=1 => live v8 premium 0+1+0/5 standard 0+0+0/20
        ",
    );
}

#[test]
fn a_late_word_of_a_history_that_was_left_or_never_known_begins_none() {
    check(
        "
        account one                                                    => loading; asks whole
        push v9 epoch 0; premium 3+0/5
        answer v2 epoch 1; premium 0+0/5                               => live v2 premium 0+0+0/5
        push v9 epoch 0; premium 3+0/5                                 => asks since 2
        answer v2 epoch 1; premium 0+0/5
        push v3 epoch 1 since 2; premium 1+0/5; other_device premium 1 => live v3 premium 1+0+0/5; other_device: Used on another device: 1 premium.
        push v4 epoch 2; premium 0+0/5                                 => asks since 3
        answer v4 epoch 2; premium 0+0/5                               => live v4 premium 0+0+0/5; reset: Your usage was brought up to date with the server.
        push v9 epoch 1 since 2; premium 3+0/5
        refresh                                                        => asks since 4 unless unchanged
        answer v5 epoch 1; premium 2+0/5                               => live v5 premium 2+0+0/5; reset: Your usage was brought up to date with the server.
        ",
    );
}

#[test]
fn what_the_base_counts_already_explains_nothing_again() {
    check_live(
        "
        begin a premium=1                                                            => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        push v6 since 5; premium 2+0/5; standard 0+0/20; a settled premium=1         => live v6 premium 2+0+0/5 standard 0+0+0/20; a settled finished
        push v8 since 4; premium 2+0/8; standard 0+0/20; a settled @6 premium=1; other_device premium 1 @5; grant premium 3 => live v8 premium 2+0+0/8 standard 0+0+0/20; grant: You were given 3 premium.
        push v9 since 4; premium 2+0/8; standard 2+0/20; a settled @6 premium=1; other_device standard 2; grant premium 3 @8 => live v9 premium 2+0+0/8 standard 2+0+0/20; other_device: Used on another device: 2 standard.
        push v10 since 4; premium 2+0/-; standard 2+0/20; a settled @6 premium=1; plan_changed premium 0 => live v10 premium 2+0+0/- standard 2+0+0/20; plan_changed: Your plan changed: so did your premium.
        push v11 since 10; premium 2+0/-; standard 2+0/24; grant standard 4          => live v11 premium 2+0+0/- standard 2+0+0/24; grant: You were given 4 standard.
        push v12 since 10; premium 2+0/-; standard 3+0/24; grant standard 4 @11; other_device standard 1 => live v12 premium 2+0+0/- standard 3+0+0/24; other_device: Used on another device: 1 standard.
        ",
    );
}

#[test]
fn a_reload_counts_a_running_operation_once() {
    check_live(
        "
        begin a premium=1                                                            => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        begin b premium=1                                                            => live v5 premium 1+0+2/5 standard 0+0+0/20
        push v6 since 5; premium 1+1/5; standard 0+0/20; a held premium=1            => live v6 premium 1+1+1/5 standard 0+0+0/20
        reload                                                                       => live v6 premium 1+1+1/5 standard 0+0+0/20; asks since 6 for a b
        answer v7 since 6; premium 1+0/5; standard 1+0/20; a settled fallback standard=1 => live v7 premium 1+0+1/5 standard 1+0+0/20; fallback a: Answered by another model: your premium was returned.; a settled fallback; fences b since 7
        answer v8 since 7; premium 1+0/5; standard 1+0/20; b fenced                  => live v8 premium 1+0+0/5 standard 1+0+0/20; never_arrived b: The message never arrived: your premium was returned.; b fenced never_arrived
        ",
    );
}

#[test]
fn kept_figures_that_were_never_the_servers_are_given_up() {
    check_live(
        "
        push v900 since 5; premium 5+0/5; standard 0+0/20 => live v900 premium 5+0+0/5 standard 0+0+0/20; other_device: Used on another device: 4 premium.
        begin a premium=1                                 => no room for 1 premium, 0 left
        sent a
        reload                                            => live v900 premium 5+0+0/5 standard 0+0+0/20; asks since 900 for a
        push v7 since 6; premium 2+0/5; standard 0+0/20
        answer v7 reset; premium 2+0/5; standard 0+0/20   => live v7 premium 2+0+0/5 standard 0+0+0/20; reset: Your usage was brought up to date with the server.; fences a since 7
        push v6 since 6; premium 1+0/5; standard 0+0/20
        ",
    );
}

#[test]
fn a_fence_that_will_never_be_accepted_gives_the_units_back() {
    check_live(
        "
        begin a premium=2                         => live v5 premium 1+0+2/5 standard 0+0+0/20
        sent a
        failed a                                  => asks since 5 for a
        answer v5; premium 1+0/5; standard 0+0/20 => fences a since 5
        fence_refused                             => live v5 premium 1+0+0/5 standard 0+0+0/20; never_arrived a: The message never arrived: 2 premium were returned.; a fenced never_arrived
        ",
    );
}
