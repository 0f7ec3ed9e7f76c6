//! Numbers and ids as text, without the formatting machinery of the standard library: nothing else
//! in a page's module needs it.

use trueup_core::OperationId;

/// The number in decimal digits.
pub fn decimal(number: u64) -> String {
    let mut unit = 1;
    while number / unit >= 10 {
        unit *= 10;
    }
    let mut text = String::new();
    write(&mut text, number, unit);
    text
}

/// Appends all digits from the one worth `unit` on.
pub(crate) fn write(text: &mut String, number: u64, mut unit: u64) {
    while unit > 0 {
        push_digit(text, number / unit % 10);
        unit /= 10;
    }
}

/// The operation's id in the form in which it travels.
pub fn operation_id(id: OperationId) -> String {
    let mut text = String::new();
    for (at, byte) in id.as_u128().to_be_bytes().into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        push_digit(&mut text, u64::from(byte >> 4));
        push_digit(&mut text, u64::from(byte & 0xf));
    }
    text
}

/// Bytes as text, a letter for each. That is right for ASCII, and all that is read of what comes in
/// bytes is ASCII; the rest may be anything.
pub fn letters(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn push_digit(text: &mut String, digit: u64) {
    let digit = u32::try_from(digit).ok();
    text.extend(digit.and_then(|digit| char::from_digit(digit, 16)));
}

#[cfg(test)]
mod tests {
    use super::{decimal, operation_id};
    use proptest::prelude::*;
    use trueup_core::{OperationId, Timestamp};

    proptest! {
        #[test]
        fn numbers_look_as_everywhere(number in any::<u64>(), shift in 0_u32..64) {
            prop_assert_eq!(decimal(number >> shift), (number >> shift).to_string());
        }

        #[test]
        fn ids_look_as_everywhere(millis in 0_i64..(1 << 48), entropy in any::<[u8; 10]>()) {
            let id = OperationId::new_v7(Timestamp::from_millis(millis), entropy);
            prop_assert_eq!(operation_id(id), id.to_string());
        }
    }
}
