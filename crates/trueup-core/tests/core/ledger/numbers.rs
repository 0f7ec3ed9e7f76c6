//! What commands do to the numbers. Meters are shown as used+held/limit.

use crate::kit::script::check;

#[test]
fn units_are_set_aside_then_charged_or_given_back() {
    check(
        "
        plan premium 5                      => v1 terms plan_changed premium 0+0/5
        hold a premium=2                    => v2 hold admitted premium 0+2/5
        hold b premium=3                    => v3 hold admitted premium 0+5/5
        settle a premium=2                  => v4 settle finished premium 2+3/5
        release b because provider_failed   => v5 release provider_failed premium 2+0/5
        hold c premium=1 until 9            => v6 hold admitted premium 2+1/5
        hold d premium=1 until 9            => v7 hold admitted premium 2+2/5
        at 9                                => nothing
        expire c                            => v8 expire hold_expired premium 2+1/5
        expire d charged                    => v9 expire hold_expired premium 3+0/5
        fence e                             => v10 fence never_arrived
        ",
    );
}

#[test]
fn a_charge_of_several_meters_moves_all_of_them_or_none() {
    check(
        "
        plan credits 9, premium 1           => v1 terms plan_changed credits 0+0/9, v2 terms plan_changed premium 0+0/1
        hold a credits=4 premium=1          => v3 hold admitted credits 0+4/9 premium 0+1/1
        hold b credits=4 premium=1          => v4 refuse limit_reached; no room for 1 premium, 0 left
        hold c credits=6                    => v5 refuse limit_reached; no room for 6 credits, 5 left
        settle a credits=5                  => v6 settle metered credits 5+0/9 premium 0+0/1
        hold d                              => v7 hold admitted
        settle d                            => v8 settle finished
        ",
    );
}

#[test]
fn the_cause_of_a_charge_is_read_from_it_unless_given() {
    check(
        "
        plan premium 9, standard 9, tokens 99   => v1 terms plan_changed premium 0+0/9, v2 terms plan_changed standard 0+0/9, v3 terms plan_changed tokens 0+0/99
        hold a premium=1                        => v4 hold admitted premium 0+1/9
        settle a premium=1                      => v5 settle finished premium 1+0/9
        hold b premium=1                        => v6 hold admitted premium 1+1/9
        settle b standard=1                     => v7 settle fallback premium 1+0/9 standard 1+0/9
        hold c tokens=9                         => v8 hold admitted tokens 0+9/99
        settle c tokens=7                       => v9 settle metered tokens 7+0/99
        hold d tokens=9 premium=1               => v10 hold admitted premium 1+1/9 tokens 7+9/99
        settle d premium=1                      => v11 settle metered premium 2+0/9 tokens 7+0/99
        hold e tokens=9                         => v12 hold admitted tokens 7+9/99
        settle e                                => v13 settle metered tokens 7+0/99
        hold f tokens=9                         => v14 hold admitted tokens 7+9/99
        settle f tokens=9 because aborted       => v15 settle aborted tokens 16+0/99
        ",
    );
}

#[test]
fn a_hold_moves_to_another_model_only_if_there_is_room() {
    check(
        "
        plan premium 1, standard 1  => v1 terms plan_changed premium 0+0/1, v2 terms plan_changed standard 0+0/1
        hold a premium=1            => v3 hold admitted premium 0+1/1
        rehold a standard=2         => no room for 2 standard, 1 left
        rehold a standard=1         => v4 hold fallback premium 0+0/1 standard 0+1/1
        rehold a standard=1         => as before: held
        hold b premium=1            => v5 hold admitted premium 0+1/1
        rehold a premium=1          => no room for 1 premium, 0 left
        settle a standard=1         => v6 settle fallback standard 1+0/1
        rehold b votes=1            => no meter votes
        ",
    );
}

#[test]
fn a_refusal_is_recorded_and_stays() {
    check(
        "
        plan premium 1              => v1 terms plan_changed premium 0+0/1
        hold a premium=1            => v2 hold admitted premium 0+1/1
        hold b premium=1            => v3 refuse limit_reached; no room for 1 premium, 0 left
        release a                   => v4 release cancelled premium 0+0/1
        hold b premium=1            => as before: refused
        settle b premium=1          => refused before
        ",
    );
}

#[test]
fn only_what_a_provider_reports_passes_a_hard_limit_and_it_is_overage() {
    check(
        "
        plan tokens 10, soft 10 soft    => v1 terms plan_changed soft 0+0/10, v2 terms plan_changed tokens 0+0/10
        hold a tokens=4                 => v3 hold admitted tokens 0+4/10
        settle a tokens=13              => v4 settle metered tokens 13+0/10 over by 3
        hold b tokens=1                 => v5 refuse limit_reached; no room for 1 tokens, 0 left
        hold c soft=8                   => v6 hold admitted soft 0+8/10
        hold d soft=8                   => v7 hold admitted soft 0+16/10
        settle c soft=8                 => v8 settle finished soft 8+8/10
        settle d soft=8                 => v9 settle finished soft 16+0/10 over by 6
        grant g soft=5                  => v10 grant grant soft 16+0/15
        hold e soft=1                   => v11 hold admitted soft 16+1/15
        settle e soft=1                 => v12 settle finished soft 17+0/15 over by 1
        ",
    );
}

#[test]
fn grants_add_to_the_limit_until_the_window_ends() {
    check(
        "
        plan premium 1              => v1 terms plan_changed premium 0+0/1
        hold a premium=2            => v2 refuse limit_reached; no room for 2 premium, 1 left
        grant g premium=2           => v3 grant grant premium 0+0/3
        grant g premium=2           => as before: settled
        hold b premium=3            => v4 hold admitted premium 0+3/3
        settle b premium=3          => v5 settle finished premium 3+0/3
        at 100                      => v6 window window_reset premium 0+0/1
        plan premium unlimited      => v7 terms plan_changed premium 0+0/-
        grant h premium=2           => v8 grant grant premium 0+0/-
        ",
    );
}

#[test]
fn an_operation_is_charged_in_the_window_it_was_held_in() {
    check(
        "
        plan premium 2, standard 2  => v1 terms plan_changed premium 0+0/2, v2 terms plan_changed standard 0+0/2
        hold a premium=1 until 200  => v3 hold admitted premium 0+1/2
        hold b premium=1 until 200  => v4 hold admitted premium 0+2/2
        at 100                      => v5 window window_reset premium 0+0/2, v6 window window_reset standard 0+0/2
        hold c premium=2            => v7 hold admitted premium 0+2/2
        settle a premium=1          => v8 settle finished premium 0+2/2
        release b                   => v9 release cancelled premium 0+2/2
        at 300                      => v10 window window_reset premium 0+0/2, v11 window window_reset standard 0+0/2
        settle c standard=3         => v12 settle fallback premium 0+0/2 standard 3+0/2 over by 1
        ",
    );
}

#[test]
fn a_moved_hold_counts_in_the_window_it_moved_in() {
    check(
        "
        plan premium 2, standard 2  => v1 terms plan_changed premium 0+0/2, v2 terms plan_changed standard 0+0/2
        hold a premium=1 until 200  => v3 hold admitted premium 0+1/2
        at 100                      => v4 window window_reset premium 0+0/2, v5 window window_reset standard 0+0/2
        rehold a premium=2          => v6 hold fallback premium 0+2/2 premium 0+2/2
        at 300                      => v7 window window_reset premium 0+0/2, v8 window window_reset standard 0+0/2
        expire a charged            => v9 expire hold_expired premium 0+0/2
        ",
    );
}

#[test]
fn a_hold_that_was_extended_is_not_due() {
    check(
        "
        plan premium 2              => v1 terms plan_changed premium 0+0/2
        hold a premium=1 until 10   => v2 hold admitted premium 0+1/2
        extend a until 20           => v3 extend admitted
        extend a until 15           => as before: held
        at 10                       => nothing
        expire a                    => as before: held
        at 20                       => nothing
        expire a                    => v4 expire hold_expired premium 0+0/2
        ",
    );
}

#[test]
fn an_id_is_accepted_while_its_record_would_be_kept() {
    check(
        "
        plan premium 9                  => v1 terms plan_changed premium 0+0/9
        hold old premium=1              => v2 hold admitted premium 0+1/9
        hold too_old premium=1          => too old
        fence too_old                   => too old
        grant too_old premium=1         => too old
        hold ahead premium=1            => v3 hold admitted premium 0+2/9
        hold too_far_ahead premium=1    => from the future
        grant too_far_ahead premium=1   => from the future
        at 99                           => nothing
        hold old premium=1              => as before: held
        settle old premium=1            => v4 settle finished premium 1+1/9
        fence old                       => as before: settled
        ",
    );
}

#[test]
fn a_fence_holds_when_an_id_that_was_ahead_would_be_accepted() {
    check(
        "
        plan premium 9                  => v1 terms plan_changed premium 0+0/9
        hold too_far_ahead premium=1    => from the future
        fence too_far_ahead             => v2 fence never_arrived
        fence too_far_ahead             => as before: fenced
        at 1                            => nothing
        hold too_far_ahead premium=1    => fenced before
        fence a_week_ahead              => v3 fence never_arrived
        fence over_a_week_ahead         => from the future
        ",
    );
}

#[test]
fn checks_come_in_a_fixed_order() {
    check(
        "
        plan premium 1                  => v1 terms plan_changed premium 0+0/1
        hold too_old votes=9            => too old
        hold a premium=9 votes=1        => no meter votes
        hold b premium=9                => v2 refuse limit_reached; no room for 9 premium, 1 left
        hold b votes=1                  => conflict
        ",
    );
}

#[test]
fn no_counter_passes_the_largest_number() {
    check(
        "
        plan tokens unlimited           => v1 terms plan_changed tokens 0+0/-
        hold a tokens=1                 => v2 hold admitted tokens 0+1/-
        hold b tokens=max-1             => v3 hold admitted tokens 0+9007199254740991/-
        hold c tokens=1                 => v4 refuse limit_reached; no room for 1 tokens, 0 left
        settle a tokens=2               => too much tokens
        settle b tokens=max-1           => v5 settle finished tokens 9007199254740990+1/-
        at 60                           => nothing
        expire a charged                => v6 expire hold_expired tokens 9007199254740991+0/-
        grant g tokens=max              => v7 grant grant tokens 9007199254740991+0/-
        grant h tokens=1                => too much tokens
        plan tokens 5                   => v8 terms plan_changed tokens 9007199254740991+0/9007199254740991
        ",
    );
    check(
        "
        plan premium 5                  => v1 terms plan_changed premium 0+0/5
        grant g premium=max             => too much premium
        grant h premium=max-5           => v2 grant grant premium 0+0/9007199254740991
        grant i premium=1               => too much premium
        ",
    );
}
