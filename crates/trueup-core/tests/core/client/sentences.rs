//! What a correction says to the user.

use crate::kit::page::{check, check_live};

#[test]
fn each_cause_has_its_sentence() {
    check(
        "
        account one                                                                  => loading; asks whole
        answer v5; premium_messages 1+0/5; standard_messages 0+0/20                  => live v5 premium_messages 1+0+0/5 standard_messages 0+0+0/20
        begin a premium_messages=1                                                   => live v5 premium_messages 1+0+1/5 standard_messages 0+0+0/20
        push v6 since 5; premium_messages 1+0/5; standard_messages 1+0/20; a settled fallback standard_messages=1 => live v6 premium_messages 1+0+0/5 standard_messages 1+0+0/20; fallback a: Answered by a standard model: your premium message was returned.; a settled fallback
        begin b premium_messages=2                                                   => live v6 premium_messages 1+0+2/5 standard_messages 1+0+0/20
        push v7 since 6; premium_messages 1+0/5; standard_messages 1+0/20; b settled fallback tokens=9 => live v7 premium_messages 1+0+0/5 standard_messages 1+0+0/20; fallback b: Answered by another model: 2 premium messages were returned.; b settled fallback
        begin c premium_messages=1                                                   => live v7 premium_messages 1+0+1/5 standard_messages 1+0+0/20
        push v8 since 7; premium_messages 1+0/5; standard_messages 1+0/20; c released provider_failed => live v8 premium_messages 1+0+0/5 standard_messages 1+0+0/20; provider_failed c: The reply failed: your premium message was returned.; c released provider_failed
        begin d premium_messages=1                                                   => live v8 premium_messages 1+0+1/5 standard_messages 1+0+0/20
        push v9 since 8; premium_messages 1+0/5; standard_messages 1+0/20; d released aborted => live v9 premium_messages 1+0+0/5 standard_messages 1+0+0/20; aborted d: It ended before the reply began: your premium message was returned.; d released aborted
        begin e premium_messages=1                                                   => live v9 premium_messages 1+0+1/5 standard_messages 1+0+0/20
        push v10 since 9; premium_messages 1+0/5; standard_messages 1+0/20; e released cancelled => live v10 premium_messages 1+0+0/5 standard_messages 1+0+0/20; cancelled e: The request was cancelled: your premium message was returned.; e released cancelled
        begin f premium_messages=1                                                   => live v10 premium_messages 1+0+1/5 standard_messages 1+0+0/20
        push v11 since 10; premium_messages 1+0/5; standard_messages 1+0/20; f released shutdown => live v11 premium_messages 1+0+0/5 standard_messages 1+0+0/20; shutdown f: The server stopped during the reply: your premium message was returned.; f released shutdown
        begin g premium_messages=1                                                   => live v11 premium_messages 1+0+1/5 standard_messages 1+0+0/20
        push v12 since 11; premium_messages 1+0/5; standard_messages 1+0/20; g expired => live v12 premium_messages 1+0+0/5 standard_messages 1+0+0/20; hold_expired g: The reply never ended: your premium message was returned.; g expired hold_expired
        begin h premium_messages=1                                                   => live v12 premium_messages 1+0+1/5 standard_messages 1+0+0/20
        push v13 since 12; premium_messages 1+0/5; standard_messages 1+0/20; h refused => live v13 premium_messages 1+0+0/5 standard_messages 1+0+0/20; limit_reached h: The limit was reached before this message: your premium message was returned.; h refused limit_reached
        begin i premium_messages=1                                                   => live v13 premium_messages 1+0+1/5 standard_messages 1+0+0/20
        push v14 since 13; premium_messages 1+0/5; standard_messages 1+0/20; i fenced => live v14 premium_messages 1+0+0/5 standard_messages 1+0+0/20; never_arrived i: The message never arrived: your premium message was returned.; i fenced never_arrived
        begin j premium_messages=4                                                   => live v14 premium_messages 1+0+4/5 standard_messages 1+0+0/20
        push v15 since 14; premium_messages 3+0/5; standard_messages 1+0/20; j settled metered premium_messages=2 => live v15 premium_messages 3+0+0/5 standard_messages 1+0+0/20; metered j: The reply took 2 premium messages less than estimated.; j settled metered
        begin k premium_messages=1                                                   => live v15 premium_messages 3+0+1/5 standard_messages 1+0+0/20
        push v16 since 15; premium_messages 5+0/5; standard_messages 1+0/20; k settled metered premium_messages=2 => live v16 premium_messages 5+0+0/5 standard_messages 1+0+0/20; metered k: The reply took 1 premium message more than estimated.; k settled metered
        begin l premium_messages=1                                                   => no room for 1 premium_messages, 0 left
        push v17 since 16; premium_messages 5+1/5; standard_messages 1+0/20; l held premium_messages=1 => live v17 premium_messages 5+1+0/5 standard_messages 1+0+0/20; admitted l: There was room after all: 1 premium message was used.
        begin m standard_messages=1                                                  => live v17 premium_messages 5+1+0/5 standard_messages 1+0+1/20
        push v18 since 17; premium_messages 5+1/5; standard_messages 3+0/20; m settled finished standard_messages=2 => live v18 premium_messages 5+1+0/5 standard_messages 3+0+0/20; finished m: That took 1 standard message more than estimated.; m settled finished
        begin n standard_messages=3                                                  => live v18 premium_messages 5+1+0/5 standard_messages 3+0+3/20
        push v19 since 18; premium_messages 5+1/5; standard_messages 4+0/20; n settled finished standard_messages=1 => live v19 premium_messages 5+1+0/5 standard_messages 4+0+0/20; finished n: That took 2 standard messages less than estimated.; n settled finished
        ",
    );
}

#[test]
fn what_nobody_here_did_has_its_sentence_too() {
    check(
        "
        account one                                                                  => loading; asks whole
        answer v5; premium_messages 1+0/5; standard_messages 0+0/20                  => live v5 premium_messages 1+0+0/5 standard_messages 0+0+0/20
        push v6 since 5; premium_messages 2+0/5; standard_messages 0+0/20; other_device premium_messages 1 => live v6 premium_messages 2+0+0/5 standard_messages 0+0+0/20; other_device: Used on another device: 1 premium message.
        push v7 since 6; premium_messages 0+0/5; standard_messages 0+0/20; other_device premium_messages -2 => live v7 premium_messages 0+0+0/5 standard_messages 0+0+0/20; other_device: Given back on another device: 2 premium messages.
        push v8 since 7; premium_messages 0+0/5; standard_messages 2+0/20; x settled standard_messages=2 => live v8 premium_messages 0+0+0/5 standard_messages 2+0+0/20; other_device: Used on another device: 2 standard messages.
        push v9 since 8; premium_messages 0+0/5; standard_messages 1+0/20; x released => live v9 premium_messages 0+0+0/5 standard_messages 1+0+0/20; other_device: Given back on another device: 1 standard message.
        push v10 since 9; premium_messages 0+0/8; standard_messages 1+0/20; grant premium_messages 3 => live v10 premium_messages 0+0+0/8 standard_messages 1+0+0/20; grant: You were given 3 premium messages.
        push v11 since 10; premium_messages 0+0/9; standard_messages 1+0/20; grant premium_messages 1 => live v11 premium_messages 0+0+0/9 standard_messages 1+0+0/20; grant: You were given 1 premium message.
        push v12 since 11; premium_messages 0+0/-; standard_messages 1+0/20; plan_changed premium_messages 0 => live v12 premium_messages 0+0+0/- standard_messages 1+0+0/20; plan_changed: Your plan changed: so did your premium messages.
        push v13 since 12; premium_messages 0+0/2; standard_messages 1+0/20; plan_changed premium_messages 0 => live v13 premium_messages 0+0+0/2 standard_messages 1+0+0/20; plan_changed: Your plan changed: so did your premium messages.
        push v14 since 13; premium_messages 0+0/2; standard_messages 0+0/20; window_reset standard_messages -1 => live v14 premium_messages 0+0+0/2 standard_messages 0+0+0/20; window_reset: A new period began: your standard messages were renewed.
        refresh                                                                      => asks since 14 unless unchanged
        answer v20 reset; premium_messages 1+0/2; standard_messages 2+0/20           => live v20 premium_messages 1+0+0/2 standard_messages 2+0+0/20; reset: Your usage was brought up to date with the server.
        push v21 since 20; premium_messages 1+0/12; standard_messages 2+0/20; grant premium_messages 10 => live v21 premium_messages 1+0+0/12 standard_messages 2+0+0/20; grant: You were given 10 premium messages.
        push v22 since 21; premium_messages 1+0/1932; standard_messages 2+0/20; grant premium_messages 1920 => live v22 premium_messages 1+0+0/1932 standard_messages 2+0+0/20; grant: You were given 1920 premium messages.
        push v23 since 22; premium_messages 2+0/1932; standard_messages 2+0/20; grant premium_messages 1 => live v23 premium_messages 2+0+0/1932 standard_messages 2+0+0/20; grant: Your premium messages were topped up.
        push v24 since 23; premium_messages 2+0/1900; standard_messages 2+0/20; grant premium_messages 1 => live v24 premium_messages 2+0+0/1900 standard_messages 2+0+0/20; grant: Your premium messages were topped up.
        ",
    );
}

#[test]
fn several_causes_are_told_one_after_the_other() {
    check(
        "
        account one                                                                  => loading; asks whole
        answer v5; premium_messages 1+0/5; standard_messages 0+0/20                  => live v5 premium_messages 1+0+0/5 standard_messages 0+0+0/20
        begin a premium_messages=1                                                   => live v5 premium_messages 1+0+1/5 standard_messages 0+0+0/20
        push v8 since 5; premium_messages 3+0/8; standard_messages 1+0/20; a settled fallback @6 standard_messages=1; other_device premium_messages 2 @7; grant premium_messages 3 => live v8 premium_messages 3+0+0/8 standard_messages 1+0+0/20; fallback a: Answered by a standard model: your premium message was returned.; other_device: Used on another device: 2 premium messages.; grant: You were given 3 premium messages.; a settled fallback
        begin b premium_messages=1                                                   => live v8 premium_messages 3+0+1/8 standard_messages 1+0+0/20
        push v11 since 8; premium_messages 3+0/8; standard_messages 1+0/20; b released @9; other_device standard_messages 0 @10; x refused @11 => live v11 premium_messages 3+0+0/8 standard_messages 1+0+0/20; provider_failed b: The reply failed: your premium message was returned.; b released provider_failed
        push v13 since 11; premium_messages 3+0/8; standard_messages 1+0/20; other_device premium_messages 2; window_reset premium_messages -2 => live v13 premium_messages 3+0+0/8 standard_messages 1+0+0/20
        ",
    );
}

#[test]
fn what_the_same_actor_did_elsewhere_is_told_by_what_it_moved_together() {
    check_live(
        "
        push v7 since 5; premium 1+2/9; standard 0+0/20; x held premium=1 @6; y held premium=1 => live v7 premium 1+2+0/9 standard 0+0+0/20; other_device: Used on another device: 2 premium.
        push v10 since 7; premium 4+0/9; standard 0+0/20; x settled premium=1 @8; z settled premium=1 @9; y settled premium=1 => live v10 premium 4+0+0/9 standard 0+0+0/20; other_device: Used on another device: 1 premium.
        push v13 since 10; premium 4+1/9; standard 2+0/20; p held premium=1 @11; q settled standard=2 @12; r released => live v13 premium 4+1+0/9 standard 2+0+0/20; other_device: Used on another device: 1 premium.; other_device: Used on another device: 2 standard.
        push v14 since 13; premium 5+0/9; standard 2+0/20; p settled premium=1 => live v14 premium 5+0+0/9 standard 2+0+0/20
        ",
    );
}

#[test]
fn what_was_given_back_is_what_the_sentence_speaks_of() {
    check(
        "
        account one                                                      => loading; asks whole
        answer v5; premium_messages 1+0/5; standard_messages 0+0/20      => live v5 premium_messages 1+0+0/5 standard_messages 0+0+0/20
        begin a standard_messages=2                                      => live v5 premium_messages 1+0+0/5 standard_messages 0+0+2/20
        push v6 since 5; premium_messages 2+0/5; standard_messages 0+0/20; a settled fallback premium_messages=1 => live v6 premium_messages 2+0+0/5 standard_messages 0+0+0/20; fallback a: Answered by a premium model: 2 standard messages were returned.; a settled fallback
        ",
    );
}

#[test]
fn of_several_meters_the_sentence_speaks_of_the_first_that_was_given_back() {
    check_live(
        "
        begin a premium=1 standard=3                                                 => live v5 premium 1+0+1/5 standard 0+0+3/20
        push v6 since 5; premium 3+0/5; standard 1+0/20; a settled metered premium=2 standard=1 => live v6 premium 3+0+0/5 standard 1+0+0/20; metered a: The reply took 2 standard less than estimated.; a settled metered
        begin b premium=1 standard=2                                                 => live v6 premium 3+0+1/5 standard 1+0+2/20
        push v7 since 6; premium 3+0/5; standard 1+0/20; b released                  => live v7 premium 3+0+0/5 standard 1+0+0/20; provider_failed b: The reply failed: your premium was returned.; b released provider_failed
        begin c premium=1 standard=1                                                 => live v7 premium 3+0+1/5 standard 1+0+1/20
        push v8 since 7; premium 5+0/5; standard 3+0/20; c settled metered premium=2 standard=2 => live v8 premium 5+0+0/5 standard 3+0+0/20; metered c: The reply took 1 premium more than estimated.; c settled metered
        ",
    );
}

#[test]
fn what_one_reason_did_not_move_is_nothing_of_another_meters() {
    check_live(
        "
        begin a premium=2                                                => live v5 premium 1+0+2/5 standard 0+0+0/20
        push v8 since 5; premium 0+0/5; standard 3+0/20; a released cancelled @6; window_reset premium -1 @7; other_device standard 3 => live v8 premium 0+0+0/5 standard 3+0+0/20; cancelled a: The request was cancelled: 2 premium were returned.; window_reset: A new period began: your premium were renewed.; other_device: Used on another device: 3 standard.; a released cancelled
        ",
    );
}
