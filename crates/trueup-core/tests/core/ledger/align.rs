//! What a plan and a clock do to an account before anything is decided.

use crate::kit::script::check;

#[test]
fn an_account_opens_with_its_plan() {
    check(
        "
        plan credits 9, premium 5, tokens unlimited  => v1 terms plan_changed credits 0+0/9, v2 terms plan_changed premium 0+0/5, v3 terms plan_changed tokens 0+0/-
        plan credits 9, premium 5, tokens unlimited  => nothing
        ",
    );
}

#[test]
fn a_window_that_ended_gives_way_to_the_one_that_holds_the_clock() {
    check(
        "
        plan premium 5              => v1 terms plan_changed premium 0+0/5
        hold a premium=2 until 900  => v2 hold admitted premium 0+2/5
        settle a premium=2          => v3 settle finished premium 2+0/5
        hold b premium=1 until 900  => v4 hold admitted premium 2+1/5
        at 99                       => nothing
        at 100                      => v5 window window_reset premium 0+0/5
        at 199                      => nothing
        at 777                      => v6 window window_reset premium 0+0/5
        settle b premium=1          => v7 settle finished premium 0+0/5
        ",
    );
}

#[test]
fn a_clock_that_was_set_back_gives_nothing_back() {
    check(
        "
        plan premium 5              => v1 terms plan_changed premium 0+0/5
        at 250                      => v2 window window_reset premium 0+0/5
        hold a premium=2 until 900  => v3 hold admitted premium 0+2/5
        at 150                      => nothing
        at 50                       => nothing
        plan premium 3              => v4 terms plan_changed premium 0+2/3
        hold b premium=2            => v5 refuse limit_reached; no room for 2 premium, 1 left
        at 299                      => nothing
        at 300                      => v6 window window_reset premium 0+0/3
        ",
    );
}

#[test]
fn a_plan_that_changes_keeps_what_was_used() {
    check(
        "
        plan premium 5                  => v1 terms plan_changed premium 0+0/5
        hold a premium=3                => v2 hold admitted premium 0+3/5
        plan premium 2                  => v3 terms plan_changed premium 0+3/2
        hold b premium=1                => v4 refuse limit_reached; no room for 1 premium, 0 left
        plan premium 2 soft             => v5 terms plan_changed premium 0+3/2
        hold c premium=1                => v6 hold admitted premium 0+4/2
        plan premium unlimited          => v7 terms plan_changed premium 0+4/-
        settle a premium=3              => v8 settle finished premium 3+1/-
        plan premium 9 every 20         => v9 terms plan_changed premium 3+1/9
        at 20                           => v10 window window_reset premium 0+0/9
        plan premium 9 every 100        => v11 terms plan_changed premium 0+0/9
        ",
    );
}

#[test]
fn a_plan_may_change_and_a_window_end_at_once() {
    check(
        "
        plan premium 5              => v1 terms plan_changed premium 0+0/5
        hold a premium=3            => v2 hold admitted premium 0+3/5
        grant g premium=4           => v3 grant grant premium 0+3/9
        at 100 plan premium 7       => v4 window window_reset premium 0+0/7
        ",
    );
}

#[test]
fn what_was_used_in_a_window_that_is_over_counts_in_no_other() {
    check(
        "
        plan premium 5                    => v1 terms plan_changed premium 0+0/5
        hold a premium=3                  => v2 hold admitted premium 0+3/5
        hold b premium=1                  => v3 hold admitted premium 0+4/5
        settle a premium=3                => v4 settle finished premium 3+1/5
        at 100 plan premium 9 every 1000  => v5 window window_reset premium 0+0/9
        settle b premium=1                => v6 settle finished premium 0+0/9
        at 150 plan premium 9 every 100   => v7 terms plan_changed premium 0+0/9
        hold c premium=2                  => v8 hold admitted premium 0+2/9
        at 160 plan premium 9 every 1000  => v9 terms plan_changed premium 0+2/9
        ",
    );
}

#[test]
fn a_meter_that_left_the_plan_admits_nothing_and_what_was_held_still_ends() {
    check(
        "
        plan premium 5, standard 5  => v1 terms plan_changed premium 0+0/5, v2 terms plan_changed standard 0+0/5
        hold a premium=1            => v3 hold admitted premium 0+1/5
        hold b premium=1            => v4 hold admitted premium 0+2/5
        hold c premium=1            => v5 hold admitted premium 0+3/5
        hold d standard=1           => v6 hold admitted standard 0+1/5
        plan standard 5             => v7 terms plan_changed premium gone
        hold e premium=1            => no meter premium
        settle d premium=1          => no meter premium
        settle a premium=1          => v8 settle finished premium gone
        release b                   => v9 release cancelled premium gone
        plan premium 5, standard 5  => v10 terms plan_changed premium 0+0/5
        rehold c premium=2          => v11 hold fallback premium 0+2/5 premium 0+2/5
        settle d standard=1         => v12 settle finished standard 1+0/5
        ",
    );
}
