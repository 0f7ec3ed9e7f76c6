//! What a page does about requests that fail, and without a network. Times are milliseconds.

use crate::kit::page::check_live;

#[test]
fn a_check_that_failed_is_made_up_for_when_the_network_is_back() {
    check_live(
        "
        refresh => asks since 5 unless unchanged
        at 1000
        fails
        offline => offline v5 premium 1+0+0/5 standard 0+0+0/20
        timer   => none but the window's end
        online  => live v5 premium 1+0+0/5 standard 0+0+0/20; asks since 5 unless unchanged
        ",
    );
}

#[test]
fn failures_rest_longer_each_time_and_the_servers_wish_is_honoured() {
    check_live(
        "
        refresh    => asks since 5 unless unchanged
        fails
        timer      => 50..1050
        at 1000
        refresh
        activity a
        timeout    => asks since 5 unless unchanged
        fails      => offline v5 premium 1+0+0/5 standard 0+0+0/20
        timer      => 50..2050
        at 4000
        timeout    => asks since 5 unless unchanged
        fails 7000
        timer      => 7000..11000
        at 10999
        timeout
        at 11000
        timeout    => asks since 5 unless unchanged
        unchanged  => live v5 premium 1+0+0/5 standard 0+0+0/20
        timer      => 27000..33000
        ",
    );
}

#[test]
fn no_input_but_the_timer_cuts_a_rest_short() {
    check_live(
        "
        begin a premium=1 => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        failed a          => asks since 5 for a
        fails
        timer             => 50..1050
        at 100
        activity a
        refresh
        at 1050
        activity a        => asks since 5 for a
        ",
    );
}

#[test]
fn nothing_is_asked_without_a_network() {
    check_live(
        "
        begin a premium=1 => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        offline           => offline v5 premium 1+0+1/5 standard 0+0+0/20
        failed a
        timer             => none but the window's end
        at 90000
        timeout
        timer             => none but the window's end
        online            => live v5 premium 1+0+1/5 standard 0+0+0/20; asks since 5 for a
        ",
    );
}

#[test]
fn fences_in_vain_are_tried_less_and_less_often() {
    check_live(
        "
        begin a premium=1                                           => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        failed a                                                    => asks since 5 for a
        answer v5; premium 1+0/5; standard 0+0/20                   => fences a since 5
        fails
        timer                                                       => 50..1050
        at 2000
        timeout                                                     => asks since 5 for a
        answer v5; premium 1+0/5; standard 0+0/20                   => fences a since 5
        fails
        timer                                                       => 50..2050
        at 5000
        timeout                                                     => asks since 5 for a
        answer v5; premium 1+0/5; standard 0+0/20                   => fences a since 5
        answer v6 since 5; premium 1+0/5; standard 0+0/20           => live v6 premium 1+0+1/5 standard 0+0+0/20
        timer                                                       => 50..4050
        at 10000
        timeout                                                     => asks since 6 for a
        answer v6 since 6; premium 1+0/5; standard 0+0/20           => fences a since 6
        answer v7 since 6; premium 1+0/5; standard 0+0/20; a fenced => live v7 premium 1+0+0/5 standard 0+0+0/20; never_arrived a: The message never arrived: your premium was returned.; a fenced never_arrived
        ",
    );
}

#[test]
fn an_answer_that_leaves_a_fence_open_is_not_repeated_at_once() {
    check_live(
        "
        begin a premium=1                                            => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        failed a                                                     => asks since 5 for a
        answer v5; premium 1+0/5; standard 0+0/20                    => fences a since 5
        answer v6 of two since 5; premium 0+0/5; a fenced
        timer                                                        => 50..1050
        at 1050
        timeout                                                      => asks since 5 for a
        answer v5; premium 1+0/5; standard 0+0/20                    => fences a since 5
        fails
        timer                                                        => 50..2050
        at 4000
        timeout                                                      => asks since 5 for a
        answer v6 since 5; premium 1+0/5; standard 0+0/20; a refused => live v6 premium 1+0+0/5 standard 0+0+0/20; limit_reached a: The limit was reached before this message: your premium was returned.; a refused limit_reached
        ",
    );
}
