//! When a page asks. Times are milliseconds; a timer is a range, counted from now.

use crate::kit::page::{check, check_live};

#[test]
fn figures_are_checked_every_thirty_seconds_give_or_take_a_tenth() {
    check_live(
        "
        timer     => 27000..33000
        at 26999
        timeout
        at 27000
        timeout   => asks since 5 unless unchanged
        timer     => none but the window's end
        unchanged
        timer     => 27000..33000
        ",
    );
}

#[test]
fn a_reply_that_brought_no_record_is_asked_for_after_a_second_and_then_less_often() {
    check_live(
        "
        begin a premium=1                                                   => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        at 500
        finished a
        timer                                                               => 1000..1100
        at 1499
        timeout
        at 1500
        timeout                                                             => asks since 5 for a
        answer v6 since 5; premium 1+1/5; standard 0+0/20; a held premium=1 => live v6 premium 1+1+0/5 standard 0+0+0/20
        timer                                                               => 1000..1100
        at 2500
        timeout                                                             => asks since 6 for a
        answer v6 since 6; premium 1+1/5; standard 0+0/20; a held premium=1
        timer                                                               => 2000..2100
        at 4500
        timeout                                                             => asks since 6 for a
        answer v6 since 6; premium 1+1/5; standard 0+0/20; a held premium=1
        timer                                                               => 4000..4100
        at 8500
        timeout                                                             => asks since 6 for a
        answer v6 since 6; premium 1+1/5; standard 0+0/20; a held premium=1
        timer                                                               => 8000..8100
        at 16500
        timeout                                                             => asks since 6 for a
        answer v6 since 6; premium 1+1/5; standard 0+0/20; a held premium=1
        timer                                                               => 16000..16100
        at 32500
        timeout                                                             => asks since 6 for a
        answer v6 since 6; premium 1+1/5; standard 0+0/20; a held premium=1
        timer                                                               => 27000..30100
        ",
    );
}

#[test]
fn one_second_stays_one_second_while_others_finish() {
    check_live(
        "
        begin a premium=1 => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        begin b premium=1 => live v5 premium 1+0+2/5 standard 0+0+0/20
        sent b
        finished a
        at 900
        finished b
        timer             => 100..200
        at 1000
        timeout           => asks since 5 for a b
        ",
    );
}

#[test]
fn a_reply_that_brought_its_record_asks_nothing() {
    check_live(
        "
        begin a premium=1                                                    => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        push v7 since 5; premium 2+0/5; standard 0+0/20; a settled premium=1 => live v7 premium 2+0+0/5 standard 0+0+0/20; a settled finished
        finished a
        timer                                                                => 27000..33000
        ",
    );
}

#[test]
fn a_hidden_page_asks_only_while_something_is_undecided() {
    check_live(
        "
        hidden
        timer                                                                  => none but the window's end
        begin a premium=1                                                      => live v5 premium 1+0+1/5 standard 0+0+0/20
        timer                                                                  => 27000..33000
        sent a
        finished a
        at 1000
        timeout                                                                => asks since 5 for a
        answer v7 since 5; premium 2+0/5; standard 0+0/20; a settled premium=1 => live v7 premium 2+0+0/5 standard 0+0+0/20; a settled finished
        timer                                                                  => none but the window's end
        refresh                                                                => asks since 7 unless unchanged
        fails
        timer                                                                  => none but the window's end
        at 5000
        visible
        timer                                                                  => -3950..-2950
        ",
    );
}

#[test]
fn what_is_wanted_of_a_hidden_page_is_asked_after_its_rest() {
    check_live(
        "
        hidden
        refresh   => asks since 5 unless unchanged
        fails
        refresh
        timer     => 50..1050
        at 50
        timeout   => asks since 5 unless unchanged
        ",
    );
}

#[test]
fn a_page_that_appears_checks_figures_older_than_five_seconds() {
    check_live(
        "
        hidden
        at 5000
        visible
        hidden
        at 5001
        visible   => asks since 5 unless unchanged
        unchanged
        at 9000
        offline   => offline v5 premium 1+0+0/5 standard 0+0+0/20
        online    => live v5 premium 1+0+0/5 standard 0+0+0/20
        at 10002
        offline   => offline v5 premium 1+0+0/5 standard 0+0+0/20
        online    => live v5 premium 1+0+0/5 standard 0+0+0/20; asks since 5 unless unchanged
        ",
    );
}

#[test]
fn a_page_that_appears_asks_at_once_for_what_is_unsure() {
    check_live(
        "
        begin a premium=1 => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        finished a
        hidden
        at 10
        visible           => asks since 5 for a
        ",
    );
}

#[test]
fn a_reply_that_fell_silent_is_asked_for() {
    check_live(
        "
        begin a premium=1 => live v5 premium 1+0+1/5 standard 0+0+0/20
        sent a
        at 20000
        activity a
        at 30000
        timeout           => asks since 5 unless unchanged
        unchanged
        at 50000
        timeout
        timer             => 7000..13000
        at 60000
        timeout           => asks since 5 unless unchanged
        unchanged
        timer             => 20000..21000
        at 80000
        timeout           => asks since 5 for a
        ",
    );
}

#[test]
fn a_window_that_ended_says_so_and_is_fetched_once() {
    check(
        "
        account one                                                           => loading; asks whole
        answer v5; premium 4+0/5 until 10000                                  => live v5 premium 4+0+0/5
        timer                                                                 => 10050..12050
        at 9999
        timeout
        at 10050
        timeout                                                               => live v5 premium 4+0+0/5~; asks since 5
        answer v6 since 5; premium 0+0/5 until 99000; window_reset premium -4 => live v6 premium 0+0+0/5; window_reset: A new period began: your premium were renewed.
        timer                                                                 => 27000..33000
        ",
    );
}

#[test]
fn a_window_that_the_view_shows_as_over_is_fetched_all_the_same() {
    check(
        "
        account one                          => loading; asks whole
        answer v5; premium 4+0/5 until 10000 => live v5 premium 4+0+0/5
        at 10010
        begin a premium=1                    => live v5 premium 4+0+1/5~
        timer                                => 40..2040
        at 10060
        timeout                              => asks since 5
        answer v5 since 5; premium 4+0/5 until 99000 => live v5 premium 4+0+1/5
        timer                                => 27000..33000
        ",
    );
}

#[test]
fn what_left_at_a_windows_end_was_asked_of_the_next_one() {
    check(
        "
        account one                          => loading; asks whole
        answer v5; premium 4+0/5 until 10000 => live v5 premium 4+0+0/5
        at 9999
        refresh                              => asks since 5 unless unchanged
        unchanged
        timer                                => 51..2051
        at 10000
        refresh                              => asks since 5 unless unchanged
        unchanged                            => live v5 premium 4+0+0/5~
        timer                                => 27000..33000
        ",
    );
}

#[test]
fn a_reload_gives_a_window_the_time_that_it_had_when_the_server_told_of_it() {
    check(
        "
        account one                          => loading; asks whole
        answer v5; premium 4+0/5 until 10000 => live v5 premium 4+0+0/5
        at 60000
        reload                               => live v5 premium 4+0+0/5; asks since 5
        timer                                => 10050..12050
        ",
    );
}

#[test]
fn a_clock_that_jumped_past_a_windows_end_is_set_right_by_the_next_answer() {
    check(
        "
        account one                                            => loading; asks whole
        answer v5; premium 4+0/5 until 10000                   => live v5 premium 4+0+0/5
        at 500000
        timeout                                                => live v5 premium 4+0+0/5~; asks since 5
        answer v5 since 5 read 2000; premium 4+0/5 until 10000 => live v5 premium 4+0+0/5
        timer                                                  => 8050..10050
        ",
    );
}

#[test]
fn the_next_check_is_due_from_when_the_last_one_left() {
    check(
        "
        account one                       => loading; asks whole
        at 4000
        answer v5; premium 4+0/5          => live v5 premium 4+0+0/5
        timer                             => 23000..29000
        at 30000
        timeout                           => asks since 5 unless unchanged
        at 41000
        unchanged
        timer                             => 16000..22000
        at 60000
        timeout                           => asks since 5 unless unchanged
        at 61000
        fails
        timer                             => 50..1050
        ",
    );
}

#[test]
fn a_windows_end_is_measured_by_the_servers_clock() {
    check(
        "
        at 500000
        account one                                    => loading; asks whole
        answer v5 read 7000; premium 4+0/5 until 10000 => live v5 premium 4+0+0/5
        timer                                          => 3050..5050
        push v5 read 6000; premium 4+0/5 until 10000
        timer                                          => 3050..5050
        push v5 read 7500; premium 4+0/5 until 10000
        timer                                          => 2550..4550
        ",
    );
}

#[test]
fn the_servers_time_is_known_from_the_last_answer_however_wrong_the_pages_clock_is() {
    check(
        "
        account one                          => loading; asks whole
        at 500000
        server_time                          => 500000
        answer v5 read 7000; premium 1+0/5   => live v5 premium 1+0+0/5
        server_time                          => 7000
        at 503000
        server_time                          => 10000
        push v5 read 10500; premium 1+0/5
        server_time                          => 10500
        at 504000
        push v5 read 10500; premium 1+0/5
        server_time                          => 11500
        at 0
        reload                               => live v5 premium 1+0+0/5; asks since 5
        server_time                          => 0
        answer v5 read 90000; premium 1+0/5
        server_time                          => 90000
        visitor premium=3                    => anonymous premium 0+0+0/3
        server_time                          => 0
        ",
    );
}

#[test]
fn a_hidden_page_shows_that_a_window_ended_and_asks_when_it_is_seen() {
    check(
        "
        account one                          => loading; asks whole
        answer v5; premium 4+0/5 until 10000 => live v5 premium 4+0+0/5
        hidden
        timer                                => 10050..12050
        at 12050
        timeout                              => live v5 premium 4+0+0/5~
        timer                                => none
        visible                              => asks since 5
        ",
    );
}

#[test]
fn a_page_that_was_seen_and_online_all_the_time_asks_nothing_for_being_told_so() {
    check_live(
        "
        at 6000
        visible
        online
        hidden
        hidden
        offline  => offline v5 premium 1+0+0/5 standard 0+0+0/20
        offline
        visible
        online   => live v5 premium 1+0+0/5 standard 0+0+0/20; asks since 5 unless unchanged
        ",
    );
}

#[test]
fn a_fence_that_is_refused_says_nothing_of_the_figures_and_puts_no_check_off() {
    check_live(
        "
        begin a premium=2                         => live v5 premium 1+0+2/5 standard 0+0+0/20
        sent a
        failed a                                  => asks since 5 for a
        at 3000
        answer v5; premium 1+0/5; standard 0+0/20 => fences a since 5
        at 4000
        fence_refused                             => live v5 premium 1+0+0/5 standard 0+0+0/20; never_arrived a: The message never arrived: 2 premium were returned.; a fenced never_arrived
        timer                                     => 23000..29000
        ",
    );
}
